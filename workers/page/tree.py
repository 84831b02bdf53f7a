"""Parses HTML to a tree, within the limits of libxml2."""

import re
from copy import deepcopy
from typing import TypeAlias

from lxml import etree
from lxml.html import HtmlElement, HtmlElementClassLookup

from contract.reasons import Reason
from workers.failures import Failed

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no other name for it

_CONTROLS = bytes({*range(0x20)} - set(b"\t\n\r"))  # that XML has no place for (XML 1.0, section 2.2)
_NONCHARACTERS = "\ufffe\uffff"
_TAG = re.compile(r"<[a-zA-Z!/]")


def parse(html: str) -> Element:
    """Returns the root of the page, without comments and processing instructions.

    Its elements are plain ones: those of `lxml.html` take twice as long to walk.

    Raises:
        Failed: not HTML: no tag in it, or libxml2 gave up.
    """
    if not _TAG.search(html):
        raise Failed(Reason.NO_ARTICLE, "not HTML: no tag in it")
    # Bytes, because lxml refuses a str that declares an encoding; without huge_tree libxml2 bounds depth and text.
    parser = etree.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        root = etree.fromstring(_as_xml(html), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise Failed(Reason.NO_ARTICLE, "not HTML: it cannot be parsed") from error
    if root is None:
        raise Failed(Reason.NO_ARTICLE, "not HTML: nothing was parsed")
    return root


def _as_xml(html: str) -> bytes:
    """Returns `html` in UTF-8 without the characters that XML does not allow, surrogates among them."""
    for noncharacter in _NONCHARACTERS:
        html = html.replace(noncharacter, "")  # costs nothing where no character is as wide
    return html.encode("utf-8", "ignore").translate(None, _CONTROLS)


def as_html(root: Element) -> HtmlElement:
    """Returns a copy of the page below `root` for libraries that take elements of `lxml.html` only."""
    # The parser, which is this page's own, decides of which class the elements are that are made from now on.
    root.getroottree().parser.set_element_class_lookup(HtmlElementClassLookup())
    return deepcopy(root)
