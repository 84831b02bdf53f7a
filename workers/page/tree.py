"""Parses HTML to a tree: all of it, however deeply it is nested."""

import re
from copy import deepcopy
from typing import TypeAlias

from lxml import etree
from lxml.html import HtmlElement

from contract.reasons import Reason
from workers.failures import Failed
from workers.page.shadow import compose_shadow_roots

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no other name for it

# Elements inside each other; deeper ones become siblings at this depth. Chosen: libxml2 stops at 256, or at 2,048 with
# `huge_tree`, and mails with many replies reach 300.
MAX_DEPTH = 512

_CONTROLS = bytes({*range(0x20)} - set(b"\t\n\r"))  # XML does not allow them (XML 1.0, section 2.2)
_NONCHARACTERS = "\ufffe\uffff"
_TAG = re.compile(r"<[a-zA-Z!/]")
# One class for all elements. lxml.html looks up that of each element in Python, to give forms and inputs classes of
# their own, which nobody here asks for: that took a fifth of the time of htmldate and trafilatura.
_ALL_ELEMENTS = etree.ElementDefaultClassLookup(element=HtmlElement)


def parse(html: str) -> Element:
    """Returns the root of the page, without comments and processing instructions.

    Its elements are those of `lxml.etree`: those of `lxml.html` take twice as long to walk. They are at most
    `MAX_DEPTH` deep. Declarative shadow roots stand as elements where a browser shows them.

    Raises:
        Failed: not HTML: no tag in it, or libxml2 gave up.
    """
    if not _TAG.search(html):
        raise Failed(Reason.NO_ARTICLE, "not HTML: no tag in it")
    try:
        root = _parsed(_as_xml(html))
    except (etree.LxmlError, ValueError) as error:
        raise Failed(Reason.NO_ARTICLE, "not HTML: it cannot be parsed") from error
    if root is None:
        raise Failed(Reason.NO_ARTICLE, "not HTML: nothing was parsed")
    compose_shadow_roots(root)
    return root


def _parsed(page: bytes) -> Element | None:
    # Bytes, because lxml refuses a str that declares an encoding; without huge_tree libxml2 bounds depth and text.
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    root = etree.fromstring(page, parser=parser)
    error = parser.error_log.last_error
    if error is None or error.type != etree.ErrorTypes.ERR_RESOURCE_LIMIT:
        return root
    return _parsed_to_the_end(page)


def _parsed_to_the_end(page: bytes) -> Element | None:
    """Returns the root of a page too deep for libxml2's tree builder. With another builder libxml2 has no limits."""
    parser = etree.HTMLParser(target=_BoundedBuilder(), encoding="utf-8", huge_tree=True)
    root: Element | None = etree.fromstring(page, parser=parser)
    return root


class _BoundedBuilder:
    """Builds a tree from a parser's events. Elements that are too deep become siblings."""

    def __init__(self) -> None:
        # A parser of its own, which `as_html` may change.
        self._builder = etree.TreeBuilder(parser=etree.HTMLParser())
        self._depth = 0
        self._deepest: str | bytes | None = None  # the open element at MAX_DEPTH that stands for deeper ones, too

    def start(self, tag: str | bytes, attrib: dict[str | bytes, str | bytes]) -> None:
        self._depth += 1
        if self._depth >= MAX_DEPTH:
            self._end_deepest()
            self._deepest = tag
        self._builder.start(tag, attrib)

    def end(self, tag: str | bytes) -> None:
        if self._depth >= MAX_DEPTH:
            self._end_deepest()
        else:
            self._builder.end(tag)
        self._depth -= 1

    def data(self, data: str | bytes) -> None:
        self._builder.data(data)

    def comment(self, text: str | bytes) -> None:
        """Leaves comments out."""

    def close(self) -> Element:
        return self._builder.close()

    def _end_deepest(self) -> None:
        if self._deepest is not None:
            self._builder.end(self._deepest)
            self._deepest = None


def _as_xml(html: str) -> bytes:
    """Returns `html` in UTF-8 without the characters that XML does not allow, surrogates among them."""
    for noncharacter in _NONCHARACTERS:
        html = html.replace(noncharacter, "")  # fast in text without such wide characters
    return html.encode("utf-8", "ignore").translate(None, _CONTROLS)


def as_html(root: Element) -> HtmlElement:
    """Returns a copy of the page below `root` for libraries that take elements of `lxml.html` only."""
    # Each page has its own parser, which sets the class of the elements that are created from now on.
    root.getroottree().parser.set_element_class_lookup(_ALL_ELEMENTS)
    return deepcopy(root)
