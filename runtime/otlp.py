"""The tracer that makes OpenTelemetry's spans and exports them by OTLP over HTTP.

The SDK reads its own variables (`OTEL_*`): where spans go, which traces are sampled, how many spans wait. Its thread
sends them. Nothing else waits for that: while the receiver is away, the oldest spans that wait are dropped.
"""

import asyncio
import logging
import os
import platform
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version
from typing import Final
from uuid import uuid4

import structlog
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import Link, NonRecordingSpan, SpanContext, Status, StatusCode, TraceFlags, TraceState

from contract.labels import ProcessRole
from contract.spans import ERROR_TYPE, MESSAGING_SYSTEM
from contract.tracing import Span, SpanKind, TraceContext, Tracer, Value
from runtime.errors import StartError

log = structlog.get_logger(__name__)

_FLUSH_S: Final = 3.0  # at the end, for what is not sent yet; chosen: a receiver that works takes milliseconds
_KINDS: Final = {kind: trace.SpanKind[kind.name] for kind in SpanKind}
_MESSAGING: Final = frozenset({SpanKind.PRODUCER, SpanKind.CONSUMER})
_NANOSECONDS: Final = 1_000_000_000  # in a second: the SDK's unit of time
_NOWHERE: Final = Context()


@asynccontextmanager
async def exporting(role: ProcessRole, messaging_system: str) -> AsyncIterator[Tracer]:
    """Opens the tracer of a process. Closing it takes `_FLUSH_S` at most, and drops what is not sent by then.

    Raises:
        StartError: a variable of OpenTelemetry is invalid.
    """
    logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # `_Reporting` tells, once
    try:
        exporter = _Reporting(OTLPSpanExporter())
        provider = TracerProvider(resource=_resource(role), shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter))
    except ValueError as error:
        raise StartError(f"the variables of OpenTelemetry are invalid: {error}") from None
    log.info("tracing")
    try:
        yield OtelTracer(provider.get_tracer("copydesk", version("copydesk")), messaging_system)
    finally:
        await _closed(provider, exporter)


async def _closed(provider: TracerProvider, exporter: SpanExporter) -> None:
    """Sends what waits, in a thread that nothing waits for at exit. What hangs is broken off."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def close() -> None:
        provider.shutdown()
        with suppress(RuntimeError):  # the loop is closed: it took too long
            loop.call_soon_threadsafe(done.set)

    threading.Thread(target=close, name="traces", daemon=True).start()
    try:
        async with asyncio.timeout(_FLUSH_S):
            await done.wait()
    except TimeoutError:
        log.warning("traces_dropped", hint="the receiver of traces did not take the last spans in time")
        exporter.shutdown()


def _resource(role: ProcessRole) -> Resource:
    """Returns what the spans say of this process. The variables of OpenTelemetry take precedence."""
    own = Resource(
        {
            "service.namespace": "copydesk",
            "service.name": "copydesk" if role is ProcessRole.UP else f"copydesk-{role}",
            "service.version": version("copydesk"),
            "service.instance.id": str(uuid4()),
            "host.name": platform.node(),
            "process.pid": os.getpid(),
        }
    )
    return Resource.create(own.merge(OTELResourceDetector().detect()).attributes)


class _Reporting(SpanExporter):
    """An exporter that logs once when spans cannot be sent, and once when they can again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._is_failing = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Sends `spans`, within the time limit of the SDK."""
        result = self._exporter.export(spans)
        is_failing = result is not SpanExportResult.SUCCESS
        if is_failing and not self._is_failing:
            log.warning("traces_not_sent", hint="documents are processed all the same; spans are dropped")
        if self._is_failing and not is_failing:
            log.info("traces_sent_again")
        self._is_failing = is_failing
        return result

    def shutdown(self) -> None:
        """Breaks off what is being sent."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Asks the exporter, which holds none: the processor does."""
        return self._exporter.force_flush(timeout_millis)


class OtelTracer:
    """Implements `contract.tracing.Tracer`. `messaging_system` is the name of the broker in spans."""

    is_on: Final = True

    def __init__(self, tracer: trace.Tracer, messaging_system: str) -> None:
        self._tracer = tracer
        self._system = {MESSAGING_SYSTEM: messaging_system}

    def start(  # noqa: PLR0913 - as in `Tracer`
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        parent: TraceContext | None,
        links: Sequence[TraceContext] = (),
        attributes: Mapping[str, Value] | None = None,
        began_s: float | None = None,
    ) -> Span:
        """See `contract.tracing.Tracer.start`."""
        given = attributes or {}
        span = self._tracer.start_span(
            name,
            context=_NOWHERE if parent is None else trace.set_span_in_context(_remote(parent), _NOWHERE),
            kind=_KINDS[kind],
            attributes={**self._system, **given} if kind in _MESSAGING else given,
            links=[Link(_remote(link).get_span_context()) for link in links],
            start_time=None if began_s is None else round(began_s * _NANOSECONDS),
            record_exception=False,
            set_status_on_exception=False,
        )
        return _OtelSpan(span)


class _OtelSpan:
    """A span of OpenTelemetry as `contract.tracing.Span`."""

    __slots__ = ("_has_failed", "_span", "context")

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        self._has_failed = False
        self.context: TraceContext | None = _context_of(span.get_span_context())

    def set(self, name: str, value: Value) -> None:
        self._span.set_attribute(name, value)

    def fail(self, error: str) -> None:
        if not self._has_failed:
            self._has_failed = True
            self._span.set_attribute(ERROR_TYPE, error)
            self._span.set_status(Status(StatusCode.ERROR))

    def end(self, ended_s: float | None = None) -> None:
        self._span.end(None if ended_s is None else round(ended_s * _NANOSECONDS))


def _context_of(context: SpanContext) -> TraceContext:
    state = context.trace_state.to_header()
    return TraceContext(
        f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}", state or None
    )


def _remote(context: TraceContext) -> NonRecordingSpan:
    state = TraceState() if context.tracestate is None else TraceState.from_header([context.tracestate])
    return NonRecordingSpan(
        SpanContext(
            int(context.trace_id, 16),
            int(context.span_id, 16),
            is_remote=True,
            trace_flags=TraceFlags(context.flags),
            trace_state=state,
        )
    )
