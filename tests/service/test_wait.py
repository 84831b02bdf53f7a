"""`Prefer: wait`: a submission, or a look-up, that is answered when the document is decided."""

import asyncio
import json
from dataclasses import replace
from datetime import datetime

import pytest
from aiohttp import ClientResponse

from contract.broker import BrokerUnavailable
from contract.codec import encode
from contract.events import Event, ProcessedEvent
from contract.ids import document_id_for_key
from contract.job import Job
from contract.ledger import DocumentFilter, DocumentPage, DocumentPlace, Erased, LedgerUnavailable, Run
from contract.reasons import Reason
from tests.brokers import samples
from tests.runtime.ledger.records import Records, next_run
from tests.service.conftest import NOW, RunningApi, StartApi, problem
from tests.service.ledgers import BrokenLedger, StartLedgerApi, ledger_api, records
from tests.service.test_document_view import id_made

__all__ = ["ledger_api", "records"]

EVENT = "application/cloudevents+json"
ARTICLE = "application/vnd.copydesk.article+json"
BODY = json.dumps({"text": "The ferry sails again."})


def tell(api: RunningApi, event: Event) -> None:
    """Publishes `event`, as a worker somewhere does."""
    api.broker.watches.tell(event.subject, encode(event))


def article(job: Job) -> ProcessedEvent:
    event = samples.processed(job)
    return replace(event, data=replace(event.data, title="Grüße", html="<p>Grüße"))


async def posted(api: RunningApi, **headers: str) -> tuple[ClientResponse, Event]:
    """Posts a document that is decided as soon as it is stored; returns the answer and the event."""
    count = len(api.broker.jobs)
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(api.post(BODY, **headers))
        await api.broker.until_put(count + 1)
        event = article(api.broker.jobs[-1])
        tell(api, event)
    return answer.result(), event


async def looked_up(api: RunningApi, event: Event, path: str = "", **headers: str) -> ClientResponse:
    """Looks a document up, waits, and is told of `event` meanwhile."""
    url = path or f"/v1/documents/{event.subject}"
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(api.client.get(url, headers={"Prefer": "wait=20", **headers}))
        await api.broker.until_watched()
        tell(api, event)
    return answer.result()


def waits(api: RunningApi, wait_for: str, outcome: str) -> float:
    return api.sample("copydesk_waits_total", kind=wait_for, outcome=outcome)


async def test_a_submission_that_waits_is_answered_with_the_event(api: RunningApi) -> None:
    response, event = await posted(api, Prefer="wait=20")
    assert (response.status, response.content_type) == (200, EVENT)
    assert await response.read() == encode(event)
    assert response.headers["Preference-Applied"] == "wait=20"
    assert "Location" not in response.headers  # there is no ledger
    assert waits(api, "submission", "decided") == 1
    assert api.sample("copydesk_waiting_requests", kind="submission") == 0
    labels = {"method": "POST", "route": "/v1/documents", "status": "200"}
    assert api.sample("copydesk_request_seconds_count", **labels) == 0  # waits do not measure the server


async def test_a_document_is_watched_before_it_is_stored(api: RunningApi) -> None:
    api.broker.open_gate.clear()
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(api.post(BODY, Prefer="wait=20"))
        await api.broker.until_put_waits()
        tell(api, article(replace(samples.job(), id=await api.broker.until_watched())))  # it cannot come earlier
        api.broker.open_gate.set()
    assert answer.result().status == 200


@pytest.mark.parametrize(
    ("accept", "content_type", "body"),
    [
        ("*/*", EVENT, None),
        (EVENT, EVENT, None),
        ("application/json", "application/json", None),
        ("application/json, text/plain, */*", EVENT, None),
        ("text/plain", "text/plain", "The ferry sails again."),
        ("text/html", "text/html", "<p>Grüße"),
    ],
)
async def test_a_submission_honours_accept(api: RunningApi, accept: str, content_type: str, body: str | None) -> None:
    response, event = await posted(api, Prefer="wait=20", Accept=accept)
    assert (response.status, response.content_type) == (200, content_type)
    assert await response.read() == (encode(event) if body is None else body.encode())
    assert ("Content-Security-Policy" in response.headers) == (content_type == "text/html")


