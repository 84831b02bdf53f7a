"""Finds the posts of a page, by its structured data or by elements that look alike."""

from collections.abc import Sequence

from contract.article import Post
from workers.page.head import Head
from workers.page.tree import Element
from workers.page.words import bare
from workers.posts.microdata import posts_in_microdata
from workers.posts.repeated import repeated_posts
from workers.posts.structured_data import posts_in_json_ld

_ENOUGH = 0.8  # of the text of posts found by their form, from which on JSON-LD is used; chosen
_SAME_CHARS = 60  # characters at the start of a post that tell if it is there already; chosen


def find_posts(tree: Element, head: Head, *, is_thread: bool) -> tuple[Post, ...]:
    """Returns the posts of a page, none if it has no structured data of a thread and does not look like one.

    Dates are as the page states them.

    Args:
        tree: the page.
        head: its head.
        is_thread: the page is estimated to be a thread, so elements that look alike may be posts.
    """
    marked = posts_in_microdata(tree)
    if len(marked) > 1:
        return tuple(marked)
    declared = max(posts_in_json_ld(head.json_ld), marked, key=_chars)
    if not (is_thread or declared):
        return ()
    body = tree.find("body")
    language = tree.get("lang") or tree.get("xml:lang") or ""
    seen = repeated_posts(tree if body is None else body, language)
    if _chars(declared) >= _ENOUGH * _chars(seen):
        return tuple(declared)
    first = [post for post in declared[:1] if not any(bare(post.text)[:_SAME_CHARS] in bare(one.text) for one in seen)]
    return (*first, *seen)


def _chars(posts: Sequence[Post]) -> int:
    return sum(len(post.text) for post in posts if post.author)
