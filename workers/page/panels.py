"""Recognises panels: elements that a browser hides until a reader opens them, as tabs, accordions and "read more"."""

import re

from workers.page.class_names import GROUP_BITS
from workers.page.tree import Element

_ROLES = frozenset({"tabpanel", "region"})
_NAMES = re.compile(
    r"(?:^|[\s_-])(?:collaps(?:e|ed|ible|ing)|accordion|expand(?:ed|able|er)?|tab|tabs|panel|tabpanel|toggle|more|readmore"
    r"|faq|answer|details|disclosure|truncated|spoiler|unfold|fold|remaining|rest|full|dropcontent)(?=[\s_-]|\d|$)",
    re.IGNORECASE,
)
_MORE = re.compile(
    r"\W*(?:(?:read|show|see|view|load|continue)\s+(?:reading|more|full|all|on)\b(?:\s\w+){0,2}|more|continue|expand"
    r"|mehr (?:lesen|anzeigen)|weiterlesen|alles anzeigen|lire (?:la suite|plus)|voir plus|afficher (?:la suite|plus)"
    r"|(?:leer|ver|mostrar) más|seguir leyendo|leia mais|ler mais|ver mais|leggi (?:tutto|di più)|mostra altro"
    r"|lees (?:meer|verder)|läs mer|visa mer|les mer|læs mere|czytaj (?:więcej|dalej)|читать (?:далее|полностью)"
    r"|показать (?:ещё|еще|полностью)|devamını oku|展开(?:全文|更多)?|阅读全文|查看更多|続きを読む|もっと(?:見る|読む)"
    r"|더\s?보기|اقرأ المزيد|xem thêm)\W*",
    re.IGNORECASE,
)
# Names of elements that are not part of the text even if a reader can open them.
_OTHER = sum(
    1 << GROUP_BITS[name]
    for name in ("navigation", "footer", "comment", "consent", "letter", "share", "advert", "overlay", "gate", "form")
)
_MAX_CONTROL_CHARS = 40  # characters of the label of a link or button; chosen by hand


def is_panel(element: Element, flags: int) -> bool:
    """Returns True if a reader can open `element`, which is not shown at first and whose names mean `flags`."""
    if flags & _OTHER:
        return False
    names = f"{element.get('class') or ''} {element.get('id') or ''}"
    if (element.get("role") or "").lower() in _ROLES or element.get("aria-labelledby") or _NAMES.search(names):
        return True
    return _follows_control(element) or _is_controlled(element)


def asks_to_read_on(text: str) -> bool:
    """Returns True if `text`, the label of a link or button, says “read more” or the like."""
    return len(text) <= _MAX_CONTROL_CHARS and _MORE.fullmatch(text) is not None


def _follows_control(element: Element) -> bool:
    """Returns True if the element right before `element` ends with a “read more” link or button."""
    before = element.getprevious()
    if before is None:
        return False
    while len(before) and not (before[-1].tail or "").strip():
        before = before[-1]
    words = " ".join("".join(map(str, before.itertext())).split()) if not len(before) else ""
    return asks_to_read_on(words)


def _is_controlled(element: Element) -> bool:
    """Returns True if a button, link or heading right before `element` names it in `aria-controls`."""
    name, before = element.get("id"), element.getprevious()
    if not name or before is None:
        return False
    return any(
        name in (each.get("aria-controls") or "").split() for each in before.iter("button", "a", "h2", "h3", "h4")
    )
