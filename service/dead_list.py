"""Parses the query for dead letters, and formats the letters."""

import re
from base64 import b64decode, b64encode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from contract.dead import DeadLetter
from contract.reasons import Reason
from contract.timestamps import rfc3339
from service.api.dead import DEFAULT_LIMIT, LIST_DEAD, MAX_LIMIT, ORDERS
from service.api.dead_answers import ListedLetter, ShownLetter
from service.http.parameters import check_parameters
from service.refusals import invalid_parameter

_LISTED_CAUSE_CHARS = 200  # chosen: the first line of a cause; the request for one letter shows all of it
_NUMBER = re.compile(r"[0-9]{1,4}")
_OF_THE_JOB = ("kind", "url", "labels", "lane", "run", "attempt", "accepted_at")
_FLAGS = {"true": True, "false": False}

Place = tuple[datetime, str]  # a letter's position in the list; repeats with the same time and id share it


@dataclass(frozen=True, slots=True)
class DeadQuery:
    """The query for a list: letters with a `reason`, or all; up to `limit` after the position `after`."""

    reason: Reason | None
    newest_first: bool
    limit: int
    after: Place | None

    @classmethod
    def of(cls, request: web.Request) -> "DeadQuery":
        """Returns the query in `request`.

        Raises:
            ProblemError: a parameter is unknown or breaks a rule.
        """
        given = check_parameters(request, LIST_DEAD.parameters)
        limit, order = given.get("limit", str(DEFAULT_LIMIT)), given.get("order", ORDERS[0])
        if not _NUMBER.fullmatch(limit) or not 1 <= int(limit) <= MAX_LIMIT:
            raise invalid_parameter("limit", "count", f"must be a whole number from 1 to {MAX_LIMIT}")
        if order not in ORDERS:
            raise invalid_parameter("order", "not_allowed", "must be newest or oldest")
        after = _place(given["after"]) if "after" in given else None
        return cls(reason_of(given.get("reason")), order == ORDERS[0], int(limit), after)

    def wants(self, letter: DeadLetter) -> bool:
        """Returns True if the list has `letter`, on any page."""
        return self.reason is None or letter.reason is self.reason

    def is_ahead(self, letter: DeadLetter) -> bool:
        """Returns True if `letter` comes after the end of the previous page."""
        if self.after is None:
            return True
        return place_of(letter) < self.after if self.newest_first else place_of(letter) > self.after


def reason_of(word: str | None) -> Reason | None:
    """Returns the reason that the query names, None if it names none.

    Raises:
        ProblemError: there is no such reason.
    """
    if word is None:
        return None
    if word not in set(Reason):
        raise invalid_parameter("reason", "not_allowed", "must be one of the reasons why documents fail")
    return Reason(word)


def flag_of(name: str, word: str) -> bool:
    """Returns the parameter `name`, true or false.

    Raises:
        ProblemError: its value is neither.
    """
    if word not in _FLAGS:
        raise invalid_parameter(name, "not_allowed", "must be true or false")
    return _FLAGS[word]


def place_of(letter: DeadLetter) -> Place:
    """Returns the position of `letter`, by which the list is sorted."""
    return letter.buried_at, letter.id


def cursor_of(letter: DeadLetter) -> str:
    """Returns the `after` of the page that follows `letter`."""
    return urlsafe_b64encode(f"{letter.buried_at.isoformat()} {letter.id}".encode()).decode()


def _place(cursor: str) -> Place:
    try:
        at, _, letter_id = b64decode(cursor, altchars=b"-_", validate=True).decode().partition(" ")
        return datetime.fromisoformat(at).astimezone(UTC), letter_id
    except (ValueError, OverflowError):  # base64, UTF-8 and dates raise these
        raise invalid_parameter("after", "cursor", "must be the next of a page before") from None


def listed(letter: DeadLetter) -> ListedLetter:
    """Returns a short form of a letter, with only the beginning of its cause, which may be a traceback."""
    return ListedLetter(**_known(letter) | {"cause": letter.cause[:_LISTED_CAUSE_CHARS]})


def shown(letter: DeadLetter, *, copies: int) -> ShownLetter:
    """Returns everything known about a letter, with its body if it has one. `copies`: how many there are of it."""
    body = None if letter.body is None else b64encode(letter.body).decode()
    return ShownLetter(**_known(letter), history=letter.job.history if letter.job else (), copies=copies, body=body)


def _known(letter: DeadLetter) -> dict[str, Any]:
    job = letter.job
    return {
        "id": letter.id,
        "reason": letter.reason,
        "cause": letter.cause,
        "buried_at": rfc3339(letter.buried_at),
        "event_id": letter.event_id,
        "size": letter.size,
        "retryable": job is not None,
        **{name: getattr(job, name, None) for name in _OF_THE_JOB},
    }
