"""The spans with which documents go to the broker. What a document carries from there on is the context of its span."""

from collections.abc import Sequence
from dataclasses import replace
from types import TracebackType
from typing import Self

from aiohttp import web

from contract.broker import NotPut
from contract.job import Job
from contract.spans import about, sending
from contract.topology import INTAKE
from contract.tracing import Span, SpanKind, TraceContext, current
from service.context import TRACER


class Sending:
    """The sending of `jobs`, which has a span for each. They continue the trace of the request.

    `apart`: they do not, because they are many: each begins a trace of its own, which is linked to that of the request.
    Without a tracer they carry what the client sent.
    """

    def __init__(self, app: web.Application, jobs: Sequence[Job], *, apart: bool = False) -> None:
        request, tracer = current(), app[TRACER]
        self._spans: list[Span] = []
        if tracer.is_on:
            parent, links = (None, [request] if request else []) if apart else (request, [])
            self._spans = [
                tracer.start(
                    f"send {INTAKE}",
                    SpanKind.PRODUCER,
                    parent=parent,
                    links=links,
                    attributes={**sending(INTAKE, job.lane, job.id), **about(job)},
                )
                for job in jobs
            ]
            self.jobs: Sequence[Job] = [_of(job, it.context) for job, it in zip(jobs, self._spans, strict=True)]
        else:
            self.jobs = jobs if request is None else [_of(job, request) for job in jobs]

    def __enter__(self) -> Self:
        """Begins nothing: the spans have begun."""
        return self

    def tell(self, outcomes: Sequence[NotPut]) -> None:
        """Notes what became of each job."""
        for span, outcome in zip(self._spans, outcomes, strict=False):
            if outcome is not None:
                span.fail(type(outcome).__name__)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Ends the spans. An exception is a failure of all of them."""
        for span in self._spans:
            if kind is not None:
                span.fail(kind.__name__)
            span.end()


def _of(job: Job, trace: TraceContext | None) -> Job:
    return replace(job, trace=trace)
