"""Which events of the log a replay sends again: deliverers and the API choose in the same way."""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime
from typing import Any, Final

from contract.events import ERASED, matches
from contract.filters import Filter
from contract.replays import Documentation, Known, Replay

Event = Mapping[str, Any]
"""An event as JSON has it: an object, perhaps without what an event has."""

_BEGINNING: Final = datetime.fromtimestamp(0, UTC)


class ReplayChoice:
    """The choice of one replay, as far as the event itself decides it."""

    def __init__(self, replay: Replay) -> None:
        self._patterns = tuple(replay.patterns)
        self._filter = None if replay.filter is None else Filter.parse(replay.filter)
        self._since = replay.since
        self._before = replay.before

    def wants(self, routing_key: str, event: Event) -> bool:
        """Returns True if routing key, time and content of the event are what was asked for."""
        if self._patterns and not any(matches(pattern, routing_key) for pattern in self._patterns):
            return False
        return self._is_in_time(time_of(event)) and (self._filter is None or self._filter.matches(event))

    def _is_in_time(self, at: datetime) -> bool:
        return (self._since is None or at >= self._since) and (self._before is None or at < self._before)


async def sendable(
    events: Mapping[int, Event], owner: str | None, documentation: Documentation
) -> Collection[int] | None:
    """Returns the offsets of those `events` that may be sent; None if it is not recorded yet whose some are.

    Raises:
        LedgerUnavailable: the ledger is away.
    """
    if not events:
        return ()
    known = await documentation.known(owner, set(map(subject_of, events.values())), max(map(time_of, events.values())))
    return None if known.unknown else {offset for offset, event in events.items() if may_be_sent(event, known)}


def may_be_sent(event: Event, known: Known) -> bool:
    """Returns True if it is an event of an owned document that is not erased, or tells of the erasure."""
    subject = subject_of(event)
    return subject in known.owned and (subject not in known.erased or event["type"] == ERASED)


def subject_of(event: Event) -> str:
    """Returns the id of what the event is about; empty if it does not say."""
    return str(event.get("subject", ""))


def time_of(event: Event) -> datetime:
    """Returns when the event was made; the beginning of time if it does not say."""
    try:
        at = datetime.fromisoformat(str(event.get("time")))
    except ValueError:
        return _BEGINNING
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
