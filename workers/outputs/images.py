"""Finds the images of an article: those between its blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

from lxml.etree import _Element

from workers.draft import ArticleBlock
from workers.outputs.allowed import allowed, web_address

_LAZY = ("data-src", "data-original", "data-lazy-src", "data-srcset", "srcset")
_SET_ASIDE = frozenset({"nav", "footer", "aside", "form", "button", "header", "noscript"})
# Chosen by hand; not measured.
_LEAST_PX = 48  # a side of less is an icon or a counter


@dataclass(frozen=True, slots=True)
class Image:
    """An image by its absolute URL; `alt` is what it shows, empty where the page does not say."""

    url: str
    alt: str


def find_images(blocks: Sequence[ArticleBlock], base: str | None) -> list[tuple[int, Image]]:
    """Returns the images between the first and the last of `blocks`, each with the number of the block it precedes."""
    if not blocks:
        return []
    places = {block.element: number for number, block in reversed(list(enumerate(blocks)))}
    found: dict[str, tuple[int, Image]] = {}
    following: list[tuple[str, Image]] = []
    for element in _around(blocks).iter():
        number = places.get(element)
        if number is not None:
            found |= {url: (number, image) for url, image in following if url not in found}
            following = []
        elif element.tag == "img" and (image := _image(element, base)) and not _is_aside(element):
            following.append((image.url, image))
    return sorted(found.values(), key=lambda each: each[0])


def _around(blocks: Sequence[ArticleBlock]) -> _Element:
    """Returns the innermost element that holds all of `blocks`."""
    first: _Element = blocks[0].element
    last = {blocks[-1].element, *blocks[-1].element.iterancestors()}
    return next((element for element in first.iterancestors() if element in last), first)


def _image(element: _Element, base: str | None) -> Image | None:
    for name in (*_LAZY, "src"):
        source = allowed(element.get(name) or "").strip()
        if name.endswith("srcset"):
            source = source.partition(",")[0].split(" ")[0]
        url = web_address(source, base) if source else None
        if url and not _is_small(element):
            return Image(url, " ".join(allowed(element.get("alt") or "").split()))
    return None


def _is_small(element: _Element) -> bool:
    sides = (element.get(name, "").removesuffix("px") for name in ("width", "height"))
    return any(side.isascii() and side.isdigit() and int(side) < _LEAST_PX for side in sides)


def _is_aside(element: _Element) -> bool:
    return any(above.tag in _SET_ASIDE for above in element.iterancestors())
