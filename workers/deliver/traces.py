"""The spans of attempts to post an event: in the trace that the event states, which the receiver may continue."""

from collections.abc import Mapping

import orjson

from contract.spans import HTTP_METHOD, HTTP_STATUS, place_of
from contract.tracing import TRACEPARENT, Span, SpanKind, TraceContext, Tracer, Value, Within, stated_in
from workers.deliver.receiver import AttemptResult, Receivers

_NAME = f'"{TRACEPARENT}"'.encode()


class Posting:
    """Posts events to `receivers`, each within a span of `tracer`."""

    def __init__(self, receivers: Receivers, tracer: Tracer) -> None:
        self._receivers = receivers
        self._tracer = tracer

    async def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str],
        *,
        trace: TraceContext | None,
        about: Mapping[str, Value],
    ) -> AttemptResult:
        """Posts `body` once, and returns what came of it.

        `trace` is where the event was made: see `trace_in`. `about` are attributes that say which attempt it is.
        """
        attributes = {HTTP_METHOD: "POST", **place_of(url), **about} if self._tracer.is_on else None
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


def _tell(span: Span, answer: AttemptResult) -> None:
    if answer.status is not None:
        span.set(HTTP_STATUS, answer.status)
    if not answer.is_delivered:
        span.fail(str(answer.status or answer.outcome))
