"""Reads posts from JSON-LD: schema.org's `DiscussionForumPosting` with its comments, `Question` with its answers."""

from collections.abc import Iterator, Sequence

from contract.article import Post
from workers.metadata.jsonld import Node, as_list, moments, names, read_scripts, strings, types_of
from workers.posts.words import text_in

_THREADS = frozenset({"DiscussionForumPosting", "SocialMediaPosting"})
_MAX_POSTS = 1000  # of a page; chosen
_MAX_DEPTH = 20  # comments on comments; chosen


def posts_in_json_ld(scripts: Sequence[str]) -> list[Post]:
    """Returns the posts of the first thread or question in the JSON-LD of a page, accepted answers first."""
    if not any("Question" in script or "Posting" in script for script in scripts):
        return []
    nodes = read_scripts(scripts)
    threads = [node for node in nodes if not _THREADS.isdisjoint(types_of(node))]
    questions = [node for node in nodes if "Question" in types_of(node) and names(node.get("author"))]
    found = (list(_of_thread(node)) for node in threads)
    return next((posts for posts in (*found, *map(_of_question, questions)) if posts), [])[:_MAX_POSTS]


def _of_thread(node: Node, depth: int = 0) -> Iterator[Post]:
    yield from _post(node)
    for comment in as_list(node.get("comment")):
        if isinstance(comment, dict) and depth < _MAX_DEPTH:
            yield from _of_thread(comment, depth + 1)


def _of_question(node: Node) -> list[Post]:
    accepted = [post for answer in _answers(node, "acceptedAnswer") for post in _post(answer, accepted=True)]
    suggested = [post for answer in _answers(node, "suggestedAnswer") for post in _post(answer)]
    own = list(_post(node))
    known = {post.text for post in accepted}
    return [*own, *accepted, *(post for post in suggested if post.text not in known)] if own else []


def _answers(node: Node, key: str) -> list[Node]:
    return [answer for answer in as_list(node.get(key)) if isinstance(answer, dict)]


def _post(node: Node, *, accepted: bool = False) -> Iterator[Post]:
    """Yields the post that a node describes, if it has a text."""
    said = next(iter(strings(node.get("text")) or strings(node.get("articleBody"))), "")
    text = text_in(said or (next(iter(strings(node.get("name"))), "") if "Question" in types_of(node) else ""))
    if text:
        author = next(iter(names(node.get("author"))), None)
        stamps = moments(node.get("datePublished")) or moments(node.get("dateCreated"))
        yield Post(author, next(iter(stamps), None), text, accepted)
