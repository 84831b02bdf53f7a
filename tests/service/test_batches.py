"""Batches over HTTP: documents name theirs, owners close and look them up."""

import json
from dataclasses import replace
from typing import Any

import pytest
from aiohttp import ClientResponse, FormData

from contract.batches import MAX_NAME_CHARS, BatchClosed
from contract.broker import BrokerUnavailable
from contract.ids import batch_id, document_id_for_key
from contract.job import Job
from contract.ledger import LedgerUnavailable
from contract.timestamps import rfc3339
from service.posting.chunks import CHUNK as AT_ONCE
from tests.brokers import samples
from tests.runtime.ledger.records import Records, failed
from tests.service.conftest import NOW, RunningApi, StartApi, problem
from tests.service.ledgers import BrokenLedger, StartLedgerApi, ledger_api, records

__all__ = ["ledger_api", "records"]

LINES = "application/x-ndjson"
TEXT = {"text": "The ferry sails again."}
IMPORT, NOBODYS = batch_id("anonymous", "import"), batch_id("anonymous", "nobody's")
END = BatchClosed(closed_batch=IMPORT, at=rfc3339(NOW), owner="anonymous", name="import")


def line(**more: str) -> str:
    return json.dumps({**TEXT, **more}) + "\n"


async def post(api: RunningApi, body: str, query: str, media_type: str = LINES) -> list[dict[str, Any]]:
    response = await api.post(body, media_type, f"/v1/documents?{query}")
    assert response.status == 200, await response.text()
    return [json.loads(each) for each in (await response.text()).splitlines()]


def batches_of(api: RunningApi) -> list[str | None]:
    return [job.batch for job in api.broker.jobs]


@pytest.mark.parametrize(
    ("body", "media_type"), [(json.dumps(TEXT), "application/json"), (TEXT["text"], "text/plain")], ids=["JSON", "raw"]
)
async def test_a_document_and_its_receipt_name_the_batch(api: RunningApi, body: str, media_type: str) -> None:
    response = await api.post(body, media_type, "/v1/documents?batch=import")
    assert response.status == 202
    assert (await response.json())["batch"] == IMPORT
    assert batches_of(api) == ["import"]
    assert api.broker.closed == []
    assert "batch" not in await (await api.post(body, media_type)).json()


async def test_every_line_and_every_file_is_of_the_batch(api: RunningApi) -> None:
    receipts = await post(api, line() * 2, "batch=import")
    form = FormData()
    form.add_field("file", b"The ferry sails.", filename="a.txt")
    async with api.client.post("/v1/documents?batch=import", data=form) as response:
        receipts.append(json.loads(await response.text()))
    assert [receipt["batch"] for receipt in receipts] == [IMPORT] * 3
    assert batches_of(api) == ["import"] * 3
    assert api.broker.closed == []


async def test_owners_may_use_the_same_name(start_api: StartApi) -> None:
    api = await start_api(keys=("one:first", "two:second"))
    receipts = [
        await (await api.post(json.dumps(TEXT), path="/v1/documents?batch=a", Authorization=f"Bearer {key}")).json()
        for key in ("first", "second")
    ]
    assert [receipt["batch"] for receipt in receipts] == [batch_id("one", "a"), batch_id("two", "a")]


async def test_one_document_may_close_the_batch(api: RunningApi) -> None:
    response = await api.post(json.dumps(TEXT), path="/v1/documents?batch=import&close_batch=true")
    assert response.status == 202
    assert (batches_of(api), api.broker.closed) == (["import"], [END])
    await api.post(json.dumps(TEXT), path="/v1/documents?batch=import&close_batch=false")
    assert api.broker.closed == [END]


async def test_a_batch_that_is_not_closed_is_told_though_the_document_is_stored(api: RunningApi) -> None:
    api.broker.end_refusal = BrokerUnavailable("away")
    response = await api.post(json.dumps(TEXT), path="/v1/documents?batch=import&close_batch=true")
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
    assert (await problem(response))["detail"].startswith("The document is stored, but its batch may not be closed.")
    assert batches_of(api) == ["import"]


async def test_the_end_comes_when_all_lines_are_stored(api: RunningApi) -> None:
    count = 2 * AT_ONCE + 1
    *receipts, end = await post(api, line() * count, "batch=import&close_batch=true")
    assert [receipt["status"] for receipt in receipts] == [202] * count
    assert end == {"batch": IMPORT, "closed": True, "status": 202}
    assert api.broker.closed == [END]


async def test_lines_that_can_never_be_stored_hold_up_no_end(api: RunningApi) -> None:
    *_, end = await post(api, line() + "{broken\n" + line(colour="none"), "batch=import&close_batch=true")
    assert end["closed"] is True


async def test_a_batch_of_nothing_is_closed(api: RunningApi) -> None:
    assert await post(api, "", "batch=import&close_batch=true") == [{"batch": IMPORT, "closed": True, "status": 202}]


