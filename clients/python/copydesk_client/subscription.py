"""Events as the log gets them: over a stream that is opened again where it broke off, and without repeats.

The stream is `GET /v1/events` as lines of JSON: they say up to which offset everything is read, and why a stream ends.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus

from copydesk_client.events import Event
from copydesk_client.http import NDJSON, Http, lines_of
from copydesk_client.problems import Busy, CopydeskError, StreamEnded, Unreachable, problem_of
from copydesk_client.retries import Patience

SEEN_AT_MOST = 100_000  # ids; chosen: repeats come within minutes, and so many ids need 15 MB
_AGAIN = frozenset({"slow_reader", "stopping", "broker_lost"})  # docs/subscribing.md: connect again
_COMPLETE = "complete"
_REFUSALS = {
    "position_gone": ("position-gone", HTTPStatus.GONE),
    "key_refused": ("unauthorized", HTTPStatus.UNAUTHORIZED),
}

Params = Sequence[tuple[str, str]]


class Seen:
    """The ids of the latest events, at most `limit`. Give the same to several subscriptions to have no event twice."""

    def __init__(self, limit: int = SEEN_AT_MOST) -> None:
        self._limit = limit
        self._ids: OrderedDict[str, None] = OrderedDict()

    def is_new(self, event_id: str) -> bool:
        """Remembers an id. Returns False if it was known."""
        if event_id in self._ids:
            return False
        self._ids[event_id] = None
        if len(self._ids) > self._limit:
            self._ids.popitem(last=False)
        return True


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event with its offset in the log: what to commit for a named consumer, or to give as `after` later."""

    offset: int
    event: Event


class Subscription:
    """One reader of the log."""

    def __init__(self, http: Http, params: Params, headers: Mapping[str, str], seen: Seen) -> None:
        self._http = http
        self._params = [("format", "ndjson"), *params]
        self._headers = headers
        self._seen = seen
        self._offset: int | None = None

    async def deliveries(self, limit_s: float) -> AsyncGenerator[Delivery, None]:
        """Yields each event once, until the stream is complete.

        Raises:
            StreamEnded: it ended for good.
            Busy, Unreachable: nothing came for `limit_s` seconds.
            Problem: the server refuses the request.
        """
        patience = Patience(limit_s)
        while True:
            try:
                async with aclosing(self._once(patience)) as deliveries:
                    async for delivery in deliveries:
                        yield delivery
            except (Busy, Unreachable) as failure:
                await patience.pause(failure)
            else:
                return

    async def _once(self, patience: Patience) -> AsyncGenerator[Delivery, None]:
        """Yields from one stream. `Last-Event-ID` says where the one before broke off, for named consumers, too."""
        resumed = {} if self._offset is None else {"Last-Event-ID": str(self._offset)}
        headers = {**self._headers, **resumed, "Accept": NDJSON}
        async with self._http.opened("GET", "/v1/events", params=self._params, headers=headers) as response:
            async for line in lines_of(response):
                reason = line.get("ended")
                if reason == _COMPLETE:
                    return
                if reason in _AGAIN:
                    raise Unreachable(f"the event stream ended: {reason}")
                if reason is not None:
                    raise _ended(reason)
                patience.succeeded()
                if line.get("offset") is not None:
                    self._offset = line["offset"]
                if "event" in line and self._seen.is_new(line["event"]["id"]):
                    yield Delivery(line["offset"], line["event"])
        raise Unreachable("the event stream broke off")


def _ended(reason: str) -> CopydeskError:
    """Returns why a stream ended for good: where a refused request has the same reason, as that has it."""
    if reason in _REFUSALS:
        slug, status = _REFUSALS[reason]
        return problem_of({"type": f"/problems/{slug}", "detail": f"the event stream ended: {reason}"}, status)
    return StreamEnded(reason)
