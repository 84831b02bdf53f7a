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
from tests.service.conftest import RunningApi, StartApi, problem

BODY = json.dumps({"text": "The ferry sails again."})


async def extracted(api: RunningApi, answer: Event | BrokerError, body: str = BODY, **headers: str) -> ClientResponse:
    """Requests a preview that gets this answer."""
    api.broker.answers.put_nowait(answer if isinstance(answer, BrokerError) else encode(answer))
    return await api.post(body, path="/v1/extract", **headers)


def count_of(api: RunningApi, outcome: str) -> float:
    return api.sample("copydesk_waits_total", kind="extraction", outcome=outcome)


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("*/*", "application/vnd.copydesk.article+json"),
        ("application/json", "application/json"),
        ("text/plain", "text/plain"),
    ],
)
async def test_the_article_is_answered_and_nothing_is_stored(api: RunningApi, accept: str, content_type: str) -> None:
    event = samples.processed(samples.job())
    response = await extracted(api, event, Accept=accept)
    assert (response.status, response.content_type) == (200, content_type)
    body = await response.read()
    assert body == (event.data.text.encode() if accept == "text/plain" else encode(event.data))
    (preview,) = api.broker.previews
    assert preview.content == "The ferry sails again."
    assert api.broker.jobs == []
    assert api.sample("copydesk_accepted_total", kind="text", lane="interactive") == 0
    assert count_of(api, "decided") == 1


@pytest.mark.parametrize(("reason", "later"), [(Reason.NO_ARTICLE, None), (Reason.DNS_ERROR, "10")])
async def test_a_failure_is_a_problem_with_the_reason(api: RunningApi, reason: Reason, later: str | None) -> None:
    response = await extracted(api, samples.failed("some-id", reason), BODY)
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
    api: RunningApi, error: BrokerError, status: int, slug: str
) -> None:
    response = await extracted(api, error)
    answer = await problem(response)
    assert (response.status, answer["type"]) == (status, f"/problems/{slug}")
    assert response.headers["Retry-After"] == str(error.retry_after_s)
    assert "secret" not in str(answer)


async def test_a_slow_preview_is_given_up(start_api: StartApi) -> None:
    api = await start_api(limits={"extract_timeout_s": 0.05})
    response = await api.post(BODY, path="/v1/extract")
    assert (response.status, (await problem(response))["type"]) == (504, "/problems/extraction-timeout")
    assert count_of(api, "timed_out") == 1


async def test_previews_beyond_the_limit_are_refused(start_api: StartApi) -> None:
    api = await start_api(limits={"extractions": 1})
    async with asyncio.TaskGroup() as group:
        first = group.create_task(api.post(BODY, path="/v1/extract"))
        await api.broker.until_previewed()
        second = await api.post(BODY, path="/v1/extract")
        assert (second.status, (await problem(second))["type"]) == (503, "/problems/too-many-extractions")
        assert second.headers["Retry-After"] == "2"
        api.broker.answers.put_nowait(encode(samples.processed(samples.job())))
    assert first.result().status == 200
    assert (await extracted(api, samples.processed(samples.job()))).status == 200


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("{", 400),
        ("{}", 422),
        (json.dumps({"text": "a", "nonsense": 1}), 422),
        (json.dumps({"text": "\x00" * 99}), 422),
    ],
)
async def test_the_rules_of_a_submission_hold(api: RunningApi, body: str, status: int) -> None:
    response = await api.post(body, path="/v1/extract")
    assert response.status == status
    assert api.broker.previews == []


async def test_a_document_that_is_too_large_for_a_preview_is_refused(start_api: StartApi) -> None:
    api = await start_api(limits={"max_body_bytes": 4 * 1024**2})
    body = io.BytesIO(json.dumps({"text": "word " * 500_000}).encode())
    response = await api.client.post("/v1/extract", data=body, headers={"Content-Type": "application/json"})
    assert (response.status, (await problem(response))["type"]) == (413, "/problems/content-too-large")
    assert api.broker.previews == []


async def test_an_unacceptable_form_is_refused_before_any_work(api: RunningApi) -> None:
    response = await api.post(BODY, path="/v1/extract", Accept="image/png")
    answer = await problem(response)
    assert (response.status, answer["type"]) == (406, "/problems/not-acceptable")
    assert "text/markdown" in answer["detail"]
    assert api.broker.previews == []


async def test_a_form_that_was_not_asked_for_in_the_options_is_not_there(api: RunningApi) -> None:
    response = await extracted(api, samples.processed(samples.job()), Accept="text/markdown")
    assert response.status == 406
