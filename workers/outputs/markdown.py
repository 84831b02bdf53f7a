"""Writes the body of an article as Markdown: CommonMark, with tables as in GitHub Flavored Markdown."""

import re
from collections.abc import Iterable

from lxml.etree import _Element

from workers.outputs.grid import place_cells
from workers.outputs.inline import FORMULA
from workers.page.raised import RAISED_TAGS, raised

_LISTS = frozenset({"ul", "ol"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_LEAVES = frozenset({"p", "li", "pre", "td", "th", *_HEADINGS})
_BLOCKS = frozenset({"blockquote", "table", "tr", *_LISTS, *_LEAVES})  # all else stands within a line
_SPECIAL = re.compile(r"[\\`*\[\]<>~]|(?<!\w)_|_(?!\w)|&(?=#?\w+;)|!(?=\[)")
_LINE_START = re.compile(r"^(\s*)([#>+=-]|\d{1,9}[.)])(?=\s|$|[-=#>])", re.MULTILINE)
_CLOSING = re.compile(r"(^|\s)(#+)$")  # Markdown drops these from the end of a heading
_BACKTICKS = re.compile("`+")
_UNSAFE_IN_URL = str.maketrans({" ": "%20", "(": "%28", ")": "%29", "<": "%3C", ">": "%3E", "\\": "%5C", "\n": "%0A"})
_MARKS = {"strong": "**", "em": "*", "del": "~~"}


def write_markdown(body: _Element) -> str:
    """Returns the elements in `body` as Markdown, ending with one line feed."""
    return "\n\n".join(_blocks(body)) + "\n"


def _blocks(element: _Element) -> list[str]:
    return list(filter(None, map(_block, element)))


def _block(element: _Element) -> str:
    if element.tag in _LISTS:
        return "\n".join(_items(element))
    if element.tag == "table":
        return _table(element)
    if element.tag == "pre":
        return _fenced(element)
    if element.tag == "blockquote":
        return _prefixed("\n\n".join(_blocks(element)), "> ")
    if element.tag in _HEADINGS:
        words = _CLOSING.sub(r"\1\\\2", _line(element, one_line=True))
        return f"{'#' * int(element.tag[1])} {words}"
    return _line(element)


def _items(element: _Element) -> Iterable[str]:
    first = int(element.get("start") or 1)
    for number, item in enumerate(element, first):
        bullet = f"{number}. " if element.tag == "ol" else "- "
        written = _prefixed(_item(item), " " * len(bullet)).lstrip(" ")
        yield bullet + written if written else bullet.rstrip()


def _item(item: _Element) -> str:
    """Returns the content of a list item: its text, lists right below, and other blocks after a blank line."""
    pieces = [_line(item)]
    for child in item:
        if child.tag in _BLOCKS and (written := _block(child)):
            pieces += ["\n" if child.tag in _LISTS else "\n\n", written]
    return "".join(pieces).lstrip("\n")


def _table(element: _Element) -> str:
    rows = [[None if cell is None else _cell(cell) for cell in row] for row in _columns(element)]
    used = [any(row[column] for row in rows) for column in range(max(map(len, rows), default=0))]
    filled = [[cell or "" for cell, is_used in zip(row, used, strict=True) if is_used] for row in rows if any(row)]
    lines = [f"| {' | '.join(row)} |" for row in filled]
    return "\n".join([lines[0], f"|{' --- |' * len(filled[0])}", *lines[1:]]) if lines else ""


def _columns(table: _Element) -> list[list[_Element | None]]:
    """Returns the cells of each row by their columns, with None where a cell spans others."""
    places = place_cells([list(row) for row in table])
    width = max((column + 1 for column in places.values()), default=0)
    rows: list[list[_Element | None]] = []
    for row in table:
        cells: list[_Element | None] = [None] * width
        for cell in row:
            if cell in places:
                cells[places[cell]] = cell
        rows.append(cells)
    return rows


def _cell(cell: _Element) -> str:
    """Returns the content of a cell on one line, as Markdown's tables need it, with `<br>` between two lines."""
    lines = [_line(cell, one_line=True)]
    for child in cell:
        if child.tag in _BLOCKS:
            lines += [_line(each, one_line=True) for each in _leaves(child)]
    return "<br>".join(filter(None, lines)).replace("|", r"\|")


def _leaves(element: _Element) -> Iterable[_Element]:
    """Yields the elements within `element`, itself included, that hold words of their own."""
    if element.tag in _LEAVES:
        yield element
    for child in element:
        if child.tag in _BLOCKS:
            yield from _leaves(child)


def _fenced(element: _Element) -> str:
    text = _text(element)
    language = next((code.get("class", "").removeprefix("language-") for code in element), "")
    fence = "`" * max(3, 1 + max(map(len, _BACKTICKS.findall(text)), default=0))
    return f"{fence}{language}\n{text}\n{fence}"


def _line(element: _Element, *, one_line: bool = False) -> str:
    text = _content(element).strip()
    if one_line:
        return " ".join(text.replace("\\\n", " ").split())
    return _LINE_START.sub(_escaped_start, text)


def _escaped_start(match: re.Match[str]) -> str:
    space, mark = match.groups()
    return f"{space}{mark[:-1]}\\{mark[-1]}"


def _prefixed(text: str, prefix: str) -> str:
    return "\n".join((prefix + line).rstrip(" ") if not line else prefix + line for line in text.split("\n"))


def _content(element: _Element) -> str:
    pieces = [_escaped(element.text)]
    for child in element:
        if child.tag not in _BLOCKS:
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
    if element.get("class") == FORMULA:
        return f"${_text(element)}$"
    content = _content(element)
    return _marked(element, content, before, after) if content.strip() else content


def _marked(element: _Element, content: str, before: str, after: str) -> str:
    inner = content.strip()
    left, _, right = content.partition(inner)
    if element.tag == "a":
        return f"{left}[{inner}]({_url(element.get('href') or '')}){right}"
    if element.tag in RAISED_TAGS:
        return raised(content, element.tag)
    mark = _MARKS.get(element.tag, "")
    if not mark or not _flanks(inner, before if not left else " ", after if not right else " "):
        return content
    return f"{left}{mark}{inner}{mark}{right}"


def _flanks(inner: str, before: str, after: str) -> bool:
    """Returns True if Markdown reads emphasis marks around `inner` as such (CommonMark 0.31.2, section 6.2)."""
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
