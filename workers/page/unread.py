"""Recognises elements that are not part of the text: footnote marks, permalinks, line numbers, copy buttons."""

import re

from workers.page.class_names import CONTROL, GUTTER
from workers.page.tree import Element

MAYBE_UNREAD_TAGS = frozenset(
    {"sup", "table", "aside", "ol", "a", "button", "nobr", "mjx-math"}
)  # not div: page builders call any box of text an infobox
_MARK = re.compile(r"\W{0,2}\w{1,3}\W{0,2}")
_NUMBERS = re.compile(r"[\d\s]+")
_PLACE_MARKS = frozenset({"¶", "#", "§", "🔗", "⚓", "⚓︎", "∞", "☍", ""})  # the last is an icon of Font Awesome
_PLACE_WORDS = frozenset({"permalink", "link", "anchor", "link to this heading", "link to this section", "copy link"})
_COPY_WORDS = frozenset(
    """copy|copied|copied!|copy code|copy to clipboard|copy text|copy snippet|copy link|kopieren|code kopieren|copier|
    copier le code|copiar|copiar código|copia|copia codice|kopiëren|kopiera|kopiér|kopiuj|копировать|скопировать|
    kopyala|复制|复制代码|複製|コピー|コードをコピー|복사|sao chép|نسخ|העתק""".replace("\n    ", "").split("|")
)
# Bounds on work; chosen by hand.
_MAX_BUTTON_CHARS = 40  # characters of a copy button or permalink
_MAX_MARK_PARTS = 3  # elements inside a permalink


def is_unread(tag: str, element: Element, *, in_heading: bool) -> bool:
    """Returns True if `element`, one of `MAYBE_UNREAD_TAGS`, is not part of the text."""
    if tag == "a":
        return _is_place_mark(element, in_heading=in_heading)
    if tag == "button":
        return is_copy_button(element)
    if tag == "sup":
        return _is_note_mark(element)
    if tag in {"nobr", "mjx-math"}:
        return is_drawn_formula(element)
    classes = element.get("class") or ""
    if tag == "ol":
        return "references" in classes.split()
    return "infobox" in classes.replace("-", " ").split()


def is_copy_button(element: Element) -> bool:
    """Returns True if `element` has the label of a copy button."""
    return _start(element, _MAX_BUTTON_CHARS).casefold() in _COPY_WORDS


def is_gutter(element: Element) -> bool:
    """Returns True if `element`, which is named a gutter, holds only line numbers."""
    return _NUMBERS.fullmatch("".join(map(str, element.itertext())) or "0") is not None


def is_numbering(text: str) -> bool:
    """Returns True if the lines of `text` are consecutive numbers: the line numbers of code beside it."""
    lines = text.split("\n")
    if len(lines) == 1 or not (lines[0].isascii() and lines[0].isdigit()):
        return False
    first = int(lines[0][:9])
    return all(line == str(number) for number, line in enumerate(lines, first))


def is_apart(flags: int, element: Element) -> bool:
    """Returns True if `element`, whose names mean `flags`, is a gutter, a copy button or a drawn formula."""
    if flags & GUTTER:
        return is_gutter(element)
    return bool(flags & CONTROL) and (is_copy_button(element) or is_drawn_formula(element))


def is_drawn_formula(element: Element) -> bool:
    """Returns True if `element` is MathJax's drawing of a formula whose source stands beside it."""
    beside = element.getnext()
    if beside is None:
        return False
    if beside.tag == "script":
        return (beside.get("type") or "").startswith("math/")
    return next(beside.iter("math"), None) is not None and (
        element.tag == "mjx-math" or element.get("aria-hidden") == "true"
    )


def _is_note_mark(element: Element) -> bool:
    link = element.find("a")
    if link is None or "#" not in (link.get("href") or ""):
        return False
    return _MARK.fullmatch("".join(map(str, element.itertext())).strip()) is not None


def _is_place_mark(element: Element, *, in_heading: bool) -> bool:
    """Returns True if a link is a permalink to its own place, as beside headings."""
    if not in_heading and (element.text not in _PLACE_MARKS or len(element)):
        return False
    if "#" not in (element.get("href") or "") or len(element) > _MAX_MARK_PARTS:
        return False
    words = _start(element, _MAX_BUTTON_CHARS)
    return words in _PLACE_MARKS or (in_heading and words.casefold() in _PLACE_WORDS)


def _start(element: Element, most: int) -> str:
    """Returns the text of `element` on one line, empty if it has more than `most` characters."""
    found = ""
    for piece in element.itertext():
        found += str(piece)
        if len(found) > most and len(found.strip()) > most:
            return ""
    return " ".join(found.split())
