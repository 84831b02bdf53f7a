"""Finds the images of an article: those between its blocks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lxml.etree import _Element

from workers.draft import ArticleBlock
from workers.outputs.allowed import allowed, web_address
from workers.outputs.srcset import best_of
from workers.page.letters import is_letters

_IMAGES = frozenset({"img", "amp-img", "amp-anim"})
_SETS = ("data-srcset", "data-lazy-srcset", "data-lazy-set", "data-original-set", "srcset")
_LAZY = (
    *(
        "data-src",
        "data-original",
        "data-lazy-src",
        "data-lazy",
        "data-original-src",
        "data-full-src",
        "data-hi-res-src",
    ),
    *("data-image-src", "data-img-src", "data-actualsrc", "data-echo", "data-url"),
)
_SET_ASIDE = frozenset({"nav", "footer", "aside", "form", "button", "header"})
# Chosen by hand; not measured.
_LEAST_PX = 48  # pixels of each side of an image, at least; smaller ones are icons or counters
_PLACEHOLDER = re.compile(
    r"(?:^|[/_.-])(?:1x1|blank|clear|dot|empty|grey|gray|lazy(?:load)?|loader|loading|pixel|placeholder|spacer|spinner"
    r"|transparent|tracking|trans|px)(?:[-_.]?\d*)\.(?:gif|png|svg)(?:[?#]|$)|/1x1(?:[/.?]|$)",
    re.IGNORECASE,
)
_COUNTER = re.compile(
    r"//(?:[\w-]+\.)*(?:doubleclick\.net|scorecardresearch\.com|google-analytics\.com|quantserve\.com|chartbeat\.\w+"
    r"|feedsportal\.com|ioam\.de|ivwbox\.de|vgwort\.de|amazon-adsystem\.com|adnxs\.com|list-manage\.com/track|"
    r"outbrain\.com|taboola\.com)/|//(?:www\.)?facebook\.com/tr|//pixel\.|/pixel(?:[/?]|$)|/(?:track|beacon|open)\.(?:gif|png|php)",
    re.IGNORECASE,
)
_UNSHOWN = re.compile(
    r"(?<![-\w])(?:display\s*:\s*none|visibility\s*:\s*hidden|(?:width|height)\s*:\s*[0-4]?\d?\s*px)\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Image:
    """An image with its absolute URL and its alternative text, which may be empty."""

    url: str
    alt: str
    element: _Element


def find_images(blocks: Sequence[ArticleBlock], base: str | None) -> list[tuple[int, Image]]:
    """Returns the images between the first and the last of `blocks`, each with the number of the block it precedes."""
    if not blocks:
        return []
    places = {block.element: number for number, block in reversed(list(enumerate(blocks)))}
    found: dict[str, tuple[int, Image]] = {}
    following: list[Image] = []
    last: Image | None = None
    for element in _around(blocks).iter():
        number = places.get(element)
        if number is not None:
            found |= {image.url: (number, image) for image in following if image.url not in found}
            following = []
        elif element.tag in _IMAGES and not _is_fallback_of(element, last) and (image := _image(element, base)):
            following.append(image)
            last = image
    return sorted(found.values(), key=lambda each: each[0])


def _is_fallback_of(element: _Element, last: Image | None) -> bool:
    """Returns True if `element` is in a `<noscript>` and repeats the image before it."""
    around = next(element.iterancestors("noscript"), None)
    if around is None or last is None:
        return False
    return around.getparent() in (last.element, last.element.getparent())


def _around(blocks: Sequence[ArticleBlock]) -> _Element:
    """Returns the innermost element that holds all of `blocks`."""
    first: _Element = blocks[0].element
    last = {blocks[-1].element, *blocks[-1].element.iterancestors()}
    return next((element for element in first.iterancestors() if element in last), first)


def _image(element: _Element, base: str | None) -> Image | None:
    if _is_small(element) or _is_unshown(element) or is_letters(element) or _is_aside(element):
        return None
    for source in _sources(element):
        url = web_address(source, base) if source and "{" not in source else None
        if url and not _PLACEHOLDER.search(url) and not _COUNTER.search(url):
            return Image(url, " ".join(allowed(element.get("alt") or "").split()), element)
    return None


def _sources(element: _Element) -> Iterator[str]:
    """Yields the possible URLs of an image, the largest first, placeholders last."""
    beside = _picture_sources(element)
    for name in _SETS:
        yield from best_of([allowed(each.get(name) or "") for each in (element, *beside)])
    for name in (*_LAZY, "src"):
        yield allowed(element.get(name) or "").strip()
    for each in beside:
        yield allowed(each.get("data-src") or each.get("src") or "").strip()


def _picture_sources(element: _Element) -> list[_Element]:
    above = next(element.iterancestors("picture"), None)  # libxml2 nests the siblings in it
    return [] if above is None else list(above.iter("source"))


def _is_small(element: _Element) -> bool:
    sides = (element.get(name, "").removesuffix("px") for name in ("width", "height"))
    return any(side.isascii() and side.isdigit() and int(side[:5]) < _LEAST_PX for side in sides)


def _is_unshown(element: _Element) -> bool:
    return element.get("hidden") is not None or _UNSHOWN.search(element.get("style") or "") is not None


def _is_aside(element: _Element) -> bool:
    return any(above.tag in _SET_ASIDE for above in element.iterancestors())
