"""Reads the head of a page once for all users: title, `<meta>` and JSON-LD, wherever on the page they are."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import cast

from workers.page.tree import Element
from workers.page.words import plain

Attributes = Sequence[tuple[str, str]]  # lxml's types allow bytes, but trees of HTML have none

_MAX_VALUES = 50  # values of one name; chosen: a bound for pages that repeat a name endlessly
_DUBLIN_CORE = {
    "dc": "dc.",
    "dcterm": "dcterms.",
    "dcterms": "dcterms.",
}  # both separators are in use: DC.title, dc:title


@dataclass(frozen=True, slots=True)
class Head:
    """The contents of a page's head.

    `title` is the text of the first `<title>` that has any. `metas` are the values of `<meta>` by lower-case name,
    property or http-equiv, in page order, none empty. `json_ld` are the texts of the JSON-LD scripts, undecoded.
    `names_date`: the markup has a `datePublished`, in JSON-LD or in the data of another script.
    """

    title: str = ""
    metas: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    json_ld: tuple[str, ...] = ()
    names_date: bool = False

    def values(self, *names: str) -> list[str]:
        """Returns the values of the `<meta>` elements called `names`, in the order of the names."""
        return [value for name in names for value in self.metas.get(name, ())]

    def first(self, *names: str) -> str:
        """Returns the first of these values, empty if there is none."""
        return next(iter(self.values(*names)), "")


def read_head(tree: Element, html: str) -> Head:
    """Returns the head of the page `tree`, parsed from `html`."""
    title, json_ld = "", []
    metas: dict[str, list[str]] = defaultdict(list)
    for element in tree.iter("title", "meta", "script"):
        if element.tag == "meta":
            _add_meta(metas, element)
        elif element.tag == "title":
            title = title or plain(element.text)
        elif "ld+json" in (element.get("type") or "").lower() and element.text:  # parameters may follow the type
            json_ld.append(element.text)
    return Head(
        title, {name: tuple(values) for name, values in metas.items()}, tuple(json_ld), '"datePublished"' in html
    )


def _add_meta(metas: dict[str, list[str]], element: Element) -> None:
    given = dict(cast("Attributes", element.items()))
    content = plain(given.get("content") or given.get("value"))  # whole sites write value for content
    if not content:
        return
    for attribute in ("name", "property", "http-equiv"):
        for name in given.get(attribute, "").lower().split():
            prefix, _, rest = name.partition(":")
            values = metas[_DUBLIN_CORE[prefix] + rest if prefix in _DUBLIN_CORE else name]
            if len(values) < _MAX_VALUES and content not in values:
                values.append(content)
