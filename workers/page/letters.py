"""Images that stand for letters: emoji and formulas."""

import re
from enum import Enum, auto
from functools import lru_cache

from workers.page.formulas import tex_text
from workers.page.tree import Element

_EMOJI_NAMES = re.compile(
    r"(?:^|[\s_-])(?:emoji|emojione|twemoji|emoticon|emote|smiley|smilie)s?(?=[\s_-]|$)", re.IGNORECASE
)
_TEX_NAMES = re.compile(
    r"(?:^|[\s_-])(?:latex|tex|math|texhtml|mwe-math-fallback-image-\w+)(?=[\s_-]|$)", re.IGNORECASE
)
_MAX_EMOJI_CHARS = 24  # a family of four with skin tones has 11 code points; a name like “:slightly_smiling_face:” more
_FIRST_SYMBOL = "\u203c"  # the first emoji beyond Latin-1 in Unicode's emoji-data.txt


class _Names(Enum):
    """The kind of image that the class names of an image state."""

    EMOJI = auto()
    TEX = auto()
    OTHER = auto()


def is_letters(image: Element) -> bool:
    """Returns True if `image` stands for letters and is not a picture."""
    alt = (image.get("alt") or "").strip()
    names = _names_letters(image.get("class") or "")
    return names is _Names.TEX or (0 < len(alt) <= _MAX_EMOJI_CHARS and (names is _Names.EMOJI or _is_symbol(alt)))


def is_formula(image: Element) -> bool:
    """Returns True if `image` is an `<img>` that stands for a formula in TeX."""
    return image.tag == "img" and _names_letters(image.get("class") or "") is _Names.TEX


def letters_of(image: Element) -> str:
    """Returns the text that `image` stands for; empty if the same formula stands beside it as MathML."""
    alt = (image.get("alt") or "").strip()
    if _names_letters(image.get("class") or "") is _Names.TEX:
        return "" if _has_formula(image.getparent()) else tex_text(alt)
    return alt


@lru_cache(maxsize=1024)  # the images of a site have few classes
def _names_letters(names: str) -> "_Names":
    if _EMOJI_NAMES.search(names):
        return _Names.EMOJI
    return _Names.TEX if _TEX_NAMES.search(names) else _Names.OTHER


def _is_symbol(text: str) -> bool:
    return text[0] >= _FIRST_SYMBOL and not any(char.isalnum() and char not in "0123456789" for char in text)


def _has_formula(around: Element | None) -> bool:
    """Returns True if the formula stands beside its image as MathML, as on Wikipedia."""
    return around is not None and next(around.iter("math"), None) is not None
