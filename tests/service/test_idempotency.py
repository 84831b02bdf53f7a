import asyncio
import json
import time
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse

from contract.broker import BrokerFull, BrokerUnavailable
from contract.codec import encode
from contract.idempotency import Idempotency
from contract.job import Job
from contract.ledger import LedgerUnavailable
from tests.runtime.ledger.records import Records, next_run
from tests.service.conftest import RunningApi, StartApi, problem
from tests.service.ledgers import BrokenLedger, StartLedgerApi, ledger_api, records

__all__ = ["ledger_api", "records"]


async def post(api: RunningApi, body: str, key: str = "k", **headers: str) -> ClientResponse:
    return await api.post(body, Idempotency_Key=key, **headers)


async def refused(response: ClientResponse) -> tuple[int, str, list[dict[str, Any]]]:
    body = await problem(response)
    return response.status, body["type"], body["errors"]


async def posted_by_another(start_api: StartApi, body: str, key: str = "k") -> Job:
    """Returns the job that another server made of this post."""
    api = await start_api()
    assert (await post(api, body, key)).status == 202
    return api.broker.jobs[-1]


REUSED = (
    422,
    "/problems/idempotency-key-reused",
    [{"field": "Idempotency-Key", "rule": "other_body", "message": "came with another body before"}],
)


async def test_a_key_with_another_body_is_refused(api: RunningApi) -> None:
    assert (await post(api, '{"text": "a"}')).status == 202
    assert await refused(await post(api, '{"text": "b"}')) == REUSED
    assert (await post(api, '{ "text": "a" }')).status == 202
    assert (await post(api, '{"text": "b"}', "k2")).status == 202
    assert [job.content for job in api.broker.jobs] == ["a", "a", "b"]
    assert api.sample("copydesk_refused_total", reason="idempotency_key_reused") == 1


async def test_each_owner_has_its_own_keys(start_api: StartApi) -> None:
    api = await start_api(keys=("ann:secret-a", "bob:secret-b"))
    assert (await post(api, '{"text": "a"}', Authorization="Bearer secret-a")).status == 202
    assert (await post(api, '{"text": "b"}', Authorization="Bearer secret-b")).status == 202


async def test_of_two_at_once_one_is_refused(api: RunningApi) -> None:
    api.broker.open_gate.clear()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(post(api, '{"text": "a"}'))
        async with api.broker.changed:
            await api.broker.changed.wait_for(lambda: api.broker.waiting_puts == 1)
        assert await refused(await post(api, '{"text": "b"}')) == REUSED
        api.broker.open_gate.set()
    assert first.result().status == 202


@pytest.mark.parametrize("by_line", [False, True], ids=["alone", "as a line"])
@pytest.mark.parametrize(
    ("refusal", "binds"), [(BrokerFull(), False), (BrokerUnavailable(), True)], ids=["refused", "in doubt"]
)
async def test_a_body_that_was_refused_does_not_bind_its_key(
    start_api: StartApi, refusal: Exception, *, by_line: bool, binds: bool
) -> None:
    api = await start_api(limits={"bulk_max_wait_s": 0.1})

    async def status(text: str) -> int:
        if by_line:
            [one] = await lines(api, text)
            return int(one["status"])
        return (await post(api, json.dumps({"text": text}))).status

    api.broker.refusal = refusal
    assert await status("a") == (503 if binds else 429)
    api.broker.refusal = None
    assert await status("b") == (422 if binds else 202)
    assert await status("a") == (202 if binds else 422)
    assert len(api.broker.jobs) == 1


async def test_a_repeat_that_is_refused_leaves_the_first_body(api: RunningApi) -> None:
    assert (await post(api, '{"text": "a"}')).status == 202
    api.broker.refusal = BrokerFull()
    assert (await post(api, '{"text": "a"}')).status == 429
    api.broker.refusal = None
    assert await refused(await post(api, '{"text": "b"}')) == REUSED


