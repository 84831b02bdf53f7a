"""Reads what the attributes of an element say of it: its names, its style, and whether a browser shows it."""

from typing import cast

from workers.page.class_names import GROUP_BITS, PANEL, UNSHOWN, name_flags
from workers.page.panels import is_panel
from workers.page.styles import hidden_classes, style_flags
from workers.page.tree import Element

_HIDDEN = 1 << GROUP_BITS["hidden"]
_NAMES = frozenset({"class", "id", "itemprop", "role"})


class AttributeReader:
    """Reads the attributes of the elements below `body`. With `shown`, nothing counts as hidden."""

    def __init__(self, body: Element, *, shown: bool) -> None:
        self._shown = shown
        self._hidden = frozenset() if shown else hidden_classes(body)

    def of_container(self, element: Element) -> tuple[str, int]:
        """Returns the classes of an element that ends lines, and what its attributes say, as bits of `class_names`."""
        attributes = cast("list[tuple[str, str]]", element.items())  # the stubs allow for bytes
        classes, flags, is_hidden = "", 0, False
        for name, value in attributes:
            if name in _NAMES:
                flags |= name_flags(value)
                if name == "class":
                    classes = value
                    is_hidden = is_hidden or self._hides(value)
            elif name == "style":
                flags |= style_flags(value)
            elif name == "hidden":
                # Browsers show what is hidden "until-found" when a search in the page finds its text.
                is_hidden = is_hidden or value.lower() != "until-found"
            elif name == "aria-hidden" and value == "true":
                flags |= _HIDDEN
        if not (is_hidden or flags & UNSHOWN):
            return classes, flags
        flags &= ~UNSHOWN
        if not self._shown:
            flags |= PANEL if is_panel(element, flags) else _HIDDEN | UNSHOWN
        return classes, flags

    def of_inline(self, element: Element) -> int:
        """Returns what classes, style and `hidden` of an element within a line say, as bits of `class_names`."""
        names, style = element.get("class"), element.get("style")
        flags = name_flags(names) if names else 0
        if style:
            flags |= style_flags(style)
        if not self._shown and (element.get("hidden") is not None or (names and self._hides(names))):
            flags |= UNSHOWN
        return flags

    def _hides(self, classes: str) -> bool:
        return bool(self._hidden) and not self._hidden.isdisjoint(classes.split())
