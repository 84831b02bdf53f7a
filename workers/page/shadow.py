"""Declarative shadow DOM: `<template shadowrootmode>` holds what a browser shows in place of its parent's children.

HTML, 4.12.3, and DOM, 4.2.2: children of the host stand in the `<slot>` that they name, or in the one without a name.
"""

from lxml import etree

_MODES = ("shadowrootmode", "shadowroot")  # the second is Chromium's name from before the standard


def compose_shadow_roots(root: etree._Element) -> None:
    """Puts each declared shadow root in the place of its template, with the host's children in its slots."""
    for template in reversed(list(root.iter("template"))):  # inner ones first: their slots are not the outer one's
        host = template.getparent()
        if host is not None and any(mode in template.attrib for mode in _MODES):
            _compose(host, template)


def _compose(host: etree._Element, template: etree._Element) -> None:
    slots = _Slots(template)
    slots.take_text_after(template)
    for child in list(host):
        if child is not template:
            slots.take(child)
    slots.close()
    template.tag = "div"


class _Slots:
    """The slots of one shadow root. A slot's own content is shown only if the host has no child for it."""

    def __init__(self, template: etree._Element) -> None:
        self._slots: dict[str, etree._Element] = {}
        self._filled: set[str] = set()
        self._all = list(template.iter("slot"))
        for slot in self._all:
            self._slots.setdefault(slot.get("name") or "", slot)

    def close(self) -> None:
        for slot in self._all:
            slot.tag = "span"

    def take(self, child: etree._Element) -> None:
        """Moves a child of the host into its slot, and the text after it into the slot without a name."""
        name = child.get("slot") or ""
        if name in self._slots:
            text = child.tail or ""
            child.tail = None
            self._emptied(name).append(child)
            self._add(text)

    def take_text_after(self, template: etree._Element) -> None:
        """Moves the text after the template into the slot without a name, if there is one."""
        if "" in self._slots:
            text = template.tail or ""
            template.tail = None
            self._add(text)

    def _add(self, text: str) -> None:
        if "" not in self._slots or not text.strip():
            return
        slot = self._emptied("")
        if len(slot):
            slot[-1].tail = (slot[-1].tail or "") + text
        else:
            slot.text = (slot.text or "") + text

    def _emptied(self, name: str) -> etree._Element:
        slot = self._slots[name]
        if name not in self._filled:
            self._filled.add(name)
            tail = slot.tail
            slot.clear()
            slot.tail = tail
        return slot
