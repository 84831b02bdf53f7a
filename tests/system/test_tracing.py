"""Traces from the request to the delivery, as a receiver of OTLP sees them, on both brokers."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import free_ports
from tests.served import served
from tests.system.ledger_stacks import KINDS, Stack, opened
from tests.system.otlp_receiver import OtlpReceiver, ReceivedSpan
from tests.system.processes import running
from tests.system.prometheus_server import prometheus

pytestmark = [pytest.mark.system, pytest.mark.timeout(240)]

TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 3
PAGE = f"<html><title>Ferry</title><body><article><h1>Ferry</h1><p>{TEXT}</p><p>{TEXT}</p></article></body></html>"
CALLER_TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
SETTINGS = {
    "COPYDESK_WEBHOOK_ALLOW": "127.0.0.0/8",
    "COPYDESK_FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
    "COPYDESK_CALLBACK_SECRET": "only the servers know this secret",
    "COPYDESK_PARSERS": "1",
    "OTEL_BSP_SCHEDULE_DELAY": "100",
}
STAGES = {"extract", "normalise", "compare"}
WAY = {
    *("send copydesk.intake", "process copydesk.intake", *STAGES, "send copydesk.log", "process copydesk.log", "POST"),
}
"""The spans of every document that one webhook hears of, without that of its request."""


@pytest.fixture(scope="module")
def cluster() -> Iterator[PostgresCluster]:
    postgres = PostgresCluster()
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.close()


class Neighbours:
    """A site with one page, and a receiver of webhooks and callbacks, which keeps what it gets by document."""

    def __init__(self) -> None:
        self.webhook: dict[str, tuple[dict[str, str], dict[str, Any]]] = {}
        self.callback: dict[str, dict[str, str]] = {}
        self.fetched_with: list[dict[str, str]] = []
        self.url = ""
        self.changed = asyncio.Condition()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator["Neighbours"]:
        app = web.Application()
        app.add_routes([web.get("/page", self._page), web.post("/hook", self._take), web.post("/done", self._take)])
        async with served(app) as self.url:
            yield self

    async def _page(self, request: web.Request) -> web.Response:
        self.fetched_with.append({name.lower(): value for name, value in request.headers.items()})
        return web.Response(text=PAGE, content_type="text/html")

    async def _take(self, request: web.Request) -> web.Response:
        headers, event = {name.lower(): value for name, value in request.headers.items()}, await request.json()
        async with self.changed:
            if request.path == "/hook":
                self.webhook[event["subject"]] = headers, event
            else:
                self.callback[event["subject"]] = headers
            self.changed.notify_all()
        return web.Response(status=204)

    async def until_told(self, ids: set[str]) -> None:
        async with asyncio.timeout(90), self.changed:
            await self.changed.wait_for(lambda: ids <= self.webhook.keys())


async def post(http: aiohttp.ClientSession, api: str, body: dict[str, Any], **headers: str) -> str:
    async with http.post(f"{api}/v1/documents", json=body, headers=headers) as response:
        assert response.status == 202, await response.text()
        return str((await response.json())["id"])


async def post_lines(http: aiohttp.ClientSession, api: str, bodies: list[dict[str, Any]]) -> list[str]:
    data = "".join(f"{json.dumps(body)}\n" for body in bodies)
    headers = {"Content-Type": "application/x-ndjson"}
    async with http.post(f"{api}/v1/documents", data=data, headers=headers) as response:
        return [str(json.loads(line)["id"]) for line in (await response.text()).splitlines()]


def trace_told(neighbours: Neighbours, document_id: str) -> str:
    """Returns the trace that the webhook's request for a document is in."""
    return neighbours.webhook[document_id][0]["traceparent"].split("-")[1]


def sampled(traceparent: str) -> tuple[str, str]:
    """Returns trace and span of a context whose trace is recorded: the lowest of its flags says so."""
    version, trace, span, flags = traceparent.split("-")
    assert (version, int(flags, 16) & 1) == ("00", 1)
    return trace, span


def check_way(spans: dict[str, ReceivedSpan], neighbours: Neighbours, document_id: str) -> None:
    """Checks the spans from the queue to the webhook: each parent, and what is told to others."""
    headers, event = neighbours.webhook[document_id]
    attempt = spans["process copydesk.intake"]
    assert attempt.parent == spans["send copydesk.intake"].id
    for name in spans.keys() - {"send copydesk.intake", "process copydesk.intake", "POST /v1/documents"}:
        assert spans[name].parent == attempt.id, name
    assert sampled(event["traceparent"]) == (attempt.trace, attempt.id)
    assert sampled(headers["traceparent"]) == (attempt.trace, spans["POST"].id)
    assert attempt.attributes["copydesk.document.id"] == event["subject"]


@pytest.fixture
async def neighbours() -> AsyncIterator[Neighbours]:
    async with Neighbours().opened() as opened_:
        yield opened_