async def test_a_key_that_is_taken_keeps_its_first_body_in_a_batch_that_begins_with_another(api: RunningApi) -> None:
    assert (await post(api, '{"text": "a"}')).status == 202
    body = b"".join(b'{"text": "%c", "idempotency_key": "k"}\n' % text for text in b"ba")
    response = await api.post(body, "application/x-ndjson")
    assert [json.loads(one)["status"] for one in (await response.text()).splitlines()] == [422, 202]


async def test_what_another_server_took_is_known_by_the_ledger(
    start_api: StartApi, ledger_api: StartLedgerApi, records: Records
) -> None:
    job = await posted_by_another(start_api, '{"text": "a"}')
    records.accept(job)
    records.accept(replace(next_run(job), idempotency=None))
    api = await ledger_api()
    assert await refused(await post(api, '{"text": "b"}')) == REUSED
    assert (await post(api, '{"text": "a"}')).status == 202
    assert await refused(await post(api, '{"text": "b"}')) == REUSED


async def test_the_job_says_what_was_checked(ledger_api: StartLedgerApi, start_api: StartApi) -> None:
    api = await ledger_api()
    assert (await post(api, '{"text": "a"}')).status == 202
    assert (await api.post('{"text": "a"}')).status == 202
    alone = await posted_by_another(start_api, '{"text": "a"}')
    keyed, plain = api.broker.jobs
    assert keyed.idempotency is not None
    assert keyed.idempotency.checked
    assert alone.idempotency == Idempotency(body_digest=keyed.idempotency.body_digest, checked=False)
    assert plain.idempotency is None


@pytest.mark.parametrize("failure", [LedgerUnavailable("away"), None])
async def test_while_the_ledger_is_away_the_first_body_wins(start_api: StartApi, failure: Exception | None) -> None:
    api = await start_api(ledger=BrokenLedger(failure))
    began = time.monotonic()
    for number in range(5):
        assert (await post(api, '{"text": "a"}', f"k{number}")).status == 202
    assert time.monotonic() - began < 4, "each post waited for the ledger"
    assert {job.idempotency.checked for job in api.broker.jobs if job.idempotency} == {False}
    assert await refused(await post(api, '{"text": "b"}', "k0")) == REUSED


async def test_the_digest_is_on_record(api: RunningApi) -> None:
    assert (await post(api, '{"text": "a very private text"}')).status == 202
    (job,) = api.broker.jobs
    assert job.idempotency is not None
    assert b"private" not in encode(job.idempotency)


async def test_lines_have_keys_of_their_own(ledger_api: StartLedgerApi, start_api: StartApi, records: Records) -> None:
    other = await start_api()
    assert [one["status"] for one in await lines(other, "a", "b")] == [202, 202]
    records.accept(*other.broker.jobs)
    for api in (other, await ledger_api()):
        found = await lines(api, "a", "changed", "new", "a", own="mine")
        assert [one["status"] for one in found] == [202, 422, 202, 202, 202]
        assert found[1]["type"] == REUSED[1]
        assert found[1]["errors"] == REUSED[2]
        again = await lines(api, "a", "b", "new", "a", own="changed")
        assert [one["status"] for one in again] == [202, 202, 202, 202, 422]
    assert {job.idempotency.checked for job in api.broker.jobs if job.idempotency} == {True}
    assert {job.idempotency.checked for job in other.broker.jobs if job.idempotency} == {False}


async def test_of_two_lines_with_one_key_the_first_counts(api: RunningApi) -> None:
    body = b"".join(b'{"text": "%c", "idempotency_key": "k"}\n' % text for text in b"aba")
    response = await api.post(body, "application/x-ndjson")
    assert [json.loads(one)["status"] for one in (await response.text()).splitlines()] == [202, 422, 202]


async def lines(api: RunningApi, *texts: str, own: str | None = None) -> list[dict[str, Any]]:
    """Posts a line for each text with one key, and a last one with a key of its own if `own` is its text."""
    bodies = [{"text": text} for text in texts] + ([] if own is None else [{"text": own, "idempotency_key": "its-own"}])
    body = b"".join(json.dumps(each).encode() + b"\n" for each in bodies)
    response = await api.post(body, "application/x-ndjson", Idempotency_Key="batch")
    return [json.loads(one) for one in (await response.text()).splitlines()]
