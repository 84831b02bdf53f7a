"""Cancel, erase, run again: requests of owners about accepted documents."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from aiohttp import ClientResponse

from contract.broker import BrokerFull, BrokerUnavailable
from contract.codec import decode_event, encode
from contract.events import ErasedEvent
from contract.ids import document_id_for_key
from contract.job import CallerMetadata, Job, Kind
from contract.ledger import LedgerUnavailable
from contract.options import Format, Options
from contract.requests import Action
from service.context import Keeping
from tests.brokers import samples
from tests.runtime.ledger.records import Records, failed, next_run
from tests.service.conftest import NOW, Desk, OpenDesk, problem
from tests.service.ledgers import BrokenLedger, OpenLedgerDesk, ledger_desk, records
from tests.service.memory_dead import letter
from tests.service.test_document_view import id_made

__all__ = ["ledger_desk", "records"]

ACTS = [("DELETE", ""), ("POST", "/cancel"), ("POST", "/rerun")]
KEYS = ("newsroom:one", "archive:two")


async def act(desk: Desk, method: str, document_id: str, what: str = "", **headers: str) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.client.request(method, f"/v1/documents/{document_id}{what}", headers=named)


async def cancel(desk: Desk, document_id: str, **headers: str) -> ClientResponse:
    return await act(desk, "POST", document_id, "/cancel", **headers)


async def erase(desk: Desk, document_id: str, **headers: str) -> ClientResponse:
    return await act(desk, "DELETE", document_id, **headers)


async def rerun(desk: Desk, document_id: str, **headers: str) -> ClientResponse:
    return await act(desk, "POST", document_id, "/rerun", **headers)


def url_job() -> Job:
    """A URL with all that a caller may submit with it."""
    return replace(
        samples.job(),
        kind=Kind.URL,
        content=None,
        url="https://www.example.org/a",
        metadata=CallerMetadata(title="Mine"),
        options=Options(formats=(Format.TEXT, Format.MARKDOWN)),
    )


def is_untouched(desk: Desk) -> bool:
    return not (desk.broker.requests or desk.broker.jobs or desk.broker.log)


# all three


@pytest.mark.parametrize(("method", "what"), ACTS)
async def test_an_unknown_document_is_not_found(
    ledger_desk: OpenLedgerDesk, records: Records, method: str, what: str
) -> None:
    records.accept(samples.job())
    desk = await ledger_desk()
    for name in ("some-id", document_id_for_key("newsroom", "a"), id_made(NOW - timedelta(days=900))):
        response = await act(desk, method, name, what)
        assert (response.status, (await problem(response))["type"]) == (404, "/problems/not-found")
    assert is_untouched(desk)


@pytest.mark.parametrize(("method", "what"), ACTS)
async def test_another_keys_document_is_not_found_and_not_touched(
    ledger_desk: OpenLedgerDesk, records: Records, method: str, what: str
) -> None:
    job = replace(url_job(), id=document_id_for_key("newsroom", "a"))
    records.accept(job)
    desk = await ledger_desk(keys=KEYS)
    desk.broker.letters = [letter(job)]
    response = await act(desk, method, job.id, what, Authorization="Bearer two")
    assert (response.status, (await problem(response))["type"]) == (404, "/problems/not-found")
    assert is_untouched(desk)
    assert len(desk.broker.letters) == 1
    if what != "/rerun":
        assert (await act(desk, method, job.id, what, Authorization="Bearer one")).status == 202


@pytest.mark.parametrize(
    ("method", "what", "error"),
    [
        *((method, what, BrokerUnavailable("amqp://u:secret@b")) for method, what in ACTS),
        (
            "POST",
            "/rerun",
            BrokerFull("amqp://u:secret@b"),
        ),  # the record of requests has no limit that could be reached
    ],
)
async def test_without_the_broker_nothing_is_done_and_asking_again_is_advised(
    ledger_desk: OpenLedgerDesk, records: Records, method: str, what: str, error: BrokerUnavailable
) -> None:
    waits, done = url_job(), url_job()
    records.accept(waits, done)
    records.decide(samples.processed(done))
    job = waits if what == "/cancel" else done
    desk = await ledger_desk()
    desk.broker.refusal = error
    response = await act(desk, method, job.id, what)
    told = await problem(response)
    assert (response.status, response.headers["Retry-After"]) == (
        429 if isinstance(error, BrokerFull) else 503,
        str(error.retry_after_s),
    )
    assert "secret" not in str(told)
    desk.broker.refusal = None
    assert (await act(desk, method, job.id, what)).status == 202


@pytest.mark.parametrize(("method", "what"), ACTS)
@pytest.mark.parametrize("failure", [LedgerUnavailable("postgresql://u:secret@p/"), None])
async def test_without_the_ledger_nothing_is_done(
    open_desk: OpenDesk, monkeypatch: pytest.MonkeyPatch, method: str, what: str, failure: Exception | None
) -> None:
    monkeypatch.setattr("service.lookups.ledger._TIMEOUT_S", 0.05)
    desk = await open_desk(ledger=BrokenLedger(failure))
    response = await act(desk, method, "some-id", what)
    told = await problem(response)
    assert (response.status, told["type"]) == (503, "/problems/ledger-unavailable")
    assert response.headers["Retry-After"]
    assert "secret" not in str(told)
    assert is_untouched(desk)


@pytest.mark.parametrize(("method", "what"), ACTS)
async def test_without_a_ledger_the_answer_says_so(desk: Desk, method: str, what: str) -> None:
    response = await act(desk, method, "some-id", what)
    assert (response.status, (await problem(response))["type"]) == (503, "/problems/ledger-not-configured")


# cancel


async def test_cancelling_records_the_cancelled_run(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(failed(job))
    records.accept(next_run(job))
    desk = await ledger_desk()
    response = await cancel(desk, job.id.upper())
    told = await response.json()
    assert (response.status, told["id"], told["state"], told["run"]) == (202, job.id, "accepted", 2)
    assert (told["cancel"], response.headers["Retry-After"]) == ("requested", "1")
    (request,) = desk.broker.requests
    assert (request.action, request.id, request.run, request.owner) == (Action.CANCEL, job.id, 2, "newsroom")


async def test_cancelling_a_document_that_waits_for_a_retry_says_until_when(
    ledger_desk: OpenLedgerDesk, records: Records
) -> None:
    job = samples.job()
    records.accept(job)
    records.retry(job)
    response = await cancel(await ledger_desk(), job.id)
    told = await response.json()
    assert (response.status, told["state"], told["reason"]) == (202, "processing", "dns_error")
    assert int(response.headers["Retry-After"]) > 1


async def test_a_decided_document_cannot_be_cancelled(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(samples.processed(job))
    desk = await ledger_desk()
    response = await cancel(desk, job.id)
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/already-decided")
    assert desk.broker.requests == []


async def test_a_document_that_is_not_recorded_yet_cannot_be_cancelled(ledger_desk: OpenLedgerDesk) -> None:
    """Otherwise invented ids could fill the workers' memory of requests."""
    desk = await ledger_desk(recorded=False)
    response = await cancel(desk, id_made(NOW))
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/not-recorded")
    assert response.headers["Retry-After"] == "1"
    assert desk.broker.requests == []


