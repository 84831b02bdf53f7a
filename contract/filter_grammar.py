"""The grammar of filters, and its parser. Loaded with the first filter: the library takes megabytes.

Not every process is ever given one.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from lark import Lark, Token, UnexpectedInput, UnexpectedToken
from lark.exceptions import VisitError
from lark.visitors import Transformer

from contract import filter_fields as fields
from contract.filter_fields import FilterError, Test

MAX_DEPTH: Final = 16  # tests inside `not`, `and` and `or`; chosen: deeper ones are no longer read by people

_GRAMMAR: Final = r"""
?start: either
?either: both ("or" both)*
?both: one ("and" one)*
?one: NOT one -> negated
    | "(" either ")"
    | FIELD COMPARISON _value -> compared
    | FIELD IN "(" _value ("," _value)* ")" -> listed
    | HAS FIELD -> present
_value: WORD | QUOTED

NOT: "not"
IN: "in"
HAS: "has"
COMPARISON: "=" | "!=" | ">=" | "<=" | ">" | "<"
FIELD: /[a-z_]+(\.([A-Za-z0-9_-]+|"(\\.|[^"\\])*"))?/
WORD: /[^\s"'(),=!<>\\]+/
QUOTED: /"(\\.|[^"\\])*"|'(\\.|[^'\\])*'/
%ignore /\s+/
"""

_IN_WORDS: Final = {
    "$END": "the end",
    "AND": "and",
    "OR": "or",
    "NOT": "not",
    "IN": "in",
    "HAS": "has",
    "LPAR": "(",
    "RPAR": ")",
    "COMMA": ",",
    "COMPARISON": "a comparison",
    "FIELD": "a field",
    "WORD": "a value",
    "QUOTED": "a value",
}


def parse_test(text: str) -> Test:
    """Returns the test that the filter in `text` makes of an event.

    Raises:
        FilterError: it is no filter, or nests deeper than `MAX_DEPTH`.
    """
    try:
        node: _Node = _parser().parse(text)  # type: ignore[assignment] # the transformer makes nodes
    except VisitError as error:
        raise error.orig_exc from None
    except UnexpectedInput as error:
        raise _explained(error, text) from None
    return node.test


@dataclass(frozen=True, slots=True)
class _Node:
    """A part of an expression, and how deep it nests."""

    test: Test
    depth: int = 1


class _Build(Transformer[Token, _Node]):
    """Makes the tests while the text is parsed, from the inside out: without recursion, whatever the text is."""

    def either(self, parts: list[_Node]) -> _Node:
        tests = [part.test for part in parts]
        return _Node(lambda event: any(test(event) for test in tests), _depth(parts))

    def both(self, parts: list[_Node]) -> _Node:
        tests = [part.test for part in parts]
        return _Node(lambda event: all(test(event) for test in tests), _depth(parts))

    def negated(self, parts: tuple[Token, _Node]) -> _Node:
        test = parts[1].test
        return _Node(lambda event: not test(event), _depth([parts[1]], parts[0]))

    def compared(self, parts: tuple[Token, Token, Token]) -> _Node:
        name, comparison, value = parts
        chosen = _field(name)
        _check(chosen, comparison, comparison)
        return _Node(chosen.test(comparison, (_value(chosen, value),)))

    def listed(self, parts: list[Token]) -> _Node:
        chosen = _field(parts[0])
        _check(chosen, "=", parts[1])
        return _Node(chosen.test("=", [_value(chosen, value) for value in parts[2:]]))

    def present(self, parts: tuple[Token, Token]) -> _Node:
        return _Node(_field(parts[1]).is_there)


@cache
def _parser() -> Lark:
    return Lark(_GRAMMAR, parser="lalr", transformer=_Build())


def _depth(parts: list[_Node], token: Token | None = None) -> int:
    depth = 1 + max(part.depth for part in parts)
    if depth > MAX_DEPTH:
        raise FilterError(f"a filter nests at most {MAX_DEPTH} deep", 1 if token is None else _place(token))
    return depth


def _field(token: Token) -> fields.Field:
    name, dot, label = token.partition(".")
    if dot and name == "labels":
        return fields.label(_unquoted(label))
    found = None if dot else fields.FIELDS.get(name)
    if found is None:
        raise FilterError(f"fields are {', '.join(fields.NAMES)}", _place(token))
    return found


def _check(chosen: fields.Field, comparison: str, token: Token) -> None:
    if comparison not in chosen.comparisons:
        how = " ".join(chosen.comparisons)
        rule = f"{chosen.name} is compared with {how} only" if how else f"ask for it with: has {chosen.name}"
        raise FilterError(rule, _place(token))


def _value(chosen: fields.Field, token: Token) -> Any:  # noqa: ANN401 - a string or a number, as the field compares it
    try:
        return chosen.value(_unquoted(token))
    except ValueError as error:
        raise FilterError(str(error), _place(token)) from None


def _unquoted(text: str) -> str:
    if text[:1] not in {'"', "'"}:
        return str(text)
    whole = iter(text[1:-1])
    return "".join(next(whole) if character == "\\" else character for character in whole)


def _explained(error: UnexpectedInput, text: str) -> FilterError:
    is_end = isinstance(error, UnexpectedToken) and error.token.type == "$END"
    place = len(text) if is_end else (error.pos_in_stream or 0)  # type: ignore[redundant-expr] # annotated as None
    before = _parser().parse_interactive(text[:place])
    before.exhaust_lexer()
    words = sorted({_IN_WORDS[name] for name in before.accepts()})
    return FilterError(f"expected here: {', '.join(words)}", place + 1)


def _place(token: Token) -> int:
    return (token.start_pos or 0) + 1
