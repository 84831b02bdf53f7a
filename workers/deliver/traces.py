"""The spans of attempts to post an event: in the trace that the event states, which the receiver may continue."""

from collections.abc import Mapping

import orjson
from yarl import URL

from contract.spans import HTTP_METHOD, HTTP_STATUS, SERVER_ADDRESS, SERVER_PORT, URL_SCHEME
from contract.tracing import TRACEPARENT, Span, SpanKind, TraceContext, Tracer, Value, Within, stated_in
from workers.deliver.receiver import AttemptResult, Receivers

_NAME = f'"{TRACEPARENT}"'.encode()


class Posting:
    """Posts events to `receivers`, each within a span of `tracer`."""

    def __init__(self, receivers: Receivers, tracer: Tracer) -> None:
        self._receivers = receivers
        self._tracer = tracer

    async def post(
        self, url: str, body: bytes, headers: Mapping[str, str], *, event: bytes, about: Mapping[str, Value]
    ) -> AttemptResult:
        """Posts `body` once, and returns what came of it.

        `event` is the event in the bytes of the log. `about` are attributes that say which attempt it is.
        """
        trace = trace_in(event)
        attributes = {**_place(url), **about} if self._tracer.is_on else None
        with Within(self._tracer.start("POST", SpanKind.CLIENT, parent=trace, attributes=attributes)) as span:
            traced = headers if span.context is None else {**headers, **span.context.headers()}
            answer = await self._receivers.post(url, body, traced)
            _tell(span, answer)
            return answer


def trace_in(event: bytes) -> TraceContext | None:
    """Returns where an event of the log was made, None if it states no trace."""
    if _NAME not in event:  # nearly always, where nothing is traced: to decode it takes a hundred times as long
        return None
    try:
        fields = orjson.loads(event)
    except orjson.JSONDecodeError:  # another program may publish to the log
        return None
    return stated_in(fields) if isinstance(fields, dict) else None


def _place(url: str) -> Mapping[str, Value]:
    """Returns where a URL leads, without its path and query, which may hold secrets."""
    place = URL(url, encoded=True)
    found = {SERVER_ADDRESS: place.raw_host, SERVER_PORT: place.port, URL_SCHEME: place.scheme}
    return {HTTP_METHOD: "POST"} | {name: value for name, value in found.items() if value is not None}


def _tell(span: Span, answer: AttemptResult) -> None:
    if answer.status is not None:
        span.set(HTTP_STATUS, answer.status)
    if not answer.is_delivered:
        span.fail(str(answer.status or answer.outcome))
