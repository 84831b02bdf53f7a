"""Removes the marks of pasted Markdown. Text that only contains asterisks is left unchanged."""

import re
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token

from workers.pasted.code_among_prose import CodeRun, Unmarked
from workers.pasted.repair import split_lines

# Chosen by hand, the sizes as bounds on work; not measured.
_MAX_CHARS = 500_000  # characters; a longer text is left as it is
_MAX_NESTING = 100  # lists in lists; deeper ones are lost
_MIN_KINDS = 2  # kinds of marks, at least
_MIN_OF_A_KIND = 3  # or marks of one strong kind, at least
_FRONT_MATTER = re.compile(
    r"\A\ufeff?---[ \t]*\r?\n(?:[\w-]+[ \t]*:.*\r?\n|[ \t]*- .*\r?\n|[ \t]*\r?\n){1,60}---[ \t]*\r?\n"
)
_FIELD = re.compile(r"^([\w-]+)[ \t]*:[ \t]*(\S.*?)\s*$", re.MULTILINE)
_STRONG_KINDS = (
    re.compile(r"^ {0,3}#{1,6} +\S", re.MULTILINE),
    re.compile(r"\[[^\[\]\n]{1,200}\]\((?:https?://|/|\.|#|mailto:)[^()\s]{0,500}(?: \"[^\"\n]*\")?\)"),
    re.compile(r"^ {0,3}(?:```|~~~)", re.MULTILINE),
)
_WEAK_KINDS = (
    re.compile(r"(?<![\w*])\*\*\S[^*\n]{0,300}\S\*\*(?![\w*])"),
    re.compile(r"(?<![\w_])_\w[^_\n]{0,300}\w_(?![\w_])"),
    re.compile(r"(?<!`)`[^`\n]{1,200}`(?!`)"),
    re.compile(r"^\|?[ \t]*:?-{3,}:?[ \t]*\|", re.MULTILINE),
    re.compile(r"^ {0,3}[*+-] +\S", re.MULTILINE),
)


def is_markdown(text: str) -> bool:
    """True if a text has marks of Markdown only (heading, link, fence): three of a kind, or one and another kind."""
    if len(text) > _MAX_CHARS:
        return False
    if _FRONT_MATTER.match(text):
        return True
    strong = [sum(1 for _ in kind.finditer(text)) for kind in _STRONG_KINDS]
    kinds = sum(map(bool, strong))
    if not kinds or kinds >= _MIN_KINDS or max(strong) >= _MIN_OF_A_KIND:
        return kinds > 0
    return kinds + sum(1 for kind in _WEAK_KINDS if kind.search(text)) >= _MIN_KINDS


def unmark(text: str) -> Unmarked:
    """Returns Markdown (CommonMark with tables) as plain text: `- item`, ` | ` between cells, images left out."""
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table")
    head = _FRONT_MATTER.match(text)
    body = text[head.end() :] if head else text
    pieces = list(_pieces(parser.parse(body)))
    said = {piece for piece, _ in pieces}
    lines = [line for front in front_lines(text) if front not in said for line in (front, "")]
    code: list[CodeRun] = []
    for piece, is_code in pieces:
        begun = len(lines)
        lines += split_lines(piece)
        if is_code:
            code.append(CodeRun(begun, len(lines), fenced=True))
    return Unmarked(lines, code)


def front_lines(text: str) -> list[str]:
    """Returns what a front matter says, as `unmark` writes it above the text; empty if there is none."""
    head = _FRONT_MATTER.match(text)
    return list(_front_matter_lines(head[0])) if head else []


def _front_matter_lines(front_matter: str) -> Iterator[str]:
    """Yields the title, the authors and the date of a front matter as lines that are read like those of a page."""
    found = {key.casefold(): value.strip(" \t\"'[]") for key, value in _FIELD.findall(front_matter)}
    for keys, form in ((("title",), "{}"), (("author", "authors", "by"), "By {}"), (("date", "published"), "{}")):
        value = next((found[key] for key in keys if found.get(key)), None)
        if value:
            yield form.format(value)


def _pieces(tokens: Sequence[Token]) -> Iterator[tuple[str, bool]]:
    """Yields lines, and code as a whole; True with code."""
    bullet = ""
    row: list[str] | None = None
    for token in tokens:
        if token.type == "list_item_open":
            bullet = f"{token.info}{token.markup} " if token.info else "- "
        elif token.type == "tr_open":
            row = []
        elif token.type == "tr_close" and row is not None:
            yield from ((" | ".join(row), False), ("", False))
            row = None
        elif token.type == "inline" and row is not None:
            row.append(_plain(token))
        elif token.type == "inline":
            yield bullet + _plain(token), False
            if not bullet:
                yield "", False
            bullet = ""
        elif token.type in ("fence", "code_block", "html_block"):
            yield token.content.rstrip("\n"), token.type != "html_block"
            yield "", False


def _plain(token: Token) -> str:
    return "".join(map(_token_text, token.children or ())).strip()


def _token_text(token: Token) -> str:
    if token.type in ("softbreak", "hardbreak"):
        return " " if token.type == "softbreak" else "\n"
    return token.content if token.type in ("text", "code_inline", "text_special") else ""