@pytest.fixture
async def receiver() -> AsyncIterator[OtlpReceiver]:
    async with OtlpReceiver().opened() as opened_:
        yield opened_


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest, receiver: OtlpReceiver, tmp_path: Path) -> Iterator[Stack]:
    more = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    with opened(request, tmp_path, more) as stack_:
        if stack_.amqp_url is not None:
            stack_.start("deliver").wait_for_urls("ops")
        stack_.servers[-1].wait_for_urls("api")
        yield stack_


async def test_one_trace_leads_from_the_request_to_the_webhook(
    stack: Stack, receiver: OtlpReceiver, neighbours: Neighbours
) -> None:
    way = WAY | ({"send copydesk.documents"} if stack.amqp_url else set())
    async with aiohttp.ClientSession() as http:
        hook = {"url": f"{neighbours.url}/hook?key=s3cret"}
        async with http.post(f"{stack.api}/v1/webhooks", json=hook) as response:
            assert response.status == 201, await response.text()
        caller = {"traceparent": f"00-{CALLER_TRACE}-{CALLER}-01", "tracestate": "congo=1"}
        text = await post(http, stack.api, {"text": TEXT}, **caller)
        url = await post(http, stack.api, {"url": f"{neighbours.url}/page?token=s3cret"})
        bulk = await post_lines(http, stack.api, [{"text": f"{TEXT} {number}"} for number in range(2)])
        await neighbours.until_told({text, url, *bulk})
    wanted = {(trace_told(neighbours, it), name) for it in (text, url, *bulk) for name in way}
    wanted |= {(trace_told(neighbours, it), "POST /v1/documents") for it in (text, url)}
    wanted |= {(trace_told(neighbours, url), "fetch")}
    await receiver.until(lambda spans: wanted <= {(span.trace, span.name) for span in spans})

    spans = receiver.trace(trace_told(neighbours, text))
    assert spans.keys() == way | {"POST /v1/documents"}
    assert spans["POST /v1/documents"].trace == CALLER_TRACE
    assert spans["POST /v1/documents"].parent == CALLER
    assert spans["send copydesk.intake"].parent == spans["POST /v1/documents"].id
    assert neighbours.webhook[text][0]["tracestate"] == neighbours.webhook[text][1]["tracestate"] == "congo=1"
    check_way(spans, neighbours, text)

    spans = receiver.trace(trace_told(neighbours, url))
    assert spans.keys() == way | {"POST /v1/documents", "fetch"}
    assert spans["POST /v1/documents"].parent == ""
    assert "tracestate" not in neighbours.webhook[url][1]
    check_way(spans, neighbours, url)
    assert all("traceparent" not in headers for headers in neighbours.fetched_with)  # sites hear of no trace

    (request,) = (
        span
        for span in receiver.spans
        if span.name == "POST /v1/documents" and span.attributes.get("http.response.status_code") == 200
    )
    for document_id in bulk:
        spans = receiver.trace(trace_told(neighbours, document_id))
        assert spans.keys() == way
        assert spans["send copydesk.intake"].parent == ""
        assert spans["send copydesk.intake"].links == [(request.trace, request.id)]
        check_way(spans, neighbours, document_id)

    system = "rabbitmq" if stack.amqp_url else "copydesk"
    assert spans["process copydesk.log"].attributes["messaging.system"] == system
    roles = {span.name: span.service for span in spans.values()}
    expected = {"send copydesk.intake": "serve", "extract": "work", "process copydesk.log": "record", "POST": "deliver"}
    for name, role in expected.items():
        assert roles[name] == (f"copydesk-{role}" if stack.amqp_url else "copydesk")
    assert b"harbour" not in b"".join(receiver.raw)
    assert b"s3cret" not in b"".join(receiver.raw)


async def test_a_callback_is_part_of_the_trace(receiver: OtlpReceiver, neighbours: Neighbours, tmp_path: Path) -> None:
    more = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path), settings=more) as process:
        api = process.wait_for_urls("api")["api"]
        body = {"text": TEXT, "options": {"callback_url": f"{neighbours.url}/done?token=s3cret"}}
        async with aiohttp.ClientSession() as http:
            document_id = await post(http, api, body)
        async with asyncio.timeout(60), neighbours.changed:
            await neighbours.changed.wait_for(lambda: document_id in neighbours.callback)
        trace, told = sampled(neighbours.callback[document_id]["traceparent"])
        await receiver.until(lambda spans: told in {span.id for span in spans})
    spans = receiver.trace(trace)
    assert (spans["POST"].id, spans["POST"].parent) == (told, spans["process copydesk.intake"].id)
    assert spans["POST"].attributes["http.response.status_code"] == 204


