"""Tells instructions by their numbered steps, and legal texts by their clauses."""

import re
from collections.abc import Sequence

from workers.pasted.kinds.rows import NOTHING, Evidence, Row, weigh

# Chosen by hand, with the documents of tests/workers/pasted/kinds in view.
_LEAST_STEPS = 3
_STEP_WORDS = 4.0  # words of a step, at least
_STEP_LABEL = re.compile(
    r"(?:step|schritt|étape|etape|paso|passo|stap|steg|trinn?|krok|шаг|крок|adım|βήμα|bước|langkah|ステップ|手順|步骤|步驟|الخطوة)\s?\d{1,2}\b"
    r"|第\s?[\d一二三四五六七八九十]{1,3}\s?步|\d{1,2}\s?단계",
    re.IGNORECASE,
)
_COUNTED = re.compile(r"\(?(\d{1,2})(?:[.)]\s|[、．])")


def instructions(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of instructions: steps that count up from one."""
    labelled = [bool(_STEP_LABEL.match(row.text)) for row in rows]
    counted = _counted(rows)
    below = [False, *labelled[:-1]]
    marked = [
        label or (under and row.line.words >= _STEP_WORDS) or (number and row.line.words > _STEP_WORDS)
        for label, under, number, row in zip(labelled, below, counted, rows, strict=True)
    ]
    return weigh(rows, marked, _LEAST_STEPS) if sum(labelled) + sum(counted) >= _LEAST_STEPS else NOTHING


def _counted(rows: Sequence[Row]) -> list[bool]:
    """Returns which lines carry the next number of a list that began with 1."""
    wanted, found = 1, []
    for row in rows:
        match = _COUNTED.match(row.text)
        number = int(match[1]) if match else 0
        found.append(number > 0 and number in (wanted, 1))
        wanted = number + 1 if found[-1] else wanted
    return found


_LEAST_CLAUSES = 3  # lines; chosen by hand, as are the other numbers
_CLAUSE_WORDS = 4.0  # words of a clause that only a number marks, at least
_CLAUSE_SIGN = re.compile(
    r"(?:§+\s?\d|(?:art(?:icle|ículo|iculo|icolo|ikel|igo|\.)|статья|стаття|madde|άρθρο|článok|článek|artykuł|section|clause|điều)\.?\s?\d"
    r"|第\s?[\d一二三四五六七八九十百零〇]{1,6}\s?[条條]|제\s?\d+\s?조|المادة)",
    re.IGNORECASE,
)
_CLAUSE_NUMBER = re.compile(r"\d{1,2}\.\d{1,2}(?:\.\d{1,2})*\.?\s+\S|\((?:\d{1,2}|[a-z]|[ivx]{1,4})\)\s+\S")


def legal(rows: Sequence[Row]) -> Evidence:
    """Returns the evidence of clauses; the sentences below the heading of an article count with it."""
    signed = [bool(_CLAUSE_SIGN.match(row.text)) for row in rows]
    numbered = [bool(_CLAUSE_NUMBER.match(row.text)) and _is_clause(row) for row in rows]
    bare = [bool(_COUNTED.match(row.text)) for row in rows]
    of_signs = sum(bare) if sum(signed) > 1 else 0  # numbers alone are those of steps
    if sum(signed) + sum(numbered) + of_signs < _LEAST_CLAUSES:
        return NOTHING
    below = [False, *signed[:-1]]
    marked = [any(signs) for signs in zip(signed, numbered, below, bare, strict=True)]
    return weigh(rows, marked, _LEAST_CLAUSES)


def _is_clause(row: Row) -> bool:
    return row.text.startswith("(") or row.line.words >= _CLAUSE_WORDS
