"""The body of an article as Markdown: CommonMark, with tables as in GitHub Flavored Markdown."""

import re
from collections.abc import Iterable

from lxml.etree import _Element

_SPECIAL = re.compile(r"[\\`*\[\]<>~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|!(?=\[)")
_LINE_START = re.compile(r"^(\s*)([#>+=-]|\d{1,9}[.)])(?=\s|$|[-=#>])", re.MULTILINE)
_CLOSING = re.compile(r"(^|\s)(#+)$")  # of a heading, which would be taken off it
_BACKTICKS = re.compile("`+")
_UNSAFE_IN_URL = str.maketrans({" ": "%20", "(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\\": "%5C", "\n": "%0A"})
_MARKS = {"strong": "**", "em": "*", "del": "~~"}


def write_markdown(body: _Element) -> str:
    """Returns the elements in `body` as Markdown, ending with one line feed."""
    return "\n\n".join(filter(None, map(_block, body))) + "\n"


def _block(element: _Element) -> str:
    if element.tag in {"ul", "ol"}:
        return "\n".join(_items(element))
    if element.tag == "table":
        return _table(element)
    if element.tag == "pre":
        return _fenced(_text(element))
    if element.tag == "blockquote":
        return "\n>\n".join(_prefixed(_line(child), "> ") for child in element)
    if element.tag[0] == "h":
        words = _CLOSING.sub(r"\1\\\2", _line(element, one_line=True))
        return f"{'#' * int(element.tag[1])} {words}"
    return _line(element)


def _items(element: _Element) -> Iterable[str]:
    for number, item in enumerate(element, 1):
        bullet = f"{number}. " if element.tag == "ol" else "- "
        nested = [child for child in item if child.tag in {"ul", "ol"}]
        indent = " " * len(bullet)
        lines = _line(item).split("\n")
        yield "\n".join([bullet + lines[0], *(indent + line for line in lines[1:])])
        for child in nested:
            for line in _items(child):
                yield _prefixed(line, indent)


def _table(element: _Element) -> str:
    rows = [[_line(cell, one_line=True).replace("|", r"\|") for cell in row] for row in element]
    width = max(map(len, rows))
    lines = [f"| {' | '.join(row + [''] * (width - len(row)))} |" for row in rows]
    return "\n".join([lines[0], f"|{' --- |' * width}", *lines[1:]])


def _fenced(text: str) -> str:
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence}\n{text}\n{fence}"


def _line(element: _Element, *, one_line: bool = False) -> str:
    text = _content(element).strip()
    if one_line:
        return " ".join(text.replace("\\\n", " ").split())
    return _LINE_START.sub(_escaped_start, text)


def _escaped_start(match: re.Match[str]) -> str:
    space, mark = match.groups()
    return f"{space}{mark[:-1]}\\{mark[-1]}"


def _prefixed(text: str, prefix: str) -> str:
    return "\n".join(prefix + line for line in text.split("\n"))


def _content(element: _Element) -> str:
    pieces = [_escaped(element.text)]
    for child in element:
        if child.tag not in {"ul", "ol"}:
            following = child.tail or ""
            pieces.append(_inline(child, before="".join(pieces)[-1:], after=following[:1]))
        pieces.append(_escaped(child.tail))
    return "".join(pieces)


def _inline(element: _Element, *, before: str, after: str) -> str:
    if element.tag == "br":
        return "\\\n"
    if element.tag == "img":
        return f"![{_escaped(element.get('alt'))}]({_url(element.get('src') or '')})"
    if element.tag == "code":
        return _code(_text(element))
    content = _content(element)
    return _marked(element, content, before, after) if content.strip() else content


def _marked(element: _Element, content: str, before: str, after: str) -> str:
    inner = content.strip()
    left, _, right = content.partition(inner)
    if element.tag == "a":
        return f"{left}[{inner}]({_url(element.get('href') or '')}){right}"
    mark = _MARKS.get(element.tag, "")
    if not mark or not _flanks(inner, before if not left else " ", after if not right else " "):
        return content
    return f"{left}{mark}{inner}{mark}{right}"


def _flanks(inner: str, before: str, after: str) -> bool:
    """Returns True if emphasis marks around `inner` would be taken for such (CommonMark 0.31.2, section 6.2)."""
    opens = inner[0].isalnum() or not before.isalnum()
    closes = inner[-1].isalnum() or not after.isalnum()
    return opens and closes and before not in _MARKS.values() and "\n" not in inner


def _code(text: str) -> str:
    if not text.strip():
        return text
    fence = "`" * (1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _text(element: _Element) -> str:
    return "".join(map(str, element.itertext()))


def _escaped(text: str | None) -> str:
    return _SPECIAL.sub(lambda match: "\\" + match[0], text or "")


def _url(url: str) -> str:
    return url.translate(_UNSAFE_IN_URL)