async def test_lines_that_may_be_sent_again_hold_up_the_end(start_api: StartApi) -> None:
    api = await start_api(limits={"bulk_max_wait_s": 0.0})
    api.broker.refusal = BrokerUnavailable("away")
    refused, end = await post(api, line(), "batch=import&close_batch=true")
    assert (refused["status"], end["batch"], end["closed"], end["status"]) == (503, IMPORT, False, 409)
    api.broker.refusal = None
    assert api.broker.closed == []


@pytest.mark.parametrize("media_type", [LINES, "multipart/form-data; boundary=x"])
async def test_a_body_that_breaks_off_closes_nothing(start_api: StartApi, media_type: str) -> None:
    api = await start_api()
    response = await api.post(
        b"\x1f\x8bno gzip", media_type, "/v1/documents?batch=import&close_batch=true", Content_Encoding="gzip"
    )
    broken, end = [json.loads(each) for each in (await response.text()).splitlines()]
    assert (broken["status"], end["closed"], end["status"]) == (400, False, 409)
    assert api.broker.closed == []


async def test_an_end_that_the_broker_does_not_take_is_told(start_api: StartApi) -> None:
    api = await start_api(limits={"bulk_max_wait_s": 0.0})
    api.broker.end_refusal = BrokerUnavailable("away")
    receipt, end = await post(api, line(), "batch=import&close_batch=true")
    assert (receipt["status"], end["closed"], end["status"]) == (202, False, 503)


@pytest.mark.parametrize(
    ("query", "field", "rule"),
    [
        ("batch=", "batch", "name"),
        ("batch=%00", "batch", "name"),
        (f"batch={'x' * (MAX_NAME_CHARS + 1)}", "batch", "name"),
        ("batch=a&batch=b", "batch", "repeated"),
        ("batch=a&close_batch=yes", "close_batch", "wrong_type"),
        ("close_batch=true", "close_batch", "needs_batch"),
    ],
)
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", LINES, "multipart/form-data; boundary=x"])
async def test_a_query_that_breaks_a_rule_is_refused(
    api: RunningApi, query: str, field: str, rule: str, media_type: str
) -> None:
    response = await api.post(json.dumps(TEXT), media_type, f"/v1/documents?{query}")
    body = await problem(response)
    assert (response.status, {(fault["field"], fault["rule"]) for fault in body["errors"]}) == (400, {(field, rule)})
    assert api.broker.jobs == []


async def test_a_preview_belongs_to_no_batch(api: RunningApi) -> None:
    response = await api.post(json.dumps(TEXT), path="/v1/extract?batch=import")
    assert (await problem(response))["errors"][0]["rule"] == "unknown_parameter"


# a batch that is closed


async def test_a_closed_batch_takes_only_its_own_again(ledger_api: StartLedgerApi, records: Records) -> None:
    known, erased = (document_id_for_key("anonymous", key) for key in ("known", "erased"))
    for document_id in (known, erased):
        records.accept(replace(samples.job(), id=document_id, batch="import", owner="anonymous"))
    records.close_batch("import", owner="anonymous")
    records.erase(replace(samples.job(), id=erased, owner="anonymous"))
    api = await ledger_api()
    path = "/v1/documents?batch=import"
    for key, status in (("known", 202), ("erased", 202), ("new", 409)):
        response = await api.post(json.dumps(TEXT), path=path, Idempotency_Key=key)
        assert response.status == status, key
    assert (await problem(response))["type"] == "/problems/batch-closed"
    lines = line(idempotency_key="known") + line() + "{broken\n"
    *answers, end = await post(api, lines, "batch=import&close_batch=true")
    assert [answer["status"] for answer in answers] == [202, 409, 400]
    assert end["closed"] is True
    assert (await api.post(json.dumps(TEXT), path="/v1/documents?batch=another")).status == 202
    assert [job.id for job in api.broker.jobs][:3] == [known, erased, known]