# erase


async def test_erasing_asks_workers_and_recorder_tells_subscribers_and_drops_dead_letters(
    ledger_desk: OpenLedgerDesk, records: Records
) -> None:
    job, other = samples.jobs(2)
    records.accept(job)
    records.decide(samples.processed(job))
    desk = await ledger_desk(keeping=Keeping(log={"days": 7}))
    desk.broker.letters = [letter(job), letter(other), letter(next_run(job))]
    response = await erase(desk, job.id)
    told = await response.json()
    assert (response.status, told["state"], response.headers["Retry-After"]) == (202, "erasing", "1")
    assert (told["dead_letters"], told["more_dead_letters"], told["log_keeps"]) == (2, False, {"days": 7})
    (request,) = desk.broker.requests
    assert (request.action, request.id, request.run, request.owner) == (Action.ERASE, job.id, None, "newsroom")
    (entry,) = desk.broker.log
    event = decode_event(entry.body)
    assert isinstance(event, ErasedEvent)
    assert (event.subject, entry.routing_key, event.time) == (job.id, "erased", told["erased_at"])
    assert [it.id for it in desk.broker.letters] == [other.id]
    assert desk.sample("copydesk_dead_letters_total", action="drop") == 2


async def test_erasing_again_does_all_of_it_again(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    """A client whose request was cut off can simply repeat it."""
    job = samples.job()
    records.accept(job)
    records.erase(job)
    desk = await ledger_desk(keys=KEYS)
    response = await erase(desk, job.id, Authorization="Bearer one")
    told = await response.json()
    assert (response.status, told["state"]) == (200, "erased")
    assert [request.owner for request in desk.broker.requests] == ["newsroom"]
    (entry,) = desk.broker.log
    assert decode_event(entry.body).time == told["erased_at"]
    again = await (await erase(desk, job.id, Authorization="Bearer one")).json()
    assert again == told


@pytest.mark.parametrize("step", ["request", "announce", "drop_dead"])
async def test_an_erasure_that_is_cut_off_at_any_step_is_made_whole_by_asking_again(
    ledger_desk: OpenLedgerDesk, records: Records, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    job = samples.job()
    records.accept(job)
    desk = await ledger_desk()
    desk.broker.letters = [letter(job)]

    async def lost(*_: object) -> None:
        raise BrokerUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(desk.broker, step, lost)
        response = await erase(desk, job.id)
        assert (response.status, (await problem(response))["type"]) == (503, "/problems/broker-unavailable")
        assert response.headers["Retry-After"] == "5"
    assert bool(desk.broker.requests) == (step != "request")  # subscribers are informed only after workers
    assert bool(desk.broker.log) == (step == "drop_dead")
    assert len(desk.broker.letters) == 1
    assert (await erase(desk, job.id)).status == 202
    assert {request.id for request in desk.broker.requests} == {job.id}
    assert {decode_event(entry.body).id for entry in desk.broker.log} == {f"{job.id}.erased"}
    assert desk.broker.letters == []


async def test_an_erased_document_is_gone_for_its_owner_and_unknown_to_others(
    ledger_desk: OpenLedgerDesk, records: Records
) -> None:
    job = replace(samples.job(), id=document_id_for_key("newsroom", "a"))
    records.accept(job)
    records.decide(samples.processed(job))
    records.erase(job)
    desk = await ledger_desk(keys=KEYS)
    for method, what in (("GET", ""), *ACTS[1:]):
        response = await act(desk, method, job.id, what, Authorization="Bearer one")
        assert (response.status, (await problem(response))["type"]) == (410, "/problems/erased"), what
    for method, what in (("GET", ""), *ACTS):
        response = await act(desk, method, job.id, what, Authorization="Bearer two")
        assert (response.status, (await problem(response))["type"]) == (404, "/problems/not-found"), what


async def test_while_letters_may_be_out_of_reach_erasing_is_not_done(
    ledger_desk: OpenLedgerDesk, records: Records
) -> None:
    job = samples.job()
    records.erase(job)
    desk = await ledger_desk()
    desk.broker.scan_reaches_all = False
    response = await erase(desk, job.id)
    assert (response.status, (await response.json())["more_dead_letters"]) == (202, True)


@pytest.mark.parametrize(("method", "what"), [ACTS[0], ACTS[2]])
async def test_a_document_that_is_not_recorded_yet_cannot_be_erased_or_run_again(
    ledger_desk: OpenLedgerDesk, method: str, what: str
) -> None:
    """Its owner is not known yet."""
    desk = await ledger_desk(recorded=False)
    response = await act(desk, method, id_made(NOW), what)
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/not-recorded")
    assert response.headers["Retry-After"] == "1"
    assert is_untouched(desk)


# run again


async def test_a_url_is_run_again_as_it_was_posted(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    job = url_job()
    records.accept(job)
    records.decide(failed(job))
    desk = await ledger_desk()
    response = await rerun(desk, job.id)
    assert (response.status, response.headers["Location"]) == (202, f"/v1/documents/{job.id}")
    assert await response.json() == {"id": job.id, "run": 2, "lane": job.lane}
    (put,) = desk.broker.jobs
    assert put == replace(job, run=2, accepted_at=put.accepted_at)
    assert desk.sample("copydesk_accepted_total", kind="url", lane=job.lane) == 1


async def test_content_is_run_again_where_it_was_kept(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    job = replace(samples.job(), keep_input=True, charset="windows-1252", options=Options(keep_all=True))
    records.accept(job)
    records.decide(failed(job))
    second = replace(next_run(job), keep_input=False)  # the setting changed meanwhile
    records.accept(second)
    records.decide(samples.processed(second))
    desk = await ledger_desk()
    assert (await rerun(desk, job.id)).status == 202
    (put,) = desk.broker.jobs
    assert put == replace(job, run=3, keep_input=False, accepted_at=put.accepted_at)


async def test_content_that_was_not_kept_is_reported_as_gone(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(samples.processed(job))
    desk = await ledger_desk()
    response = await rerun(desk, job.id)
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/nothing-kept")
    assert desk.broker.jobs == []


async def test_a_run_that_is_under_way_is_not_joined_by_another(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    job = url_job()
    records.accept(job)
    desk = await ledger_desk()
    response = await rerun(desk, job.id)
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/run-under-way")
    assert response.headers["Retry-After"]


async def test_one_of_many_concurrent_requests_gets_the_run(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    job = url_job()
    records.accept(job)
    records.decide(failed(job))
    desk = await ledger_desk()
    answers = await asyncio.gather(*(rerun(desk, job.id) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [202, *[409] * 7]
    assert [put.run for put in desk.broker.jobs] == [2]


async def test_the_next_run_is_under_way_before_it_is_recorded(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    """Its owner can wait for it, look it up and cancel it, although the ledger is a moment behind."""
    job = url_job()
    records.accept(job)
    records.decide(samples.processed(job))
    desk = await ledger_desk()
    assert (await (await rerun(desk, job.id)).json())["run"] == 2
    for path, prefer in (("?run=2", ""), ("", "wait=0"), ("?run=2", "wait=0")):
        response = await act(desk, "GET", job.id, path, Prefer=prefer)
        state = await response.json()
        assert (response.status, state["run"], state["state"], state["decided_at"]) == (200, 2, "accepted", None)
        assert [run["state"] for run in state["runs"]] == ["processed", "accepted"]
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(act(desk, "GET", job.id, "?format=event", Prefer="wait=20"))
        await desk.broker.until_watched()
        desk.broker.watches.tell(job.id, encode(samples.processed(desk.broker.jobs[0])))
    assert (await answer.result().json())["id"] == f"{job.id}.2"
    assert (await cancel(desk, job.id)).status == 202
    assert [(wanted.action, wanted.run) for wanted in desk.broker.requests] == [(Action.CANCEL, 2)]


async def test_a_run_that_could_not_be_put_may_be_asked_for_again(
    ledger_desk: OpenLedgerDesk, records: Records
) -> None:
    job = url_job()
    records.accept(job)
    records.decide(failed(job))
    desk = await ledger_desk()
    desk.broker.refusal = BrokerUnavailable()
    assert (await rerun(desk, job.id)).status == 503
    desk.broker.refusal = None
    assert (await (await rerun(desk, job.id)).json())["run"] == 2


async def test_the_same_idempotency_key_is_the_same_run(ledger_desk: OpenLedgerDesk, records: Records) -> None:
    job = url_job()
    records.accept(job)
    records.decide(failed(job))
    desk = await ledger_desk()
    for _ in range(2):  # the second time the run may not have been put: it is put again, which is a repeat
        assert (await (await rerun(desk, job.id, Idempotency_Key="a")).json())["run"] == 2
    assert {put.event_id for put in desk.broker.jobs} == {f"{job.id}.2"}
    records.accept(next_run(job))
    desk = await ledger_desk()
    assert (await (await rerun(desk, job.id, Idempotency_Key="a")).json())["run"] == 2
    assert (await rerun(desk, job.id, Idempotency_Key="b")).status == 409
    records.decide(failed(next_run(job)))
    desk = await ledger_desk()
    assert (await (await rerun(desk, job.id, Idempotency_Key="a")).json())["run"] == 2
    assert desk.broker.jobs == []
    assert (await (await rerun(desk, job.id, Idempotency_Key="b")).json())["run"] == 3


async def test_an_idempotency_key_that_breaks_the_rule_is_refused(
    ledger_desk: OpenLedgerDesk, records: Records
) -> None:
    job = url_job()
    records.accept(job)
    response = await rerun(await ledger_desk(), job.id, Idempotency_Key="two words")
    assert (response.status, (await problem(response))["errors"][0]["field"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_posted_document_says_whether_its_content_is_kept(open_desk: OpenDesk, keeps: bool) -> None:
    desk = await open_desk(keeping=Keeping(input=keeps))
    await desk.post('{"text": "Grüße"}')
    assert [job.keep_input for job in desk.broker.jobs] == [keeps]
