"""HTML to a tree, bounded by what libxml2 takes."""

import re

from lxml import etree
from lxml.html import HtmlElement, HTMLParser, document_fromstring

from contract.reasons import Reason
from workers.failures import Failed

_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_TAG = re.compile(r"<[a-zA-Z!/]")


def parse(html: str) -> HtmlElement:
    """Returns the root of the page, without comments and processing instructions.

    Raises:
        Failed: not HTML: no tag in it, or libxml2 gave up.
    """
    if not _TAG.search(html):
        raise Failed(Reason.NO_ARTICLE, "not HTML: no tag in it")
    # Bytes, because lxml refuses a str that declares an encoding; without huge_tree libxml2 bounds depth and text.
    parser = HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True, huge_tree=False)
    try:
        return document_fromstring(_NOT_XML.sub("", html).encode(), parser=parser)
    except (etree.LxmlError, ValueError) as error:
        raise Failed(Reason.NO_ARTICLE, f"not HTML: {type(error).__name__}") from error
