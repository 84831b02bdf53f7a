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
from tests.service.conftest import NOW, RunningApi, StartApi, problem
from tests.service.ledgers import BrokenLedger, StartLedgerApi, ledger_api, records
from tests.service.memory_dead import letter
from tests.service.test_document_view import id_made

__all__ = ["ledger_api", "records"]

ACTS = [("DELETE", ""), ("POST", "/cancel"), ("POST", "/rerun")]
KEYS = ("newsroom:one", "archive:two")


async def act(api: RunningApi, method: str, document_id: str, what: str = "", **headers: str) -> ClientResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.request(method, f"/v1/documents/{document_id}{what}", headers=named)


async def cancel(api: RunningApi, document_id: str, **headers: str) -> ClientResponse:
    return await act(api, "POST", document_id, "/cancel", **headers)


async def erase(api: RunningApi, document_id: str, **headers: str) -> ClientResponse:
    return await act(api, "DELETE", document_id, **headers)


async def rerun(api: RunningApi, document_id: str, **headers: str) -> ClientResponse:
    return await act(api, "POST", document_id, "/rerun", **headers)


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


def is_untouched(api: RunningApi) -> bool:
    return not (api.broker.requests or api.broker.jobs or api.broker.log)


# all three


@pytest.mark.parametrize(("method", "what"), ACTS)
async def test_an_unknown_document_is_not_found(
    ledger_api: StartLedgerApi, records: Records, method: str, what: str
) -> None:
    records.accept(samples.job())
    api = await ledger_api()
    for name in ("some-id", document_id_for_key("newsroom", "a"), id_made(NOW - timedelta(days=900))):
        response = await act(api, method, name, what)
        assert (response.status, (await problem(response))["type"]) == (404, "/problems/not-found")
    assert is_untouched(api)


@pytest.mark.parametrize(("method", "what"), ACTS)
async def test_another_keys_document_is_not_found_and_not_touched(
    ledger_api: StartLedgerApi, records: Records, method: str, what: str
) -> None:
    job = replace(url_job(), id=document_id_for_key("newsroom", "a"))
    records.accept(job)
    api = await ledger_api(keys=KEYS)
    api.broker.letters = [letter(job)]
    response = await act(api, method, job.id, what, Authorization="Bearer two")
    assert (response.status, (await problem(response))["type"]) == (404, "/problems/not-found")
    assert is_untouched(api)
    assert len(api.broker.letters) == 1
    if what != "/rerun":
        assert (await act(api, method, job.id, what, Authorization="Bearer one")).status == 202


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
    ledger_api: StartLedgerApi, records: Records, method: str, what: str, error: BrokerUnavailable
) -> None:
    waits, done = url_job(), url_job()
    records.accept(waits, done)
    records.decide(samples.processed(done))
    job = waits if what == "/cancel" else done
    api = await ledger_api()
    api.broker.refusal = error
    response = await act(api, method, job.id, what)
    told = await problem(response)
    assert (response.status, response.headers["Retry-After"]) == (
        429 if isinstance(error, BrokerFull) else 503,
        str(error.retry_after_s),
    )
    assert "secret" not in str(told)
    api.broker.refusal = None
    assert (await act(api, method, job.id, what)).status == 202


@pytest.mark.parametrize(("method", "what"), ACTS)
@pytest.mark.parametrize("failure", [LedgerUnavailable("postgresql://u:secret@p/"), None])
async def test_without_the_ledger_nothing_is_done(
    start_api: StartApi, monkeypatch: pytest.MonkeyPatch, method: str, what: str, failure: Exception | None
) -> None:
    monkeypatch.setattr("service.lookups.ledger._TIMEOUT_S", 0.05)
    api = await start_api(ledger=BrokenLedger(failure))
    response = await act(api, method, "some-id", what)
    told = await problem(response)
    assert (response.status, told["type"]) == (503, "/problems/ledger-unavailable")
    assert response.headers["Retry-After"]
    assert "secret" not in str(told)
    assert is_untouched(api)


