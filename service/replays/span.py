"""Which part of the log a request for a replay asks for.

Events are nearly in the order of their times, so times are found by bisection: some twenty events of the log are read.
Whoever runs the replay looks at the time of each event; the offsets here only save it from reading the whole log.
"""

from collections.abc import Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta

import orjson

from contract.broker import EventLog, UnknownOffset
from contract.replay_request import ReplayRequest, ReplaySpan
from contract.webhooks import BEFORE_ALL

_DISORDER = timedelta(minutes=10)  # chosen: a worker writes an event to the log within minutes after its time


async def span_of(asked: ReplayRequest, event_log: EventLog) -> ReplaySpan:
    """Returns the part of the log that a request asks for. It may have more than the times that were asked for.

    Raises:
        UnknownOffset: the log no longer has the event behind `after`.
        BrokerUnavailable: the log cannot be read.
    """
    oldest, newest = await event_log.log_bounds()
    if asked.after >= 0 and (asked.after + 1 < oldest or asked.after > newest):
        raise UnknownOffset(asked.after)
    after, until = max(asked.after, oldest - 1), newest if asked.until is None else min(asked.until, newest)
    if until < oldest:  # nothing of it is there
        return ReplaySpan(until, until)
    since, before = asked.since, asked.before  # differences of times have no limits, and sums have
    if since is not None:
        after = await _last(event_log, after, until, lambda at: since - at > _DISORDER)
    if before is not None:
        until = await _last(event_log, after, until, lambda at: at - before < _DISORDER)
    return ReplaySpan(after if after >= oldest or after >= until else BEFORE_ALL, max(after, until))


async def _last(event_log: EventLog, low: int, high: int, holds: Callable[[datetime], bool]) -> int:
    """Returns the last offset from `low` to `high` whose event meets `holds`, as those before it do; `low` if none."""
    while low < high:
        middle = (low + high + 1) // 2
        if holds(await time_at(event_log, middle)):
            low = middle
        else:
            high = middle - 1
    return low


async def time_at(event_log: EventLog, offset: int) -> datetime:
    """Returns the time of the first event from this offset on. What the log has removed is older than all."""
    oldest_of_all = datetime.min.replace(tzinfo=UTC)
    try:
        async with aclosing(event_log.read(offset - 1)) as entries:
            async for entry in entries:
                try:
                    at = datetime.fromisoformat(orjson.loads(entry.body)["time"])
                except (ValueError, LookupError, TypeError):
                    continue  # another program may publish to the log
                return at if at.tzinfo else at.replace(tzinfo=UTC)
    except UnknownOffset:
        pass
    return oldest_of_all
