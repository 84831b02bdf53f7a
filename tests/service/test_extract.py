"""POST /v1/extract: the article for the caller alone."""

import asyncio
import io
import json

import pytest
from aiohttp import ClientResponse

from contract.broker import BrokerError, BrokerFull, BrokerUnavailable, NotTaken
from contract.codec import encode
from contract.events import Event
from contract.reasons import Reason
from tests.brokers import samples
from tests.service.conftest import Desk, OpenDesk, problem

BODY = json.dumps({"text": "The ferry sails again."})


async def extracted(desk: Desk, answer: Event | BrokerError, body: str = BODY, **headers: str) -> ClientResponse:
    """Requests a preview that gets this answer."""
    desk.broker.answers.put_nowait(answer if isinstance(answer, BrokerError) else encode(answer))
    return await desk.post(body, path="/v1/extract", **headers)


def count_of(desk: Desk, outcome: str) -> float:
    return desk.sample("copydesk_waits_total", kind="extraction", outcome=outcome)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/vnd.copydesk.article+json"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain"),
    ],
)
async def test_the_article_is_answered_and_nothing_is_stored(desk: Desk, accept: str, content_type: str) -> None:
    event = samples.processed(samples.job())
    response = await extracted(desk, event, Accept=accept)
    assert (response.status, response.content_type) == (200, content_type)
    body = await response.read()
    assert body == (event.data.text.encode() if accept == "text/plain" else encode(event.data))
    (preview,) = desk.broker.previews
    assert preview.content == "The ferry sails again."
    assert desk.broker.jobs == []
    assert desk.sample("copydesk_accepted_total", kind="text", lane="interactive") == 0
    assert count_of(desk, "decided") == 1


@pytest.mark.parametrize(("reason", "later"), [(Reason.NO_ARTICLE, None), (Reason.DNS_ERROR, "10")])
async def test_a_failure_is_a_problem_with_the_reason(desk: Desk, reason: Reason, later: str | None) -> None:
    response = await extracted(desk, samples.failed("some-id", reason), BODY)
    answer = await problem(response)
    assert (response.status, answer["type"], answer["errors"][0]["rule"]) == (
        422,
        "/problems/extraction-failed",
        reason,
    )
    assert response.headers.get("Retry-After") == later


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (NotTaken("amqp://user:secret@broker"), 503, "no-worker"),
        (BrokerUnavailable("amqp://user:secret@broker"), 503, "broker-unavailable"),
        (BrokerFull("amqp://user:secret@broker"), 429, "intake-full"),
    ],
)
async def test_a_preview_without_a_worker_is_refused_with_a_retry_time(
    desk: Desk, error: BrokerError, status: int, slug: str
) -> None:
    response = await extracted(desk, error)
    answer = await problem(response)
    assert (response.status, answer["type"]) == (status, f"/problems/{slug}")
    assert response.headers["Retry-After"] == str(error.retry_after_s)
    assert "secret" not in str(answer)


async def test_a_slow_preview_is_given_up(open_desk: OpenDesk) -> None:
    desk = await open_desk(limits={"extract_timeout_s": 0.05})
    response = await desk.post(BODY, path="/v1/extract")
    assert (response.status, (await problem(response))["type"]) == (504, "/problems/extraction-timeout")
    assert count_of(desk, "timed_out") == 1


async def test_previews_beyond_the_limit_are_refused(open_desk: OpenDesk) -> None:
    desk = await open_desk(limits={"extractions": 1})
    async with asyncio.TaskGroup() as group:
        first = group.create_task(desk.post(BODY, path="/v1/extract"))
        await desk.broker.until_previewed()
        second = await desk.post(BODY, path="/v1/extract")
        assert (second.status, (await problem(second))["type"]) == (503, "/problems/too-many-extractions")
        assert second.headers["Retry-After"] == "2"
        desk.broker.answers.put_nowait(encode(samples.processed(samples.job())))
    assert first.result().status == 200
    assert (await extracted(desk, samples.processed(samples.job()))).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("{}", 422),
        (json.dumps({"text": "a", "nonsense": 1}), 422),
        (json.dumps({"text": "\x00" * 99}), 422),
    ],
)
async def test_the_rules_of_a_submission_hold(desk: Desk, body: str, status: int) -> None:
    response = await desk.post(body, path="/v1/extract")
    assert response.status == status
    assert desk.broker.previews == []


async def test_a_document_that_is_too_large_for_a_preview_is_refused(open_desk: OpenDesk) -> None:
    desk = await open_desk(limits={"max_body_bytes": 4 * 1024**2})
    body = io.BytesIO(json.dumps({"text": "word " * 500_000}).encode())
    response = await desk.client.post("/v1/extract", data=body, headers={"Content-Type": "application/json"})
    assert (response.status, (await problem(response))["type"]) == (413, "/problems/content-too-large")
    assert desk.broker.previews == []


async def test_an_unacceptable_form_is_refused_before_any_work(desk: Desk) -> None:
    response = await desk.post(BODY, path="/v1/extract", Accept="image/png")
    answer = await problem(response)
    assert (response.status, answer["type"]) == (406, "/problems/not-acceptable")
    assert "text/markdown" in answer["detail"]
    assert desk.broker.previews == []


async def test_a_form_that_was_not_asked_for_in_the_options_is_not_there(desk: Desk) -> None:
    response = await extracted(desk, samples.processed(samples.job()), Accept="text/markdown")
    assert response.status == 406
