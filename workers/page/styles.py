"""Reads styles, of elements and of the page's sheets: which elements are hidden, and where line feeds end lines."""

import re
from collections.abc import Iterator
from functools import lru_cache

from workers.page.class_names import ASIDE, LINES, UNSHOWN
from workers.page.tree import Element

# For text in lower case: ignoring case takes longer.
_UNSHOWN = re.compile(r"\b(?:display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse))\b")
_LINES = re.compile(r"\bwhite-space\s*:\s*(?:pre(?:-wrap|-line)?|break-spaces)\b")
# Moved or clipped out of sight, for screen readers; or a bullet that Word writes as text beside its list markup.
_ASIDE = re.compile(
    r"\b(?:(?:left|top|text-indent)\s*:\s*-\d{3,}|clip\s*:\s*rect\(\s*[01](?:px)?[\s,]|mso-list\s*:\s*ignore)"
)
_HINTS = ("none", "hidden", "collapse", "white-space", ":-", ": -", "rect(", "mso-list")  # all matching styles have one
# For style sheets. Each begins with a literal word, which is fast to find.
_HIDES = (re.compile(r"display\s*:\s*none\b"), re.compile(r"visibility\s*:\s*hidden\b"))
_SELECTOR = re.compile(r"\.(-?[_a-zA-Z][\w-]*)")
# Longer sheets are not read. Chosen: they are those of frameworks, whose scripts show hidden classes again.
_MAX_SHEET_CHARS = 20_000


@lru_cache(maxsize=4096)  # a page repeats few styles
def style_flags(style: str) -> int:
    """Returns the meaning of a `style` attribute, as the bits `UNSHOWN`, `LINES` and `ASIDE`."""
    style = style.lower()
    if not any(hint in style for hint in _HINTS):
        return 0
    flags = UNSHOWN if _UNSHOWN.search(style) else 0
    if _LINES.search(style):
        flags |= LINES
    if _ASIDE.search(style):
        flags |= ASIDE
    return flags


def hidden_classes(body: Element) -> frozenset[str]:
    """Returns the classes that the page's own style sheets hide and mention only once: no other rule shows them again.

    The sheets are the `<style>` elements in the head and directly in the `body`.
    """
    holders = [body, *body.itersiblings("head", preceding=True)]
    sheets = [sheet.text or "" for holder in holders for sheet in holder.iterchildren("style")]
    read = "\n".join(sheet for sheet in sheets if len(sheet) <= _MAX_SHEET_CHARS)
    return frozenset(name for name in _hidden_in(read) if read.count(f".{name}") == 1)


def _hidden_in(sheet: str) -> Iterator[str]:
    for pattern in _HIDES:
        depth = seen = 0
        for match in pattern.finditer(sheet):
            start = sheet.rfind("{", seen, match.start())
            if start < 0 or sheet.find("}", start, match.start()) >= 0:
                continue
            depth += sheet.count("{", seen, start) - sheet.count("}", seen, start)
            seen = start
            if depth == 0:
                begin = max(sheet.rfind(end, 0, start) for end in "};/")
                yield from _single_classes(sheet[begin + 1 : start])


def _single_classes(selectors: str) -> Iterator[str]:
    for selector in selectors.split(","):
        if match := _SELECTOR.fullmatch(selector.strip()):
            yield match[1]
