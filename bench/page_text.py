"""Renders a page as the text that somebody copies off it: a line for each block, a blank line around paragraphs."""

import re
from collections.abc import Iterator

from lxml import html
from lxml.etree import ParserError, iterwalk

_UNSHOWN = frozenset(
    {"script", "style", "noscript", "template", "svg", "iframe", "select", "textarea", "head", "title"}
)
_PARAGRAPHS = frozenset({"p", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "figure", "ul", "ol", "table", "pre"})
_BLOCKS = _PARAGRAPHS | frozenset(
    {
        "div", "section", "article", "header", "footer", "nav", "aside", "main", "form", "fieldset", "address",
        "details", "summary", "figcaption", "li", "dl", "dt", "dd", "tr", "td", "th", "br", "hr", "button", "body",
    }
)  # fmt: skip
_PARAGRAPH, _LINE = "\f", "\n"  # where one begins or ends
_BREAK = re.compile(r"\s*[\n\f]\s*")
_SPACED = re.compile(r"\s+")
_SPACES = re.compile(r"[^\S\n\f]+")


def page_text(page: str) -> str:
    """Returns the text of a page in HTML, empty if it is none. Scripts are not run; only inline styles hide."""
    try:
        parser = html.HTMLParser(encoding="utf-8", remove_comments=True, remove_pis=True)
        root = html.document_fromstring(page.encode(errors="replace"), parser=parser)
    except ParserError:
        return ""
    for element in list(root.iter()):
        if element.tag in _UNSHOWN or _is_hidden(element):
            _drop(element)
    text = _BREAK.sub(lambda run: "\n\n" if _PARAGRAPH in run[0] else "\n", "".join(_pieces(root)))
    return _SPACES.sub(" ", text).strip()


def _is_hidden(element: html.HtmlElement) -> bool:
    return element.get("hidden") is not None or "display:none" in (element.get("style") or "").replace(" ", "")


def _drop(element: html.HtmlElement) -> None:
    parent = element.getparent()
    if parent is None:
        return
    before, tail = element.getprevious(), element.tail or ""
    if before is not None:
        before.tail = (before.tail or "") + tail
    else:
        parent.text = (parent.text or "") + tail
    element.tail = None
    parent.remove(element)


def _pieces(root: html.HtmlElement) -> Iterator[str]:
    for event, element in iterwalk(root, events=("start", "end")):
        if element.tag in _BLOCKS:
            yield _PARAGRAPH if element.tag in _PARAGRAPHS else _LINE
        if event == "start":
            yield "* " if element.tag == "li" else ""
            yield " ".join(_SPACED.split(element.text or ""))
        elif element is not root:
            yield " ".join(_SPACED.split(element.tail or ""))