async def test_a_submission_in_a_form_that_was_not_made_says_so(api: RunningApi) -> None:
    response, _ = await posted(api, Prefer="wait=20", Accept="text/markdown")
    assert ((await problem(response))["type"], response.status) == ("/problems/not-acceptable", 406)


async def test_a_submission_that_fails_is_told_by_its_event(api: RunningApi) -> None:
    for accept, status in ((EVENT, 200), ("text/plain", 404)):
        count = len(api.broker.jobs)
        async with asyncio.TaskGroup() as group:
            answer = group.create_task(api.post(BODY, Prefer="wait=20", Accept=accept))
            await api.broker.until_put(count + 1)
            event = samples.failed(api.broker.jobs[-1].id, Reason.NO_ARTICLE)
            tell(api, event)
        assert answer.result().status == status
        body = await answer.result().read()
        assert body == encode(event) if status == 200 else b"/problems/no-article" in body


async def test_a_submission_that_accepts_nothing_of_it_does_not_wait(api: RunningApi) -> None:
    response = await api.post(BODY, Prefer="wait=20", Accept="image/png")
    assert (response.status, "Preference-Applied" in response.headers) == (202, False)


async def test_after_the_time_the_answer_is_that_without_waiting(ledger_api: StartLedgerApi) -> None:
    api = await ledger_api()
    response = await api.post(BODY, Prefer="wait=0")
    receipt = await response.json()
    assert (response.status, set(receipt), response.headers["Preference-Applied"]) == (202, {"id", "lane"}, "wait=0")
    assert response.headers["Location"] == f"/v1/documents/{receipt['id']}"
    assert waits(api, "submission", "timed_out") == 1


@pytest.mark.parametrize("prefer", ["respond-async", "wait=soon", "wait=-1", "wait"])
async def test_a_preference_that_is_ignored_is_not_said_to_be_applied(api: RunningApi, prefer: str) -> None:
    response = await api.post(BODY, Prefer=prefer)
    assert (response.status, "Preference-Applied" in response.headers) == (202, False)
    assert api.broker.watching == []


async def test_the_limit_is_applied_and_said(start_api: StartApi) -> None:
    api = await start_api(limits={"max_wait_s": 7.0})
    response, _ = await posted(api, Prefer="wait=3600")
    assert response.headers["Preference-Applied"] == "wait=7"


async def test_a_request_beyond_the_limit_does_not_wait(start_api: StartApi) -> None:
    api = await start_api(limits={"waiting_requests": 1})
    async with asyncio.TaskGroup() as group:
        first = group.create_task(api.post(BODY, Prefer="wait=20"))
        await api.broker.until_put()
        second = await api.post(BODY, Prefer="wait=20")
        assert (second.status, "Preference-Applied" in second.headers) == (202, False)
        tell(api, article(api.broker.jobs[0]))
    assert first.result().status == 200
    assert (await posted(api, Prefer="wait=20"))[0].status == 200
    assert waits(api, "submission", "refused") == 1


async def test_a_wait_whose_broker_is_lost_is_answered_as_without_waiting(api: RunningApi) -> None:
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(api.post(BODY, Prefer="wait=20"))
        await api.broker.until_put()
        api.broker.watches.lose("the session is lost")
    assert (answer.result().status, answer.result().headers["Preference-Applied"]) == (202, "wait=20")
    assert waits(api, "submission", "broker_lost") == 1


async def test_a_submission_that_the_broker_refuses_is_refused_at_once(api: RunningApi) -> None:
    api.broker.refusal = BrokerUnavailable("away")
    assert (await api.post(BODY, Prefer="wait=20")).status == 503
    assert api.broker.watching == []


