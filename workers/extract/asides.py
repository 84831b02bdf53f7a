"""What no article's text has, whatever stands around it: footnotes and their marks, edit links, infoboxes."""

import re

from workers.markup import Element

_MARK = re.compile(r"\W{0,2}\w{1,3}\W{0,2}")
ASIDE_TAGS = frozenset({"sup", "span", "table", "aside", "ol"})  # not div: page builders call any box of text so
_NAMED = {"span": "mw-editsection", "ol": "references"}


def is_aside(tag: str, element: Element) -> bool:
    """Tells whether `element`, whose tag is `tag`, is none of the text."""
    if tag == "sup":
        return _is_note_mark(element)
    classes = element.get("class") or ""
    if tag in _NAMED:
        return _NAMED[tag] in classes.split()
    return "infobox" in classes.replace("-", " ").split()


def _is_note_mark(element: Element) -> bool:
    link = element.find("a")
    if link is None or "#" not in (link.get("href") or ""):
        return False
    return _MARK.fullmatch("".join(map(str, element.itertext())).strip()) is not None
