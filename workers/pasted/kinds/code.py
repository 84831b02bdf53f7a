"""Tells source code, configurations and what programs print when they fail: lines that no sentence looks like."""

import re
from collections.abc import Sequence

from workers.pasted.kinds.rows import NOTHING, Evidence, Row, weigh
from workers.pasted.region import is_prose

# Chosen by hand, with the documents of tests/workers/pasted/kinds in view.
_LEAST_CODE = 3  # lines
_CODE_OPENS = re.compile(
    r"\s*(?:#include\b|#!|//|/\*|\*/|<\?|\$ |(?:import|from|using|package|namespace) [\w.{*<\"']+"
    r"|(?:async )?def \w+\(|class \w+\s?[:({]"
    r"|(?:public|private|protected|static|const|let|var|final|export|async|func|fn|function) [\w<]"
    r"|(?:if|for|while|switch|elif|return|else|try|except|catch|raise|throw|with|case|end|do|done|fi|then|esac)\b"
    r"|[A-Z]+Error\b|\w+(?:Error|Exception):|at [\w.$<>]+\(|File \".*\", line \d"
    r"|(?:SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|FROM|JOIN|LEFT JOIN|WHERE|GROUP BY|ORDER BY|HAVING|AND|OR"
    r"|LIMIT|VALUES|SET)\b)"
)
_CODE_ENDS = re.compile(r"(?:[{};\[(]|\)\s?:|^\s*[\]})]+[,;]*|[\"'\])}0-9a-z],|\\|->.*|=>.*)\s*$")
_CODE_HOLDS = re.compile(
    r"\w\([^()]*\)|[\w\])\"']\s?(?:[:+*/|&-]?=|==|!=|<=|>=|&&|\|\||::|->|\+\+)|^\s*\"[\w-]+\"\s?:|^\s*@\w+|\$\w|\$\{|\w\[\w"
)
_CODE_MARKS = re.compile(r"[{}()\[\]=<>;$&|\\_\"#/*+]")
_MARKS_SHARE = 0.08  # of the characters of a line of code
_ASCII_SHARE = 0.7  # of its characters: the words of programming languages
_INDENT = re.compile(r"(?: {2,}|\t)\S")


def code(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of code."""
    sure = [not _reads_as_text(row) and is_code(row.raw) for row in rows]
    if sum(sure) < _LEAST_CODE:
        return NOTHING
    beside = [False, *sure, False]
    marked = [
        mark or (bool(_INDENT.match(row.raw)) and not is_prose(row.line) and (beside[at] or beside[at + 2]))
        for at, (mark, row) in enumerate(zip(sure, rows, strict=True))
    ]
    return weigh(rows, marked, _LEAST_CODE)


def _reads_as_text(row: Row) -> bool:
    return is_prose(row.line) and len(_CODE_MARKS.findall(row.text)) < _MARKS_SHARE * len(row.text)


def is_code(raw: str) -> bool:
    """True if a line has the form of code."""
    bare = raw.rstrip()
    if not _CODE_MARKS.search(bare):
        return False
    if not bare.isascii() and sum(map(str.isascii, bare)) < _ASCII_SHARE * len(bare):
        return False
    signs = bool(_CODE_OPENS.match(bare)) + bool(_CODE_ENDS.search(bare)) + bool(_CODE_HOLDS.search(bare))
    dense = len(_CODE_MARKS.findall(bare)) >= _MARKS_SHARE * len(bare)
    return signs + dense >= 2 or (dense and not any(map(str.isalnum, bare)))  # noqa: PLR2004 - two of the four signs
