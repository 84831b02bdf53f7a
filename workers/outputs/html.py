"""Writes the body of an article as HTML that is safe to show."""

from html import escape

import nh3
from lxml.etree import _Element, tostring

_TAGS = {
    *(
        "p",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "ul",
        "ol",
        "li",
        "blockquote",
        "pre",
        "code",
        "table",
        "tr",
        "th",
        "td",
    ),
    *("tbody", "a", "img", "strong", "em", "del", "sub", "sup", "br"),
}
_ATTRIBUTES = {
    "a": {"href"},
    "img": {"src", "alt"},
    "ol": {"start"},
    "code": {"class"},  # the language that code is in
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
}
_SCHEMES = {"http", "https", "mailto"}


def write_html(body: _Element) -> str:
    """Returns the elements in `body` as sanitised HTML: no scripts, styles, event handlers, foreign URL schemes."""
    inner = escape(body.text or "") + "".join(tostring(child, encoding="unicode", method="html") for child in body)
    return nh3.clean(inner, tags=_TAGS, attributes=_ATTRIBUTES, url_schemes=_SCHEMES, link_rel="noopener noreferrer")