@pytest.mark.parametrize("by", ["its id", "a post"])
async def test_that_a_batch_is_open_is_forgotten_when_it_is_closed(
    ledger_api: StartLedgerApi, records: Records, monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    monkeypatch.setattr("service.posting.batches._REMEMBER_S", 600.0)
    records.accept(replace(samples.job(), batch="import", owner="anonymous"))
    api, path = await ledger_api(), "/v1/documents?batch=import"
    assert (await api.post(json.dumps(TEXT), path=path)).status == 202
    records.close_batch("import", owner="anonymous")
    await ledger_api()  # records the end
    assert (await api.post(json.dumps(TEXT), path=path)).status == 202
    if by == "its id":
        await api.client.post(f"/v1/batches/{IMPORT}/close")
    else:
        assert (await api.post(json.dumps(TEXT), path=f"{path}&close_batch=true")).status == 202
    assert (await api.post(json.dumps(TEXT), path=path)).status == 409


@pytest.mark.parametrize("failure", [LedgerUnavailable(), None], ids=["fails", "hangs"])
async def test_a_ledger_that_is_away_holds_up_no_document(start_api: StartApi, failure: Exception | None) -> None:
    api = await start_api(ledger=BrokenLedger(failure))
    for _ in range(3):
        assert (await api.post(json.dumps(TEXT), path="/v1/documents?batch=import")).status == 202
    assert batches_of(api) == ["import"] * 3


# look-ups


def jobs(count: int, owner: str = "anonymous") -> list[Job]:
    return [replace(job, batch="import", owner=owner) for job in samples.jobs(count)]


async def shown(api: RunningApi, path: str, key: str = "") -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    async with api.client.get(path, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def test_a_batch_is_shown_with_its_counts_and_failures(ledger_api: StartLedgerApi, records: Records) -> None:
    done, bad, waiting, late = jobs(4)
    records.accept(done, replace(bad, url="https://example.com/gone"), waiting)
    records.decide(samples.processed(done))
    records.decide(failed(bad))
    closed = records.close_batch("import", owner="anonymous")
    records.accept(late)
    api = await ledger_api()
    status, batch = await shown(api, f"/v1/batches/{IMPORT.upper()}")
    assert (status, batch) == (
        200,
        {
            "id": IMPORT,
            "name": "import",
            "state": "closed",
            "documents": {"accepted": 3, "waiting": 1, "processed": 1, "failed": 1, "erased": 0},
            "late": 1,
            "begun_at": batch["begun_at"],
            "closed_at": closed.at,
            "completed_at": None,
            "failures": [{"id": bad.id, "reason": "not_found", "url": "https://example.com/gone"}],
            "next": None,
        },
    )
    assert (await shown(api, f"/v1/batches/{NOBODYS}"))[0] == 404


async def test_the_failures_come_in_pages(ledger_api: StartLedgerApi, records: Records) -> None:
    many = jobs(5)
    records.accept(*many)
    for job in many:
        records.decide(failed(job))
    api, found, cursor = await ledger_api(), [], ""
    for size in (2, 2, 1):
        _, page = await shown(api, f"/v1/batches/{IMPORT}?limit=2{cursor}")
        assert len(page["failures"]) == size
        found += [failure["id"] for failure in page["failures"]]
        cursor = f"&cursor={page['next']}"
    assert (found, page["next"]) == (sorted(job.id for job in many), None)
    assert (await shown(api, f"/v1/batches/{IMPORT}?cursor=x"))[0] == 400


async def test_batches_are_listed_newest_first(ledger_api: StartLedgerApi, records: Records) -> None:
    names = ["a", "b", "c"]
    for name in names:
        records.accept(replace(samples.job(), batch=name, owner="anonymous"))
    api = await ledger_api()
    _, page = await shown(api, "/v1/batches?limit=2")
    _, rest = await shown(api, f"/v1/batches?limit=2&cursor={page['next']}")
    assert [batch["name"] for batch in (*page["batches"], *rest["batches"])] == names[::-1]
    assert rest["next"] is None
    _, named = await shown(api, "/v1/batches?name=b")
    assert [batch["id"] for batch in named["batches"]] == [batch_id("anonymous", "b")]
    assert (await shown(api, "/v1/batches?name="))[0] == 400


async def test_others_see_and_close_a_batch_only_with_admin(ledger_api: StartLedgerApi, records: Records) -> None:
    records.accept(*jobs(1, "one"))
    api = await ledger_api(keys=("one:first", "two:second"))
    path = f"/v1/batches/{batch_id('one', 'import')}"
    for key, status, count in (("first", 200, 1), ("second", 404, 0)):
        assert (await shown(api, path, key))[0] == status
        assert len((await shown(api, "/v1/batches", key))[1]["batches"]) == count
        response = await api.client.post(f"{path}/close", headers={"Authorization": f"Bearer {key}"})
        assert response.status == (202 if status == 200 else 404)
    assert [closed.owner for closed in api.broker.closed] == ["one"]


async def test_a_batch_is_closed_by_its_id(api: RunningApi) -> None:
    response = await api.client.post(f"/v1/batches/{IMPORT}/close")
    assert (response.status, response.headers["Retry-After"]) == (202, "1")
    assert await response.json() == {"id": IMPORT, "close": "requested"}
    assert api.broker.closed == [replace(END, owner=None, name=None)]


@pytest.mark.parametrize("failure", [LedgerUnavailable(), None], ids=["fails", "hangs"])
async def test_a_batch_is_closed_while_the_ledger_is_away(start_api: StartApi, failure: Exception | None) -> None:
    api = await start_api(ledger=BrokenLedger(failure))
    assert (await api.client.post(f"/v1/batches/{IMPORT}/close")).status == 202
    assert len(api.broker.closed) == 1


@pytest.mark.parametrize("some_id", ["some-id", samples.job().id])
async def test_an_id_that_is_no_batch_is_not_closed(api: RunningApi, some_id: str) -> None:
    response: ClientResponse = await api.client.post(f"/v1/batches/{some_id}/close")
    assert response.status == 404
    assert api.broker.closed == []


async def test_a_broker_that_is_away_closes_nothing(api: RunningApi) -> None:
    api.broker.end_refusal = BrokerUnavailable("away")
    response = await api.client.post(f"/v1/batches/{IMPORT}/close")
    assert (response.status, response.headers["Retry-After"]) == (503, "5")