async def test_a_document_that_was_posted_before_is_answered_with_its_first_event(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job = replace(samples.job(), id=document_id_for_key("anonymous", "key-1"))
    records.accept(job)
    records.decide(article(job))
    api = await ledger_api()
    response = await api.post(BODY, Prefer="wait=20", Idempotency_Key="key-1")
    assert (response.status, await response.read()) == (200, encode(article(job)))


@pytest.mark.parametrize("failure", [LedgerUnavailable(), None])
async def test_a_ledger_that_is_away_keeps_no_submission_waiting(start_api: StartApi, failure: Exception) -> None:
    api = await start_api(ledger=BrokenLedger(failure))
    response, event = await posted(api, Prefer="wait=20", Idempotency_Key="key-1")
    assert (response.status, await response.read()) == (200, encode(event))


@pytest.mark.parametrize("accept", [EVENT, ARTICLE, "text/plain", "text/html"])
async def test_a_look_up_that_waits_is_answered_as_one_that_comes_later(
    ledger_api: StartLedgerApi, records: Records, accept: str
) -> None:
    job = samples.job()
    records.accept(job)
    api = await ledger_api()
    waited = await looked_up(api, article(job), Accept=accept)
    records.decide(article(job))
    later = await (await ledger_api()).client.get(f"/v1/documents/{job.id}", headers={"Accept": accept})
    assert waited.headers["Preference-Applied"] == "wait=20"
    assert "Preference-Applied" not in later.headers
    assert await waited.read() == await later.read()
    for header in ("Content-Type", "ETag", "Vary", "Cache-Control"):
        assert waited.headers[header] == later.headers[header]


@pytest.mark.parametrize("ends", ["processed", "failed"])
async def test_the_state_that_is_heard_is_the_state_that_is_recorded(
    ledger_api: StartLedgerApi, records: Records, ends: str
) -> None:
    job = samples.job()
    records.accept(job)
    again = records.retry(job)
    processed = samples.processed(again)
    done = replace(
        processed,
        data=replace(processed.data, title="T", provenance=replace(processed.data.provenance, history=again.history)),
    )
    event: Event = done
    if ends == "failed":
        failed = samples.failed(job.id, Reason.GONE)
        event = replace(failed, data=replace(failed.data, attempts=2, detail="410"))
    api = await ledger_api()
    waited = await looked_up(api, event)
    records.decide(event)
    later = await (await ledger_api()).client.get(f"/v1/documents/{job.id}")
    assert await waited.json() == await later.json()


async def test_a_look_up_that_waits_is_answered_before_the_verdict_is_recorded(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job = samples.job()
    records.accept(job)
    api = await ledger_api()
    assert (await looked_up(api, article(job), Accept=EVENT)).status == 200
    assert (await (await api.client.get(f"/v1/documents/{job.id}")).json())["state"] == "accepted"


async def test_a_look_up_of_what_is_decided_does_not_wait(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(article(job))
    api = await ledger_api()
    url, headers = f"/v1/documents/{job.id}", {"Prefer": "wait=20", "Accept": EVENT}
    async with asyncio.timeout(10):
        response = await api.client.get(url, headers=headers)
        again = await api.client.get(url, headers={**headers, "If-None-Match": response.headers["ETag"]})
    assert (response.status, await response.read()) == (200, encode(article(job)))
    assert response.headers["Preference-Applied"] == "wait=20"
    assert again.status == 304


async def test_a_look_up_waits_for_the_run_that_is_under_way(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(article(job))
    second = next_run(job)
    records.accept(second)
    api = await ledger_api()
    async with asyncio.TaskGroup() as group:
        headers = {"Prefer": "wait=20", "Accept": EVENT}
        answer = group.create_task(api.client.get(f"/v1/documents/{job.id}", headers=headers))
        await api.broker.until_watched()
        tell(api, article(job))  # a repeat of the first run
        tell(api, article(second))
    assert await answer.result().read() == encode(article(second))
    first = await api.client.get(f"/v1/documents/{job.id}?run=1", headers={"Prefer": "wait=20", "Accept": EVENT})
    assert await first.read() == encode(article(job))


async def test_the_next_run_is_waited_for_before_it_is_recorded(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(article(job))
    api = await ledger_api()
    second = next_run(job)
    async with asyncio.TaskGroup() as group:
        headers = {"Prefer": "wait=20", "Accept": EVENT}
        answer = group.create_task(api.client.get(f"/v1/documents/{job.id}?run=2", headers=headers))
        await api.broker.until_watched()
        tell(api, article(second))
    assert (answer.result().status, await answer.result().read()) == (200, encode(article(second)))
    async with asyncio.timeout(10):
        later = await api.client.get(f"/v1/documents/{job.id}?run=3", headers={"Prefer": "wait=20"})
    assert later.status == 404


async def test_a_document_that_is_not_on_record_yet_is_waited_for(ledger_api: StartLedgerApi) -> None:
    job = replace(samples.job(), id=id_made(NOW))
    api = await ledger_api(recorded=False)
    waited = await looked_up(api, article(job), Accept=EVENT)
    assert (waited.status, await waited.read()) == (200, encode(article(job)))


async def test_a_document_without_a_known_owner_is_shown_to_nobody(ledger_api: StartLedgerApi) -> None:
    """An event does not name the owner: until the acceptance is recorded, the document is shown to nobody."""
    api = await ledger_api(keys=("mine:secret", "other:word"), recorded=False)
    bearer = {"Authorization": "Bearer secret", "Accept": EVENT, "Prefer": "wait=1"}
    event = article(replace(samples.job(), id=id_made(NOW)))
    response = await looked_up(api, event, **bearer)
    assert (response.status, (await response.json())["state"]) == (202, "unknown")


async def test_a_recorded_document_is_shown_to_its_owner(ledger_api: StartLedgerApi, records: Records) -> None:
    job = replace(samples.job(), id=id_made(NOW), owner="mine")
    api = await ledger_api(keys=("mine:secret", "other:word"), recorded=False)
    async with asyncio.TaskGroup() as group:
        mine, other = (
            group.create_task(
                api.client.get(
                    f"/v1/documents/{job.id}",
                    headers={"Authorization": f"Bearer {secret}", "Accept": EVENT, "Prefer": f"wait={seconds}"},
                )
            )
            for secret, seconds in (("secret", 20), ("word", 1))
        )
        await api.broker.until_watched(2)
        tell(api, article(job))
        records.accept(job)
        await ledger_api()
    assert (mine.result().status, await mine.result().read()) == (200, encode(article(job)))
    assert other.result().status in {202, 404}


async def test_a_document_that_can_not_come_is_not_waited_for(ledger_api: StartLedgerApi, records: Records) -> None:
    records.accept(samples.job())
    api = await ledger_api()
    async with asyncio.timeout(10):
        response = await api.client.get("/v1/documents/no-id-of-ours", headers={"Prefer": "wait=20"})
    assert response.status == 404


async def test_a_look_up_in_vain_is_answered_with_the_state(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    api = await ledger_api()
    response = await api.client.get(f"/v1/documents/{job.id}", headers={"Prefer": "wait=0", "Accept": EVENT})
    assert (response.status, (await response.json())["state"]) == (202, "accepted")
    assert (response.headers["Preference-Applied"], response.headers["Retry-After"]) == ("wait=0", "1")


async def test_a_verdict_just_before_the_wait_is_found_when_it_is_recorded(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    """The event was published before the watch began, and the ledger is behind: no other event comes."""
    job = samples.job()
    records.accept(job)
    api = await ledger_api()
    async with asyncio.TaskGroup() as group, asyncio.timeout(15):
        headers = {"Prefer": "wait=30", "Accept": EVENT}
        answer = group.create_task(api.client.get(f"/v1/documents/{job.id}", headers=headers))
        await api.broker.until_watched()
        records.decide(article(job))
        await ledger_api()
    assert (answer.result().status, await answer.result().read()) == (200, encode(article(job)))
    assert waits(api, "lookup", "decided") == 1


async def test_a_refusal_after_a_wait_says_that_it_waited(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    api = await ledger_api()
    submitted, _ = await posted(api, Prefer="wait=20", Accept="text/markdown")
    failed = samples.failed(job.id, Reason.GONE)
    looked = await looked_up(api, failed, Accept="text/plain")
    assert [(answer.status, answer.headers["Preference-Applied"]) for answer in (submitted, looked)] == [
        (406, "wait=20"),
        (404, "wait=20"),
    ]
    for method, route, status in (("POST", "/v1/documents", "406"), ("GET", "/v1/documents/{id}", "404")):
        labels = {"method": method, "route": route, "status": status}
        assert api.sample("copydesk_request_seconds_count", **labels) == 0  # waits do not measure the server
    at_once = await api.client.get("/v1/documents/no-id-of-ours", headers={"Prefer": "wait=20"})
    assert (at_once.status, "Preference-Applied" in at_once.headers) == (404, False)


@pytest.mark.parametrize("keys", [(), ("newsroom:secret",)])
async def test_a_document_that_is_erased_meanwhile_is_gone(
    ledger_api: StartLedgerApi, records: Records, keys: tuple[str, ...]
) -> None:
    """The document was recorded when the wait began, and its verdict comes after the erasure."""
    job = replace(samples.job(), owner="newsroom")
    records.accept(job)
    api = await ledger_api(keys=keys)
    async with asyncio.TaskGroup() as group:
        headers = {"Authorization": "Bearer secret", "Prefer": "wait=20"}
        answer = group.create_task(api.client.get(f"/v1/documents/{job.id}", headers=headers))
        await api.broker.until_watched()
        records.erase(job)
        await ledger_api()
        tell(api, samples.failed(job.id, Reason.CANCELLED))
    assert (answer.result().status, (await problem(answer.result()))["type"]) == (410, "/problems/erased")


async def test_a_place_is_free_before_the_ledger_is_asked_for_the_answer(start_api: StartApi) -> None:
    api = await start_api(ledger=(ledger := SlowLedger()))
    async with asyncio.TaskGroup() as group:
        path = f"/v1/documents/{id_made(NOW)}"
        answer = group.create_task(api.client.get(path, headers={"Prefer": "wait=0"}))
        await ledger.asked_again.wait()
        assert api.sample("copydesk_waiting_requests", kind="lookup") == 0
        ledger.answers.set()
    assert answer.result().status == 202


async def test_a_ledger_that_goes_away_meanwhile_keeps_nobody_from_the_event(start_api: StartApi) -> None:
    api = await start_api(ledger=(ledger := FailingLedger()))
    job = replace(samples.job(), id=id_made(NOW))
    async with asyncio.TaskGroup() as group:
        headers = {"Prefer": "wait=20", "Accept": EVENT}
        answer = group.create_task(api.client.get(f"/v1/documents/{job.id}", headers=headers))
        await ledger.failed.wait()
        tell(api, article(job))
    assert (answer.result().status, await answer.result().read()) == (200, encode(article(job)))


async def test_a_ledger_that_becomes_unavailable_is_reported(start_api: StartApi) -> None:
    api = await start_api(ledger=FailingLedger())
    response = await api.client.get(f"/v1/documents/{id_made(NOW)}", headers={"Prefer": "wait=0"})
    assert (response.status, (await problem(response))["type"]) == (503, "/problems/ledger-unavailable")
    assert response.headers["Preference-Applied"] == "wait=0"


class FailingLedger:
    """Has no record at the first look-up, and is unavailable from then on. `failed` is set then."""

    def __init__(self) -> None:
        self.failed = asyncio.Event()
        self._looks = 0

    async def runs(self, _document_id: str) -> list[Run]:
        self._looks += 1
        if self._looks == 1:
            return []
        self.failed.set()
        raise LedgerUnavailable

    async def recorded_until(self) -> datetime | None:
        return None

    async def erased(self, _document_id: str) -> Erased | None:
        return None

    async def event(self, _document_id: str, _run: int) -> bytes | None:
        raise LedgerUnavailable

    async def page(self, _wanted: DocumentFilter, *, limit: int, after: DocumentPlace | None) -> DocumentPage:
        raise LedgerUnavailable(limit, after)


class SlowLedger(FailingLedger):
    """Has no record, and is slow after the first look-up. `asked_again` is set then."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_again = asyncio.Event()
        self.answers = asyncio.Event()

    async def runs(self, _document_id: str) -> list[Run]:
        self._looks += 1
        if self._looks > 1:
            self.asked_again.set()
            await self.answers.wait()
        return []
