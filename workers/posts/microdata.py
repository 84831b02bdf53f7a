"""Reads posts from microdata (HTML, section 5): items of schema.org's types for threads, questions and answers."""

from collections.abc import Iterator
from typing import Final, cast

from lxml.etree import XPath

from contract.article import Post
from workers.metadata.elements import element_text, short_text
from workers.page.tree import Element
from workers.page.words import squeeze
from workers.posts.words import text_of

_IS_THREAD: Final = XPath(
    "boolean(//*[@itemtype][contains(@itemtype, 'Question') or contains(@itemtype, 'QAPage')"
    " or contains(@itemtype, 'DiscussionForumPosting')])"
)
_ITEMS: Final = XPath("//*[@itemtype]")
_PROPERTIES: Final = XPath(".//*[@itemprop]")
_ROOTS = frozenset({"Question", "DiscussionForumPosting"})
_ANSWERS = frozenset({"Answer", "SuggestedAnswer"})
_POSTS = _ROOTS | _ANSWERS | {"Comment", "SocialMediaPosting"}
_TEXTS = ("articleBody", "text", "description")
_DATES = ("datePublished", "dateCreated")
_MAX_POSTS = 1000  # of a page; chosen


def posts_in_microdata(tree: Element) -> list[Post]:
    """Returns the posts that are marked as items, in order; an accepted answer right after the question."""
    if not _IS_THREAD(tree):
        return []
    items = [(item, _type(item)) for item in _found(_ITEMS, tree)]
    types = {kind for _, kind in items}
    if _ROOTS.isdisjoint(types):
        return []
    kept = _ROOTS | _ANSWERS if types & _ANSWERS else _POSTS  # comments on answers are no posts
    members = {item for item, kind in items if kind in _POSTS}
    found = [post for item, kind in items if kind in kept for post in _post(item, members)][:_MAX_POSTS]
    if not any(post.author for post in found):
        return []  # frequently asked questions
    return [*found[:1], *(post for post in found[1:] if post.accepted), *(p for p in found[1:] if not p.accepted)]


def _found(path: XPath, element: Element) -> list[Element]:
    return cast("list[Element]", path(element))


def _type(item: Element) -> str:
    return (item.get("itemtype") or "").rstrip("/").rpartition("/")[2]


def _post(item: Element, members: set[Element]) -> Iterator[Post]:
    own = [element for element in _found(_PROPERTIES, item) if _holder(element, members) is item]
    body = next((element for name in _TEXTS for element in own if _is(element, name)), None)
    text = text_of(body) if body is not None else ""
    if text:
        dates = (element_text(element) for name in _DATES for element in own if _is(element, name))
        accepted = "acceptedAnswer" in (item.get("itemprop") or "").split()
        yield Post(_author(own), next(filter(None, dates), None), text, accepted)


def _author(own: list[Element]) -> str | None:
    for element in own:
        if _is(element, "author") or _is(element, "creator"):
            named = [inner for inner in _found(_PROPERTIES, element) if _is(inner, "name")]
            name = next(filter(None, (squeeze(one.get("content")) or short_text(one) for one in named)), "")
            return name or squeeze(element.get("content")) or short_text(element) or None
    return None


def _is(element: Element, name: str) -> bool:
    return name in (element.get("itemprop") or "").split()


def _holder(element: Element, members: set[Element]) -> Element | None:
    """Returns the post that an element is a property of: the innermost around it."""
    return next((outer for outer in element.iterancestors() if outer in members), None)
