"""Makes a draft of HTML: parses it once, reads its metadata, and finds its text with a classifier of blocks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import NamedTuple

from contract.options import Options, Part
from contract.reasons import Reason
from workers.document import Metadata
from workers.draft import Draft
from workers.extract.body import body_from_json_ld, find_body, find_comments
from workers.extract.render import render
from workers.failures import Failed
from workers.metadata.resolve import read_metadata
from workers.page.blocks import BlockKind
from workers.page.head import Head, read_head
from workers.page.tree import Element, parse
from workers.posts.find import find_posts
from workers.quality.assessment import assess, is_thread, page_flags, refuse_other_pages
from workers.quality.confidence import confidence

_DEFAULTS = Options()


def read_html(html: str, url: str | None, options: Options = _DEFAULTS) -> Draft:
    """Returns the article in a page, with its metadata, flags and confidence.

    Args:
        html: the page.
        url: where the page came from, if known.
        options: the focus, and the requested parts.

    Raises:
        Failed: no article: not HTML, no text, a wall, a list of other pages, or a parser gave up. It has the page's
            metadata if they could be read.
    """
    tree = parse(html)
    with _translated():
        head = read_head(tree, html)
        metadata = read_metadata(tree, head, url)
    try:
        return _draft(_Page(tree, head, url), metadata, options)
    except Failed as failed:
        raise failed.knowing(metadata=metadata) from failed


class _Page(NamedTuple):
    tree: Element
    head: Head
    url: str | None


def _draft(parsed: _Page, metadata: Metadata, options: Options) -> Draft:
    with _translated():
        body = find_body(parsed.tree, parsed.head, metadata.title.value if metadata.title else None, options.focus)
        page = assess(parsed.tree, body.segmented, parsed.head, parsed.url)
        if not body.blocks:
            body = body_from_json_ld(metadata.article_body) or body
    sureness = confidence(body.classification, page)
    refuse_other_pages(page, [block.text for block in body.blocks], sureness)
    blocks = tuple(block for block in body.blocks if block.kind is not BlockKind.CELL or Part.TABLES in options.include)
    text, spaced = render(blocks)
    if not text:
        raise Failed(Reason.NO_ARTICLE, "no text found in the page")
    with _translated():
        posts = find_posts(parsed.tree, parsed.head, is_thread=is_thread(page))
    draft = Draft.of(metadata, text=text, blocks=blocks, classification=body.classification)
    return replace(
        draft,
        spaced_lines=spaced,
        page_kind=page.kinds.likeliest,
        flags=page_flags(page, [block.text for block in blocks], body.after, body.classification.hidden),
        confidence=sureness,
        posts=posts,
        comments=find_comments(body.segmented, body.classification.kept) if Part.COMMENTS in options.include else None,
    )


@contextmanager
def _translated() -> Iterator[None]:
    """Turns exceptions that a page causes in our parsers into Failed."""
    try:
        yield
    except (MemoryError, RecursionError):
        raise  # the cause is a limit of the process, not the page: the code that set the limits handles it
    except Exception as error:
        raise Failed(Reason.NO_ARTICLE, "the page cannot be read") from error
