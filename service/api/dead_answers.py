"""The JSON answers about dead letters. See `answers`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from contract.job import Attempt, Kind, Lane
from contract.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedLetter:
    """A dead letter in one line's worth. It is `retryable` if it holds a readable job; else the job's fields are null.

    `buried_at` and `accepted_at` are RFC 3339 in UTC, `size` is the message's in bytes.
    """

    id: str
    reason: Reason | None
    cause: str
    buried_at: str
    event_id: str | None
    size: int
    retryable: bool
    kind: Kind | None
    url: str | None
    labels: Mapping[str, str] | None
    lane: Lane | None
    run: int | None
    attempt: int | None
    accepted_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownLetter(ListedLetter):
    """All that is known of a dead letter. `body` is the message in base64, if it was asked for."""

    history: tuple[Attempt, ...]
    copies: int
    body: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LetterList:
    """A page of dead letters. `count` is the number of all that pass the filter."""

    letters: Sequence[ListedLetter]
    count: int
    next: str | None
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Retried:
    """So many letters were put again, so many were kept because they cannot be. `more`: send the request again."""

    retried: int
    kept: int
    more: bool
    id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """So many letters are gone. `more`: send the request again."""

    dropped: int
    more: bool
    id: str | None = None
