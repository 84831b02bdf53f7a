"""Writes the requested forms of an article."""

from collections.abc import Collection, Sequence

from contract.options import Format, Options, Part
from workers.draft import ArticleBlock
from workers.outputs.allowed import allowed, web_address
from workers.outputs.article_tree import build, build_plain
from workers.outputs.html import write_html
from workers.outputs.images import find_images
from workers.outputs.markdown import write_markdown

_WRITERS = {Format.MARKDOWN: write_markdown, Format.HTML: write_html}


def write_forms(
    text: str,
    blocks: Sequence[ArticleBlock],
    url: str | None,
    options: Options,
    code: Collection[int] = (),
) -> dict[Format, str]:
    """Returns the forms that `options` request in addition to the text.

    Args:
        text: of the article, in standard form; it is written if there are no blocks, as with pasted text.
        blocks: of the text.
        url: of the page, if known.
        options: the formats, and the parts that they include.
        code: the numbers of the lines of pasted text that are code.
    """
    wanted = {form: write for form, write in _WRITERS.items() if form in options.formats}
    if not wanted:
        return {}
    if not blocks:
        return {form: write(build_plain(text, code)) for form, write in wanted.items()}
    base = _base(blocks, url)
    images = find_images(blocks, base) if Part.IMAGES in options.include else []
    body = build(blocks, images, base, options.include)
    return {form: write(body) for form, write in wanted.items()}


def _base(blocks: Sequence[ArticleBlock], url: str | None) -> str | None:
    """Returns the base of relative URLs: the page's first `<base href>` (HTML, 4.2.3), or else its own URL."""
    declared = blocks[0].element.getroottree().find(".//base[@href]")
    return (web_address(allowed(declared.get("href") or ""), url) if declared is not None else None) or url
