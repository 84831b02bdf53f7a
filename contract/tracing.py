"""Traces: the context that travels with a document (W3C Trace Context), and how spans are made of it.

Who makes spans asks a `Tracer`. `OFF` makes none, and hands on the context of the caller as it came. The tracer that
exports spans is in `runtime/tracing`; nothing else knows OpenTelemetry.
"""

import re
from collections.abc import Mapping, Sequence
from contextvars import Context, ContextVar, Token, copy_context
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Any, Final, Protocol

TRACEPARENT: Final = "traceparent"
TRACESTATE: Final = "tracestate"

MAX_TRACESTATE_CHARS: Final = 512  # W3C Trace Context, section 3.3.1.5: what is passed on at least; more is dropped
_MAX_MEMBERS: Final = 32  # W3C Trace Context, section 3.3.1.1: of a tracestate, at most

# W3C Trace Context, section 3.2.2: version, trace id, parent id, flags. Later versions may add fields at the end.
_FORM: Final = re.compile(
    r"(?:00|(?!ff)[0-9a-f]{2}(?=-.{52}(?:-|$)))-((?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2})", re.ASCII
)
_FORM_CHARS: Final = 55  # of a traceparent of version 00: two numbers of 2 digits, two ids, three hyphens
_KEY: Final = r"(?:[a-z][_0-9a-z\-*/]{0,255}|[a-z0-9][_0-9a-z\-*/]{0,240}@[a-z][_0-9a-z\-*/]{0,13})"
_VALUE: Final = r"[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
_MEMBER: Final = re.compile(rf"[ \t]*(?:{_KEY}={_VALUE}[ \t]*)?")  # W3C Trace Context, section 3.3.1; it may be empty
_SAMPLED: Final = 1  # W3C Trace Context, section 3.2.2.5.1: the lowest bit of the flags

Value = str | int | float | bool


@dataclass(frozen=True, slots=True)
class TraceContext:
    """A place in a trace: `traceparent` of version 00, and what vendors add to it."""

    traceparent: str
    tracestate: str | None = None

    @property
    def trace_id(self) -> str:
        """The trace, as 32 hex digits."""
        return self.traceparent[3:35]

    @property
    def span_id(self) -> str:
        """The span, as 16 hex digits."""
        return self.traceparent[36:52]

    @property
    def flags(self) -> int:
        """The trace flags."""
        return int(self.traceparent[53:], 16)

    @property
    def is_sampled(self) -> bool:
        """True if the spans of the trace are recorded."""
        return bool(self.flags & _SAMPLED)

    def headers(self) -> dict[str, str]:
        """Returns the context as HTTP headers, which are called the same in AMQP and CloudEvents."""
        headers = {TRACEPARENT: self.traceparent}
        return headers if self.tracestate is None else {**headers, TRACESTATE: self.tracestate}


def received(traceparents: Sequence[str], tracestates: Sequence[str] = ()) -> TraceContext | None:
    """Returns the context that a request or message brings; None if it brings none, or none that is valid.

    A `tracestate` that is invalid or long is left out, as the standard wants it.
    """
    if len(traceparents) != 1:
        return None
    stated = traceparents[0]
    found = _FORM.match(stated)
    if found is None or (stated.startswith("00") and len(stated) != _FORM_CHARS):
        return None
    return TraceContext(f"00-{found[1]}", _state(tracestates))


def _state(headers: Sequence[str]) -> str | None:
    state = ",".join(headers)
    members = state.split(",")
    fits = len(state) <= MAX_TRACESTATE_CHARS and len(members) <= _MAX_MEMBERS
    return state if state.strip() and fits and all(map(_MEMBER.fullmatch, members)) else None


def stated_in(fields: Mapping[str, Any]) -> TraceContext | None:
    """Returns the context that `fields`, those of an event or of a message, state; None if there is no valid one."""
    parent, state = fields.get(TRACEPARENT), fields.get(TRACESTATE)
    if not isinstance(parent, str):
        return None
    return received([parent], [state] if isinstance(state, str) else [])


