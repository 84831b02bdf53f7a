"""Pages as blocks, all of them kept: what an article's outputs are made from."""

from lxml.html import HtmlElement, document_fromstring

from contract.options import Part
from workers.draft import Block
from workers.outputs.article_tree import build
from workers.outputs.html import write_html
from workers.outputs.images import find_images
from workers.outputs.markdown import write_markdown
from workers.page.walk import TAGS, walk

BASE = "https://www.example.org/news/ferry?from=home"
ALL = tuple(Part)


def blocks_of(markup: str) -> list[Block]:
    page: HtmlElement = document_fromstring(f"<html><body>{markup}</body></html>")
    walked = walk(page.body)
    blocks = []
    for passage in walked.passages:
        held = walked.containers[passage.container]
        tag = TAGS[held.tag - 1]
        level = int(tag[1]) if tag[0] == "h" and tag[1:].isdigit() else held.lists
        blocks.append(
            Block(
                kind=passage.kind,
                text=passage.text,
                level=level,
                line=held.line,
                probability=1.0,
                element=held.element,
                runs=passage.runs,
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
