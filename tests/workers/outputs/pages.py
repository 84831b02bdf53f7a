"""Pages as blocks, all of them kept, to make outputs of."""

from lxml.html import HtmlElement, document_fromstring

from contract.options import Part
from workers.draft import ArticleBlock
from workers.outputs.article_tree import build
from workers.outputs.html import write_html
from workers.outputs.images import find_images
from workers.outputs.markdown import write_markdown
from workers.page.segment import segment
from workers.page.tags import TAGS

BASE = "https://www.example.org/news/ferry?from=home"
ALL = tuple(Part)


def blocks_of(markup: str) -> list[ArticleBlock]:
    page: HtmlElement = document_fromstring(f"<html><body>{markup}</body></html>")
    segmented = segment(page.body)
    blocks = []
    for block in segmented.blocks:
        held = segmented.containers[block.container]
        tag = TAGS[held.tag - 1]
        level = int(tag[1]) if tag[0] == "h" and tag[1:].isdigit() else held.lists
        blocks.append(
            ArticleBlock(
                kind=block.kind,
                text=block.text,
                level=level,
                line=held.line,
                probability=1.0,
                element=held.element,
                runs=block.runs,
            )
        )
    return blocks


def markdown(markup: str, *, base: str | None = BASE, include: tuple[Part, ...] = ALL) -> str:
    blocks = blocks_of(markup)
    images = find_images(blocks, base) if Part.IMAGES in include else []
    return write_markdown(build(blocks, images, base, include))


def html(markup: str, *, base: str | None = BASE, include: tuple[Part, ...] = ALL) -> str:
    blocks = blocks_of(markup)
    images = find_images(blocks, base) if Part.IMAGES in include else []
    return write_html(build(blocks, images, base, include))
