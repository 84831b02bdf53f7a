"""A tracer with OpenTelemetry's SDK whose spans stay in memory."""

from collections.abc import Sequence

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from runtime.otlp import OtelTracer


class SpanRecorder:
    """A tracer, and the spans that ended."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._exporter))
        self.tracer = OtelTracer(provider.get_tracer("tests"), "rabbitmq")

    @property
    def spans(self) -> Sequence[ReadableSpan]:
        """The spans that ended, in this order."""
        return self._exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        """Returns the only span of this name."""
        (span,) = [each for each in self.spans if each.name == name]
        return span


def span_id(span: ReadableSpan) -> int:
    """Returns the id of a span."""
    assert span.context is not None
    return int(span.context.span_id)


def trace_id(span: ReadableSpan) -> int:
    """Returns the id of a span's trace."""
    assert span.context is not None
    return int(span.context.trace_id)


def parent_id(span: ReadableSpan) -> int | None:
    """Returns the id of a span's parent, None if its trace begins with it."""
    return None if span.parent is None else span.parent.span_id
