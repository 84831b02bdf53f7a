"""Which events a stream has: those whose routing key matches a pattern, and of which a filter is true."""

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson

from contract.broker import LogEntry
from contract.events import matches
from contract.filters import Filter

_KEPT_EVENTS: Final = 64  # chosen: streams that follow the log are a few events apart
_KEPT_BYTES: Final = 256 * 1024  # of an event, at most; chosen: nearly all have less, and 64 of them take 16 MiB
_NO_EVENT: Final[Mapping[str, object]] = {}


class DecodedEvents:
    """The last events that were decoded, so that an event is decoded once for all streams with a filter."""

    def __init__(self) -> None:
        self._kept: OrderedDict[int, tuple[bytes, Mapping[str, object]]] = OrderedDict()

    def of(self, entry: LogEntry) -> Mapping[str, object]:
        """Returns the event in `entry`; one without fields if the bytes are no JSON object."""
        body, event = self._kept.get(entry.offset, (b"", _NO_EVENT))
        if body != entry.body:
            event = decoded(entry.body)
            self._keep(entry, event)
        return event

    def _keep(self, entry: LogEntry, event: Mapping[str, object]) -> None:
        if len(entry.body) <= _KEPT_BYTES:
            self._kept[entry.offset] = entry.body, event
            if len(self._kept) > _KEPT_EVENTS:
                self._kept.popitem(last=False)


@dataclass(frozen=True, slots=True)
class StreamFilter:
    """Chooses events: those that match one of `patterns`, if there are any, and `filter`, if there is one."""

    decoded: DecodedEvents
    patterns: tuple[str, ...] = ()
    filter: Filter | None = None

    def wants(self, entry: LogEntry) -> bool:
        """Returns True if the stream has this event. It is decoded only for a filter."""
        if self.patterns and not any(matches(pattern, entry.routing_key) for pattern in self.patterns):
            return False
        return self.filter is None or self.filter.matches(self.decoded.of(entry))


def decoded(body: bytes) -> Mapping[str, object]:
    """Returns the event in `body`; one without fields if the bytes are no JSON object."""
    try:
        event = orjson.loads(body)
    except orjson.JSONDecodeError:
        return _NO_EVENT
    return event if isinstance(event, dict) else _NO_EVENT
