"""A receiver of traces: OTLP over HTTP, as a collector speaks it. It imports nothing of Copydesk."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from tests.served import served

PATIENCE_S = 60.0  # for spans that must come; chosen for machines under load


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """One span as it came. Ids are hex digits; `parent` is empty where the trace begins with it."""

    service: str
    name: str
    trace: str
    id: str
    parent: str
    links: Sequence[tuple[str, str]]
    attributes: dict[str, Any]


@dataclass
class OtlpReceiver:
    """`spans` in the order in which they came, `raw` their bytes. While `hangs`, no request is answered."""

    url: str = ""
    spans: list[ReceivedSpan] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    requests: int = 0
    hangs: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["OtlpReceiver"]:
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.add_routes([web.post("/v1/traces", self._take)])
        async with served(app) as self.url:
            yield self

    async def _take(self, request: web.Request) -> web.Response:
        self.requests += 1
        if self.hangs:
            await asyncio.Event().wait()
        body = await request.read()
        body = gzip.decompress(body) if request.headers.get("Content-Encoding") == "gzip" else body
        message = ExportTraceServiceRequest.FromString(body)
        async with self.changed:
            self.raw.append(body)
            self.spans += _spans(message)
            self.changed.notify_all()
        return web.Response(
            body=ExportTraceServiceResponse().SerializeToString(), content_type="application/x-protobuf"
        )

    async def until(self, are_there: Callable[[Sequence[ReceivedSpan]], bool]) -> None:
        """Returns when `are_there` is true of what came."""
        async with asyncio.timeout(PATIENCE_S), self.changed:
            await self.changed.wait_for(lambda: are_there(self.spans))

    def trace(self, trace_id: str) -> dict[str, ReceivedSpan]:
        """Returns the spans of one trace by name. Each name must be there once."""
        found = [span for span in self.spans if span.trace == trace_id]
        named = {span.name: span for span in found}
        assert len(named) == len(found), sorted(span.name for span in found)
        return named


def _spans(message: ExportTraceServiceRequest) -> list[ReceivedSpan]:
    return [
        ReceivedSpan(
            service=_attributes(of_process.resource.attributes)["service.name"],
            name=span.name,
            trace=span.trace_id.hex(),
            id=span.span_id.hex(),
            parent=span.parent_span_id.hex(),
            links=[(link.trace_id.hex(), link.span_id.hex()) for link in span.links],
            attributes=_attributes(span.attributes),
        )
        for of_process in message.resource_spans
        for scope in of_process.scope_spans
        for span in scope.spans
    ]


def _attributes(pairs: Any) -> dict[str, Any]:  # noqa: ANN401 - repeated KeyValue
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in pairs}
