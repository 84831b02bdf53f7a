"""Where in the log a stream begins and ends."""

import asyncio
from collections import deque
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

from contract.broker import EventLog, UnknownOffset
from service.events.stream_filter import StreamFilter

_FIRST_WINDOW: Final = 1_000  # events in the first look-back; chosen: RabbitMQ delivers them in a fraction of a second
_LOOK_BACK_EVENTS: Final = 20_000  # chosen: far enough for a person; RabbitMQ delivers as many in a second or two
_LOOK_BACK_S: Final = 10.0  # limits the look-back for large events; chosen: a third of a usual client timeout


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A part of the log: what follows the offset `after`, as `EventLog.read` takes it, up to the offset `until`.

    Without `until` it has no end.
    """

    after: int | None
    until: int | None = None

    def is_before(self, offset: int) -> bool:
        """Returns True if it ends before the entry with this offset."""
        return self.until is not None and offset > self.until

    def has_ended(self, offset: int) -> bool:
        """Returns True if nothing of it follows the entry with this offset."""
        return self.until is not None and offset >= self.until

    @property
    def is_empty(self) -> bool:
        """True if there is nothing in it."""
        return self.until is not None and self.until <= (-1 if self.after is None else self.after)


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """Where a client wants a stream to begin: after an offset, or with the `last` events that it has.

    Without either it begins with the next event that is written. Without `follow` it ends with the newest event of now,
    and with `until` at that offset; such a stream begins with the oldest event if nothing else is said. It `resumes` if
    `after` is the last event that the client read.
    """

    after: int | None = None
    last: int | None = None
    follow: bool = True
    until: int | None = None
    resumes: bool = False

    async def span(self, event_log: EventLog, stream_filter: StreamFilter) -> Span:
        """Returns the part of the log that the stream has.

        Raises:
            BrokerUnavailable: the bounds of the log are unknown.
        """
        if self.last is None and self.follow:
            return Span(after=-1 if self.after is None and self.until is not None else self.after, until=self.until)
        oldest, newest = await event_log.log_bounds()
        until = self.until if self.follow else newest if self.until is None else min(self.until, newest)
        if self.last is None:
            return Span(after=-1 if self.after is None else self.after, until=until)
        if self.last == 0 or newest < oldest:
            return Span(after=newest, until=until)
        first = await self._first_of_last(event_log, stream_filter, oldest, newest)
        return Span(after=newest if first is None else first - 1 if first > oldest else -1, until=until)

    async def _first_of_last(
        self, event_log: EventLog, stream_filter: StreamFilter, oldest: int, newest: int
    ) -> int | None:
        """Returns the offset of the first of the `last` chosen events up to `newest`, None if none is chosen.

        Looks back in growing windows, over at most `_LOOK_BACK_EVENTS` events or for `_LOOK_BACK_S` seconds.
        """
        last, found = self.last or 0, list[int]()
        end, size = newest + 1, _FIRST_WINDOW
        floor = max(oldest, end - _LOOK_BACK_EVENTS)
        with suppress(TimeoutError, UnknownOffset):  # slow, or retention removed older events: use what was found
            async with asyncio.timeout(_LOOK_BACK_S):
                while end > floor and len(found) < last:
                    begin = max(floor, end - size)
                    older = await self._wanted(event_log, stream_filter, begin if begin > oldest else 0, end)
                    found = [*older, *found][-last:]
                    end, size = begin, size * 4
        return found[0] if found else None

    async def _wanted(self, event_log: EventLog, stream_filter: StreamFilter, begin: int, end: int) -> list[int]:
        """Returns the offsets of the `last` chosen events from `begin` up to, but not including, `end`."""
        offsets: deque[int] = deque(maxlen=self.last)
        async with aclosing(event_log.read(begin - 1)) as entries:
            async for entry in entries:
                if entry.offset < end and stream_filter.wants(entry):
                    offsets.append(entry.offset)
                if entry.offset >= end - 1:
                    break
        return list(offsets)
