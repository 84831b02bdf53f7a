"""A document carries the trace of its request, and each request has a span if there is a tracer."""

import asyncio
from typing import Any

import pytest

from contract.broker import BrokerFull
from contract.tracing import TraceContext
from tests.service.conftest import RunningApi, StartApi
from tests.spans import SpanRecorder, parent_id, span_id, trace_id

TRACE, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE}-{CALLER}-01"
HEADERS = {"traceparent": TRACEPARENT, "tracestate": "congo=1"}
LINES = b'{"text": "One."}\n{"text": "Two."}\n'


async def post_text(api: RunningApi, **headers: str) -> str:
    async with api.client.post("/v1/documents", json={"text": "A word."}, headers=headers) as response:
        assert response.status == 202
        return str((await response.json())["id"])


async def test_without_a_tracer_a_document_carries_what_the_client_sent(api: RunningApi) -> None:
    await post_text(api, **HEADERS)
    (job,) = api.broker.jobs
    assert job.trace == TraceContext(TRACEPARENT, "congo=1")


@pytest.mark.parametrize("sent", [{}, {"traceparent": "00-nonsense-01"}, {"tracestate": "congo=1"}])
async def test_without_a_valid_traceparent_a_document_carries_none(api: RunningApi, sent: dict[str, str]) -> None:
    await post_text(api, **sent)
    (job,) = api.broker.jobs
    assert job.trace is None


async def test_the_trace_of_one_request_does_not_stay_for_the_next_on_its_connection(api: RunningApi) -> None:
    await post_text(api, **HEADERS)
    await post_text(api)
    assert [job.trace for job in api.broker.jobs] == [TraceContext(TRACEPARENT, "congo=1"), None]


async def test_without_a_tracer_all_documents_of_a_request_carry_what_the_client_sent(api: RunningApi) -> None:
    headers = {"content-type": "application/x-ndjson", **HEADERS}
    async with api.client.post("/v1/documents", data=LINES, headers=headers) as response:
        assert response.status == 200
        await response.read()
    assert [job.trace for job in api.broker.jobs] == [TraceContext(TRACEPARENT, "congo=1")] * 2


async def test_a_document_continues_the_trace_of_its_request(start_api: StartApi) -> None:
    recorder = SpanRecorder()
    api = await start_api(tracer=recorder.tracer)
    document_id = await post_text(api, **HEADERS)
    request, sent = recorder.named("POST /v1/documents"), recorder.named("send copydesk.intake")
    assert f"{trace_id(request):032x}" == f"{trace_id(sent):032x}" == TRACE
    assert (f"{parent_id(request):016x}", parent_id(sent)) == (CALLER, span_id(request))
    (job,) = api.broker.jobs
    assert job.trace == TraceContext(f"00-{TRACE}-{span_id(sent):016x}-01", "congo=1")
    assert dict(request.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/documents",
        "http.response.status_code": 202,
        "url.scheme": "http",
    }
    assert dict(sent.attributes or {}) == {
        "messaging.system": "rabbitmq",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": "copydesk.intake",
        "messaging.rabbitmq.destination.routing_key": "interactive",
        "messaging.message.id": document_id,
        "copydesk.document.id": document_id,
        "copydesk.document.kind": "text",
        "copydesk.run": 1,
        "copydesk.attempt": 1,
    }


async def test_each_document_of_many_begins_a_trace_that_is_linked_to_the_request(start_api: StartApi) -> None:
    recorder = SpanRecorder()
    api = await start_api(tracer=recorder.tracer)
    headers = {"content-type": "application/x-ndjson", **HEADERS}
    async with api.client.post("/v1/documents", data=LINES, headers=headers) as response:
        await response.read()
    request = recorder.named("POST /v1/documents")
    sent = [span for span in recorder.spans if span.name == "send copydesk.intake"]
    assert len({trace_id(span) for span in sent} | {trace_id(request)}) == 3
    assert [parent_id(span) for span in sent] == [None, None]
    assert [[link.context.span_id for link in span.links] for span in sent] == [[span_id(request)]] * 2
    assert {job.trace.span_id for job in api.broker.jobs if job.trace} == {f"{span_id(span):016x}" for span in sent}


async def test_a_document_that_is_refused_is_an_error_of_its_span(start_api: StartApi) -> None:
    recorder = SpanRecorder()
    api = await start_api(tracer=recorder.tracer)
    api.broker.refusal = BrokerFull("the lane is at its limit")
    async with api.client.post("/v1/documents", json={"text": "A word."}) as response:
        assert response.status == 429
    sent, request = recorder.named("send copydesk.intake"), recorder.named("POST /v1/documents")
    assert attributes(sent)["error.type"] == "BrokerFull"
    assert "error.type" not in attributes(request)  # the client is told what to do
    assert attributes(request)["http.response.status_code"] == 429


async def test_a_request_of_no_route_is_named_by_its_method_alone(start_api: StartApi) -> None:
    recorder = SpanRecorder()
    api = await start_api(tracer=recorder.tracer)
    async with api.client.get("/no/such?token=secret") as response:
        assert response.status == 404
    assert "http.route" not in attributes(recorder.named("GET"))
    assert "such" not in str(attributes(recorder.named("GET")))


async def test_requests_at_once_have_their_own_traces(start_api: StartApi) -> None:
    recorder = SpanRecorder()
    api = await start_api(tracer=recorder.tracer)
    ids = await asyncio.gather(*(post_text(api) for _ in range(20)))
    sent = {attributes(span)["messaging.message.id"]: span for span in recorder.spans if span.name.startswith("send")}
    requests = {span_id(span): span for span in recorder.spans if span.name.startswith("POST")}
    assert sent.keys() == set(ids)
    assert len({trace_id(span) for span in sent.values()}) == 20
    assert {parent_id(span) for span in sent.values()} == requests.keys()


def attributes(span: Any) -> dict[str, Any]:  # noqa: ANN401 - a span of the SDK
    return dict(span.attributes)
