"""What is wrong with a request: faults, the errors that carry them, and how those of pydantic are worded."""

from collections.abc import Sequence
from dataclasses import dataclass

from pydantic_core import ErrorDetails

from contract import rules

_MAX_NAME_CHARS = 64  # of a name that is repeated in an answer; chosen: all known field names are shorter

_MESSAGES = {
    "dataclass_type": ("wrong_type", "must be an object"),
    "bool_type": ("wrong_type", "must be true or false"),
    "dict_type": ("wrong_type", "must be an object"),
    "enum": ("not_allowed", "must be {expected}"),
    "mapping_type": ("wrong_type", "must be an object"),
    "string_too_long": ("too_long", "must have at most {max_length} characters"),
    "string_too_short": ("empty", "must not be empty"),
    "string_unicode": ("not_unicode", "must be Unicode, without lone surrogates"),
    "string_type": ("wrong_type", "must be a string"),
    "too_long": ("too_many", "must have at most {max_length} entries"),
    "too_short": ("too_few", "must have at least one entry"),
    "tuple_type": ("wrong_type", "must be an array"),
    "unexpected_keyword_argument": ("unknown_field", "is not a field that version 1 knows"),
}


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule that a request breaks. `field` is a dotted path such as `labels.topic`; the value is never repeated."""

    field: str
    rule: str
    message: str

    def __str__(self) -> str:
        """Returns where it is, and what it is."""
        return f"{self.field}: {self.message}"


@dataclass(frozen=True, slots=True)
class PlacedFault(Fault):
    """A fault within a value: `position` is that of its first character, from 1."""

    position: int

    def __str__(self) -> str:
        """Returns where it is, and what it is."""
        return f"{self.field}, character {self.position}: {self.message}"


class SubmissionError(ValueError):
    """The submission breaks a rule; `faults` say which, at least one."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = tuple(faults)


class MalformedSubmissionError(SubmissionError):
    """The body is not UTF-8, or not JSON."""


class InvalidSubmissionError(SubmissionError):
    """The body is JSON, but not a submission."""


def fault_of(detail: ErrorDetails) -> Fault:
    """Returns what pydantic found as a fault of ours."""
    path = [str(step)[:_MAX_NAME_CHARS] for step in detail["loc"] if step != "[key]"]
    place = ".".join(path) or "body"
    position = detail.get("ctx", {}).get(rules.POSITION)
    if position is not None:
        return PlacedFault(place, detail["type"], detail["msg"], position)
    if detail["type"] not in _MESSAGES:
        return Fault(place, detail["type"], detail["msg"])
    rule, message = _MESSAGES[detail["type"]]
    return Fault(place, rule, message.format_map(detail.get("ctx", {})))