@pytest.mark.parametrize(("method", "what"), ACTS)
async def test_without_a_ledger_the_answer_says_so(api: RunningApi, method: str, what: str) -> None:
    response = await act(api, method, "some-id", what)
    assert (response.status, (await problem(response))["type"]) == (503, "/problems/ledger-not-configured")


# cancel


async def test_cancelling_records_the_cancelled_run(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(failed(job))
    records.accept(next_run(job))
    api = await ledger_api()
    response = await cancel(api, job.id.upper())
    told = await response.json()
    assert (response.status, told["id"], told["state"], told["run"]) == (202, job.id, "accepted", 2)
    assert (told["cancel"], response.headers["Retry-After"]) == ("requested", "1")
    (request,) = api.broker.requests
    assert (request.action, request.id, request.run, request.owner) == (Action.CANCEL, job.id, 2, "newsroom")


async def test_cancelling_a_document_that_waits_for_a_retry_says_until_when(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job = samples.job()
    records.accept(job)
    records.retry(job)
    response = await cancel(await ledger_api(), job.id)
    told = await response.json()
    assert (response.status, told["state"], told["reason"]) == (202, "processing", "dns_error")
    assert int(response.headers["Retry-After"]) > 1


async def test_a_decided_document_cannot_be_cancelled(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(samples.processed(job))
    api = await ledger_api()
    response = await cancel(api, job.id)
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/already-decided")
    assert api.broker.requests == []


async def test_a_document_that_is_not_recorded_yet_cannot_be_cancelled(ledger_api: StartLedgerApi) -> None:
    """Otherwise invented ids could fill the workers' memory of requests."""
    api = await ledger_api(recorded=False)
    response = await cancel(api, id_made(NOW))
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/not-recorded")
    assert response.headers["Retry-After"] == "1"
    assert api.broker.requests == []


# erase


async def test_erasing_asks_workers_and_recorder_tells_subscribers_and_drops_dead_letters(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job, other = samples.jobs(2)
    records.accept(job)
    records.decide(samples.processed(job))
    api = await ledger_api(keeping=Keeping(log={"days": 7}))
    api.broker.letters = [letter(job), letter(other), letter(next_run(job))]
    response = await erase(api, job.id)
    told = await response.json()
    assert (response.status, told["state"], response.headers["Retry-After"]) == (202, "erasing", "1")
    assert (told["dead_letters"], told["more_dead_letters"], told["log_keeps"]) == (2, False, {"days": 7})
    (request,) = api.broker.requests
    assert (request.action, request.id, request.run, request.owner) == (Action.ERASE, job.id, None, "newsroom")
    (entry,) = api.broker.log
    event = decode_event(entry.body)
    assert isinstance(event, ErasedEvent)
    assert (event.subject, entry.routing_key, event.time) == (job.id, "erased", told["erased_at"])
    assert [it.id for it in api.broker.letters] == [other.id]
    assert api.sample("copydesk_dead_letters_total", action="drop") == 2


async def test_erasing_again_does_all_of_it_again(ledger_api: StartLedgerApi, records: Records) -> None:
    """A client whose request was cut off can simply repeat it."""
    job = samples.job()
    records.accept(job)
    records.erase(job)
    api = await ledger_api(keys=KEYS)
    response = await erase(api, job.id, Authorization="Bearer one")
    told = await response.json()
    assert (response.status, told["state"]) == (200, "erased")
    assert [request.owner for request in api.broker.requests] == ["newsroom"]
    (entry,) = api.broker.log
    assert decode_event(entry.body).time == told["erased_at"]
    again = await (await erase(api, job.id, Authorization="Bearer one")).json()
    assert again == told


@pytest.mark.parametrize("step", ["request", "announce", "drop_dead"])
async def test_an_erasure_that_is_cut_off_at_any_step_is_made_whole_by_asking_again(
    ledger_api: StartLedgerApi, records: Records, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    job = samples.job()
    records.accept(job)
    api = await ledger_api()
    api.broker.letters = [letter(job)]

    async def lost(*_: object) -> None:
        raise BrokerUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(api.broker, step, lost)
        response = await erase(api, job.id)
        assert (response.status, (await problem(response))["type"]) == (503, "/problems/broker-unavailable")
        assert response.headers["Retry-After"] == "5"
    assert bool(api.broker.requests) == (step != "request")  # subscribers are informed only after workers
    assert bool(api.broker.log) == (step == "drop_dead")
    assert len(api.broker.letters) == 1
    assert (await erase(api, job.id)).status == 202
    assert {request.id for request in api.broker.requests} == {job.id}
    assert {decode_event(entry.body).id for entry in api.broker.log} == {f"{job.id}.erased"}
    assert api.broker.letters == []


async def test_an_erased_document_is_gone_for_its_owner_and_unknown_to_others(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job = replace(samples.job(), id=document_id_for_key("newsroom", "a"))
    records.accept(job)
    records.decide(samples.processed(job))
    records.erase(job)
    api = await ledger_api(keys=KEYS)
    for method, what in (("GET", ""), *ACTS[1:]):
        response = await act(api, method, job.id, what, Authorization="Bearer one")
        assert (response.status, (await problem(response))["type"]) == (410, "/problems/erased"), what
    for method, what in (("GET", ""), *ACTS):
        response = await act(api, method, job.id, what, Authorization="Bearer two")
        assert (response.status, (await problem(response))["type"]) == (404, "/problems/not-found"), what


async def test_while_letters_may_be_out_of_reach_erasing_is_not_done(
    ledger_api: StartLedgerApi, records: Records
) -> None:
    job = samples.job()
    records.erase(job)
    api = await ledger_api()
    api.broker.scan_reaches_all = False
    response = await erase(api, job.id)
    assert (response.status, (await response.json())["more_dead_letters"]) == (202, True)


@pytest.mark.parametrize(("method", "what"), [ACTS[0], ACTS[2]])
async def test_a_document_that_is_not_recorded_yet_cannot_be_erased_or_run_again(
    ledger_api: StartLedgerApi, method: str, what: str
) -> None:
    """Its owner is not known yet."""
    api = await ledger_api(recorded=False)
    response = await act(api, method, id_made(NOW), what)
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/not-recorded")
    assert response.headers["Retry-After"] == "1"
    assert is_untouched(api)


# run again


async def test_a_url_is_run_again_as_it_was_posted(ledger_api: StartLedgerApi, records: Records) -> None:
    job = url_job()
    records.accept(job)
    records.decide(failed(job))
    api = await ledger_api()
    response = await rerun(api, job.id)
    assert (response.status, response.headers["Location"]) == (202, f"/v1/documents/{job.id}")
    assert await response.json() == {"id": job.id, "run": 2, "lane": job.lane}
    (put,) = api.broker.jobs
    assert put == replace(job, run=2, accepted_at=put.accepted_at, trace=None)  # acceptances have none
    assert api.sample("copydesk_accepted_total", kind="url", lane=job.lane) == 1


async def test_content_is_run_again_where_it_was_kept(ledger_api: StartLedgerApi, records: Records) -> None:
    job = replace(samples.job(), keep_input=True, charset="windows-1252", options=Options(keep_all=True))
    records.accept(job)
    records.decide(failed(job))
    second = replace(next_run(job), keep_input=False)  # the setting changed meanwhile
    records.accept(second)
    records.decide(samples.processed(second))
    api = await ledger_api()
    assert (await rerun(api, job.id)).status == 202
    (put,) = api.broker.jobs
    assert put == replace(job, run=3, keep_input=False, accepted_at=put.accepted_at, trace=None)


async def test_content_that_was_not_kept_is_reported_as_gone(ledger_api: StartLedgerApi, records: Records) -> None:
    job = samples.job()
    records.accept(job)
    records.decide(samples.processed(job))
    api = await ledger_api()
    response = await rerun(api, job.id)
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/nothing-kept")
    assert api.broker.jobs == []


async def test_a_run_that_is_under_way_is_not_joined_by_another(ledger_api: StartLedgerApi, records: Records) -> None:
    job = url_job()
    records.accept(job)
    api = await ledger_api()
    response = await rerun(api, job.id)
    assert (response.status, (await problem(response))["type"]) == (409, "/problems/run-under-way")
    assert response.headers["Retry-After"]


async def test_one_of_many_concurrent_requests_gets_the_run(ledger_api: StartLedgerApi, records: Records) -> None:
    job = url_job()
    records.accept(job)
    records.decide(failed(job))
    api = await ledger_api()
    answers = await asyncio.gather(*(rerun(api, job.id) for _ in range(8)))
    assert sorted(answer.status for answer in answers) == [202, *[409] * 7]
    assert [put.run for put in api.broker.jobs] == [2]


async def test_the_next_run_is_under_way_before_it_is_recorded(ledger_api: StartLedgerApi, records: Records) -> None:
    """Its owner can wait for it, look it up and cancel it, although the ledger is a moment behind."""
    job = url_job()
    records.accept(job)
    records.decide(samples.processed(job))
    api = await ledger_api()
    assert (await (await rerun(api, job.id)).json())["run"] == 2
    for path, prefer in (("?run=2", ""), ("", "wait=0"), ("?run=2", "wait=0")):
        response = await act(api, "GET", job.id, path, Prefer=prefer)
        state = await response.json()
        assert (response.status, state["run"], state["state"], state["decided_at"]) == (200, 2, "accepted", None)
        assert [run["state"] for run in state["runs"]] == ["processed", "accepted"]
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(act(api, "GET", job.id, "?format=event", Prefer="wait=20"))
        await api.broker.until_watched()
        api.broker.watches.tell(job.id, encode(samples.processed(api.broker.jobs[0])))
    assert (await answer.result().json())["id"] == f"{job.id}.2"
    assert (await cancel(api, job.id)).status == 202
    assert [(wanted.action, wanted.run) for wanted in api.broker.requests] == [(Action.CANCEL, 2)]


async def test_a_run_that_could_not_be_put_may_be_asked_for_again(ledger_api: StartLedgerApi, records: Records) -> None:
    job = url_job()
    records.accept(job)
    records.decide(failed(job))
    api = await ledger_api()
    api.broker.refusal = BrokerUnavailable()
    assert (await rerun(api, job.id)).status == 503
    api.broker.refusal = None
    assert (await (await rerun(api, job.id)).json())["run"] == 2


async def test_the_same_idempotency_key_is_the_same_run(ledger_api: StartLedgerApi, records: Records) -> None:
    job = url_job()
    records.accept(job)
    records.decide(failed(job))
    api = await ledger_api()
    for _ in range(2):  # the second time the run may not have been put: it is put again, which is a repeat
        assert (await (await rerun(api, job.id, Idempotency_Key="a")).json())["run"] == 2
    assert {put.event_id for put in api.broker.jobs} == {f"{job.id}.2"}
    records.accept(next_run(job))
    api = await ledger_api()
    assert (await (await rerun(api, job.id, Idempotency_Key="a")).json())["run"] == 2
    assert (await rerun(api, job.id, Idempotency_Key="b")).status == 409
    records.decide(failed(next_run(job)))
    api = await ledger_api()
    assert (await (await rerun(api, job.id, Idempotency_Key="a")).json())["run"] == 2
    assert api.broker.jobs == []
    assert (await (await rerun(api, job.id, Idempotency_Key="b")).json())["run"] == 3


async def test_an_idempotency_key_that_breaks_the_rule_is_refused(ledger_api: StartLedgerApi, records: Records) -> None:
    job = url_job()
    records.accept(job)
    response = await rerun(await ledger_api(), job.id, Idempotency_Key="two words")
    assert (response.status, (await problem(response))["errors"][0]["field"]) == (400, "Idempotency-Key")


@pytest.mark.parametrize("keeps", [True, False])
async def test_a_posted_document_says_whether_its_content_is_kept(start_api: StartApi, keeps: bool) -> None:
    api = await start_api(keeping=Keeping(input=keeps))
    await api.post('{"text": "Grüße"}')
    assert [job.keep_input for job in api.broker.jobs] == [keeps]