def checked(context: TraceContext | None) -> TraceContext | None:
    """Returns a context that another program may have written, None if it is not valid."""
    return None if context is None else stated_in(context.headers())


class SpanKind(StrEnum):
    """What a span is about: https://opentelemetry.io/docs/specs/otel/trace/api/#spankind."""

    INTERNAL = "internal"
    SERVER = "server"
    CLIENT = "client"
    PRODUCER = "producer"
    CONSUMER = "consumer"


class Span(Protocol):
    """One span. Its `context` is what it hands on; None if there is no trace."""

    @property
    def context(self) -> TraceContext | None: ...

    def set(self, name: str, value: Value) -> None:
        """Sets an attribute."""

    def fail(self, error: str) -> None:
        """Notes that what the span is about failed, and why: a name out of a small set. The first one counts."""

    def end(self, ended_s: float | None = None) -> None:
        """Ends the span now, or at that Unix time."""


class Tracer(Protocol):
    """Makes spans. `is_on` is False if it makes none: then nobody need prepare what only spans use."""

    @property
    def is_on(self) -> bool: ...

    def start(  # noqa: PLR0913 - what a span has
        self,
        name: str,
        kind: SpanKind = SpanKind.INTERNAL,
        *,
        parent: TraceContext | None,
        links: Sequence[TraceContext] = (),
        attributes: Mapping[str, Value] | None = None,
        began_s: float | None = None,
    ) -> Span:
        """Starts a span now, or at the Unix time `began_s`. Without `parent` a trace begins with it."""


@dataclass(frozen=True, slots=True)
class _Carried:
    """No span: it hands on the context of its parent."""

    context: TraceContext | None

    def set(self, name: str, value: Value) -> None:
        """Does nothing."""

    def fail(self, error: str) -> None:
        """Does nothing."""

    def end(self, ended_s: float | None = None) -> None:
        """Does nothing."""


_NONE: Final = _Carried(None)


class _Off:
    """The tracer that makes no spans."""

    is_on: Final = False

    def start(self, *_: object, parent: TraceContext | None, **__: object) -> Span:
        return _NONE if parent is None else _Carried(parent)


OFF: Final[Tracer] = _Off()

_CURRENT: ContextVar[TraceContext | None] = ContextVar("copydesk_trace", default=None)
_DOCUMENT: ContextVar[str | None] = ContextVar("copydesk_document", default=None)


def current() -> TraceContext | None:
    """Returns the context of the span that this task is in, None outside of all."""
    return _CURRENT.get()


def document() -> str | None:
    """Returns the id of the document that this task works on, None if it works on none."""
    return _DOCUMENT.get()


def outside() -> Context:
    """Returns a context for a task that outlives whoever begins it: in no span, and about no document."""
    context = copy_context()
    context.run(_CURRENT.set, None)
    context.run(_DOCUMENT.set, None)
    return context


class Within:
    """Runs its body in `span`, which ends with it. An exception counts as the span's failure, by the class name.

    With `document_id` the body is about that document, which its lines in the log name.
    """

    __slots__ = ("_document", "_document_id", "_span", "_trace")

    def __init__(self, span: Span, document_id: str | None = None) -> None:
        self._span = span
        self._document_id = document_id
        self._trace: Token[TraceContext | None] | None = None
        self._document: Token[str | None] | None = None

    def __enter__(self) -> Span:
        """Makes the span's context the current one."""
        if self._span.context is not None:
            self._trace = _CURRENT.set(self._span.context)
        if self._document_id is not None:
            self._document = _DOCUMENT.set(self._document_id)
        return self._span

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Ends the span."""
        if self._trace is not None:
            _CURRENT.reset(self._trace)
        if self._document is not None:
            _DOCUMENT.reset(self._document)
        if kind is not None:
            self._span.fail(kind.__name__)
        self._span.end()


def exemplar_of(context: TraceContext | None) -> dict[str, str] | None:
    """Returns the labels by which a measurement names its trace, None if the trace is not recorded."""
    return {"trace_id": context.trace_id} if context is not None and context.is_sampled else None