async def test_measurements_and_lines_of_the_log_name_their_trace(receiver: OtlpReceiver, tmp_path: Path) -> None:
    more = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url}
    with ExitStack() as stack:
        process = stack.enter_context(
            running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path / "data"), settings=more)
        )
        urls = process.wait_for_urls("api", "ops")
        targets = {"copydesk": [urls["ops"].removeprefix("http://")]}
        server = stack.enter_context(prometheus(tmp_path / "prometheus", targets))
        async with aiohttp.ClientSession() as http:
            document_id = await post(http, urls["api"], {"text": TEXT})
            (event,) = await decided(http, urls["api"], 1)
        trace = event["traceparent"].split("-")[1]
        names = ("request_seconds", "queue_wait_seconds", "stage_seconds", "decided_seconds")
        async with aiohttp.ClientSession(server) as http, asyncio.timeout(60):
            found: dict[str, set[str]] = {}
            while set(found) != set(names):
                await asyncio.sleep(0.5)
                for name in names:
                    told = await exemplars(http, f"copydesk_{name}_bucket")
                    if trace in told:
                        found[name] = told
        assert await asyncio.to_thread(process.stop) == 0
    (line,) = (entry for entry in process.log if entry["event"] == "verdict")
    (attempt,) = (span for span in receiver.spans if span.name == "process copydesk.intake")
    assert (line["id"], line["trace_id"], line["span_id"]) == (document_id, attempt.trace, attempt.id)


async def exemplars(http: aiohttp.ClientSession, metric: str) -> set[str]:
    """Returns the traces that a real Prometheus keeps beside a metric."""
    query = {"query": metric, "start": str(time.time() - 600), "end": str(time.time() + 60)}
    try:
        async with http.get("/api/v1/query_exemplars", params=query) as response:
            data = (await response.json())["data"] if response.status == 200 else []
    except aiohttp.ClientConnectionError:
        return set()  # it starts
    return {it["labels"]["trace_id"] for series in data for it in series["exemplars"]}


async def decided(http: aiohttp.ClientSession, api: str, count: int) -> list[dict[str, Any]]:
    """Returns the first events of the log."""
    events: list[dict[str, Any]] = []
    query = {"after": "oldest", "format": "ndjson"}
    async with asyncio.timeout(90), http.get(f"{api}/v1/events", params=query) as response:
        async for line in response.content:
            entry = json.loads(line)
            if "event" in entry:
                events.append(entry["event"])
            if len(events) == count:
                return events
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("fault", ["hangs", "away"])
async def test_documents_are_processed_while_the_receiver_of_traces_is_not_there(
    receiver: OtlpReceiver, tmp_path: Path, fault: str
) -> None:
    receiver.hangs = True
    (nobody,) = free_ports(1)
    url = receiver.url if fault == "hangs" else f"http://127.0.0.1:{nobody}"
    more = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_MAX_QUEUE_SIZE": "64"}
    more["OTEL_BSP_MAX_EXPORT_BATCH_SIZE"] = "16"
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path), settings=more) as process:
        api = process.wait_for_urls("api")["api"]
        async with aiohttp.ClientSession() as http:
            await post_lines(http, api, [{"text": f"{TEXT} {number}"} for number in range(100)])
            events = await decided(http, api, 100)
        began = time.monotonic()
        code = await asyncio.to_thread(process.stop)
        assert code == 0, process.log[-3:]
        assert time.monotonic() - began < 20
        assert {event["type"] for event in events} == {"copydesk.document.processed.v1"}
        assert all("traceparent" in event for event in events)
        told = [str(entry["event"]) for entry in process.log if str(entry["event"]).startswith("traces")]
        assert set(told) <= {"traces_not_sent", "traces_dropped"}
        assert 1 <= len(told) == len(set(told))  # and not once for each batch
        assert (receiver.requests > 0) is (fault == "hangs")


async def test_sampling_follows_the_standard_variables(receiver: OtlpReceiver, tmp_path: Path) -> None:
    more = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, "OTEL_TRACES_SAMPLER": "parentbased_always_off"}
    more |= {"OTEL_SERVICE_NAME": "desk", "OTEL_RESOURCE_ATTRIBUTES": "deployment.environment.name=test"}
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path), settings=more) as process:
        api = process.wait_for_urls("api")["api"]
        async with aiohttp.ClientSession() as http:
            await post(http, api, {"text": TEXT})
            await post(http, api, {"text": f"{TEXT} 2"}, traceparent=f"00-{CALLER_TRACE}-{CALLER}-01")
            events = await decided(http, api, 2)
        assert await asyncio.to_thread(process.stop) == 0
    assert {int(event["traceparent"][-2:], 16) & 1 for event in events} == {0, 1}
    assert {(span.trace, span.service) for span in receiver.spans} == {(CALLER_TRACE, "desk")}
    assert b"deployment.environment.name" in receiver.raw[0]


@pytest.mark.parametrize(
    "more", [{"COPYDESK_TRACING": "false"}, {"OTEL_SDK_DISABLED": "true"}, {"OTEL_TRACES_EXPORTER": "none"}]
)
async def test_it_can_be_turned_off_where_the_environment_names_a_receiver(
    receiver: OtlpReceiver, tmp_path: Path, more: dict[str, str]
) -> None:
    settings = {**SETTINGS, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.url, **more}
    with ExitStack() as stack:
        process = stack.enter_context(
            running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path), settings=settings)
        )
        api = process.wait_for_urls("api")["api"]
        async with aiohttp.ClientSession() as http:
            await post(http, api, {"text": TEXT})
            (event,) = await decided(http, api, 1)
        assert await asyncio.to_thread(process.stop) == 0
    assert "traceparent" not in event
    assert receiver.requests == 0
