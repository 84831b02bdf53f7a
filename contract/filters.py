"""Filters: expressions that choose events, the same for every way out. docs/subscribing.md has the grammar for users.

Examples: `type = processed and language in (en, de)`, `labels.desk = "City news" and not flags = paywall`,
`host = example.com and (confidence >= 0.8 or has title)`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from contract.filter_fields import FilterError, Test

__all__ = ["MAX_FILTER_CHARS", "Filter", "FilterError"]

MAX_FILTER_CHARS: Final = 1_000  # chosen: far more than a person types; percent-encoded it still fits a request's line


@dataclass(frozen=True, slots=True)
class Filter:
    """An expression that is true of some events. Two with the same text are equal."""

    text: str
    _test: Test = field(repr=False, compare=False)

    @classmethod
    def parse(cls, text: str) -> "Filter":
        """Returns the filter in `text`.

        Raises:
            FilterError: it is no filter, has more than `MAX_FILTER_CHARS` characters or nests deeper than `MAX_DEPTH`.
        """
        if len(text) > MAX_FILTER_CHARS:
            raise FilterError(f"a filter has at most {MAX_FILTER_CHARS} characters", MAX_FILTER_CHARS + 1)
        from contract.filter_grammar import parse_test  # noqa: PLC0415 - loads a parser, for the first filter

        return cls(text, parse_test(text))

    def matches(self, event: Mapping[str, object]) -> bool:
        """Returns True if the filter is true of `event`, a decoded CloudEvent. What an event lacks equals nothing."""
        return self._test(event)

    def __str__(self) -> str:
        return self.text
