"""Every number of a module has a comment with its unit and its source: a measurement, a standard, or a choice."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from itertools import pairwise, takewhile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("clients", "contract", "service", "runtime", "workers", "bench")
FOR_TOOLS = re.compile(r"# (noqa|fmt|type):")
UNIT = re.compile(r"_(S|MS|DAYS|BYTES|CHARS|WORDS|TOKENS|LINES|LETTERS|EVENTS|PX|SHARE)$")


def is_number(node: ast.expr | None) -> bool:
    """Returns True for a number, a calculation with numbers, or a tuple of numbers."""
    match node:
        case ast.Constant(value):
            return isinstance(value, int | float) and not isinstance(value, bool)
        case ast.UnaryOp(operand=operand):
            return is_number(operand)
        case ast.BinOp(left, _, right):
            return is_number(left) and is_number(right)
        case ast.Tuple(elts):
            return bool(elts) and all(map(is_number, elts))
        case _:
            return False


def is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def lines_of(statement: ast.stmt) -> set[int]:
    return set(range(statement.lineno, (statement.end_lineno or statement.lineno) + 1))


def names_of(statement: ast.Assign | ast.AnnAssign) -> list[str]:
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    return [name.id for target in targets for name in ast.walk(target) if isinstance(name, ast.Name)]


def comments_of(source: str) -> set[int]:
    """Returns the numbers of the lines with a comment for people, not only for tools."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {token.start[0] for token in tokens if token.type == tokenize.COMMENT and not FOR_TOOLS.match(token.string)}


def undocumented(source: str) -> Iterator[str]:
    """Yields the names of numbers without a comment.

    The comment stands on the line of the number or above it, or follows as a string. A comment above a block counts for
    its first number, and for others whose names end in their unit.
    """
    lines, comments, body = source.splitlines(), comments_of(source), ast.parse(source).body
    described = {statement for statement, following in pairwise(body) if is_text(following)}
    for statement in body:
        if not isinstance(statement, ast.Assign | ast.AnnAssign) or not is_number(statement.value):
            continue
        block = list(takewhile(lambda line: lines[line - 1].strip(), range(statement.lineno - 1, 0, -1)))
        above = next((line for line in block if lines[line - 1].startswith("#")), None)
        has_unit = all(map(UNIT.search, names_of(statement)))
        is_described_above = above in comments and (above == statement.lineno - 1 or has_unit)
        if not (is_described_above or statement in described or comments & lines_of(statement)):
            yield from names_of(statement)


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_number_says_its_unit_and_source(folder: str) -> None:
    found = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in sorted((ROOT / folder).rglob("*.py"))
        for name in undocumented(path.read_text(encoding="utf-8"))
    }
    assert found == set()


@pytest.mark.parametrize(
    ("source", "missing"),
    [
        ("LIMIT = 5", ["LIMIT"]),
        ("LIMIT: int = -5", ["LIMIT"]),
        ("LOW, HIGH = 1, 2 * 3", ["LOW", "HIGH"]),
        ("LIMIT = 5  # noqa: X001", ["LIMIT"]),
        ("LIMIT = 5  # letters; chosen", []),
        ("# Letters; chosen.\nLIMIT = 5", []),
        ("# Chosen.\nONE_S = 5\nOTHER_S = 6\nBARE = 7", ["BARE"]),
        ("# About something else.\n\nLIMIT = 5", ["LIMIT"]),
        ('LIMIT = 5\n"""Letters; chosen."""', []),
        ("NAME = 'text'\nFLAG = True", []),
    ],
)
def test_numbers_without_a_comment_are_found(source: str, missing: list[str]) -> None:
    assert list(undocumented(source)) == missing
