"""`options.callback_url` over HTTP: where it is taken, refused, carried on and shown."""

import json
from dataclasses import replace
from typing import Any

import pytest

from contract.accepted import acceptance
from contract.addresses import AddressRule
from contract.callbacks import callback_secret
from contract.timestamps import now, rfc3339
from tests.brokers import samples
from tests.runtime.ledger.records import Records
from tests.service.conftest import SECRET, RunningApi, StartApi, problem
from tests.service.ledgers import BrokenLedger, StartLedgerApi, ledger_api, records

__all__ = ["ledger_api", "records"]

URL = "https://desk.example.com/done?token=s3cret"
TEXT = "The ferry sails again from Monday."
LEDGER = BrokenLedger(None)


def body(url: str = URL) -> bytes:
    return json.dumps({"text": TEXT, "options": {"callback_url": url}}).encode()


async def lines_of(api: RunningApi, sent: bytes, media_type: str, path: str = "/v1/documents") -> list[Any]:
    async with await api.post(sent, media_type, path) as response:
        return [json.loads(line) for line in (await response.read()).splitlines()]


async def test_a_job_carries_it_however_the_document_is_posted(ledger_api: StartLedgerApi) -> None:
    api = await ledger_api()
    query = "/v1/documents?callback_url=https%3A%2F%2Fdesk.example.com%2Fdone%3Ftoken%3Ds3cret"
    part = (
        b'--x\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n' + TEXT.encode() + b"\r\n--x--\r\n"
    )
    assert (await api.post(body())).status == 202
    assert (await api.post(TEXT, "text/plain", query)).status == 202
    answers = await lines_of(api, body() + b"\n", "application/x-ndjson")
    answers += await lines_of(api, part, "multipart/form-data; boundary=x", query)
    assert [it["status"] for it in answers] == [202, 202]
    assert [job.callback_url for job in api.broker.jobs] == [URL] * 4


@pytest.mark.parametrize(
    ("missing", "type_"),
    [({"ledger": None}, "ledger-not-configured"), ({"callback_secret": None}, "callbacks-not-configured")],
)
async def test_a_server_that_cannot_call_back_refuses_it_and_takes_other_documents(
    start_api: StartApi, missing: dict[str, Any], type_: str
) -> None:
    api = await start_api(**{"ledger": LEDGER, **missing})
    refused = await problem(await api.post(body()))
    assert (refused["status"], refused["type"]) == (503, f"/problems/{type_}")
    answers = await lines_of(api, body() + b'\n{"text": "Other."}\n', "application/x-ndjson")
    assert [(it["line"], it["status"]) for it in answers] == [(1, 503), (2, 202)]
    assert [job.callback_url for job in api.broker.jobs] == [None]


@pytest.mark.parametrize(
    ("url", "rule"), [("http://127.0.0.1/", "blocked_address"), ("https://93.184.216.34:8443/", "blocked_port")]
)
async def test_an_address_that_leads_nowhere_is_refused_unless_the_operator_allows_it(
    start_api: StartApi, url: str, rule: str
) -> None:
    api = await start_api(ledger=LEDGER)
    refused = await problem(await api.post(body(url)))
    assert [(it["field"], it["rule"]) for it in refused["errors"]] == [("options.callback_url", rule)]
    assert api.broker.jobs == []
    allowing = await start_api(ledger=LEDGER, receivers=AddressRule(("127.0.0.0/8", "93.184.216.34/32")))
    assert (await allowing.post(body(url))).status == 202


async def test_a_preview_takes_none(start_api: StartApi) -> None:
    api = await start_api(ledger=LEDGER)
    refused = await problem(await api.post(body(), path="/v1/extract"))
    assert [(it["field"], it["rule"]) for it in refused["errors"]] == [("options.callback_url", "not_here")]


async def test_an_owner_is_shown_its_own_secret(start_api: StartApi) -> None:
    api = await start_api(keys=("ann:ann-key", "bob:bob-key"))
    for name in ("ann", "bob"):
        headers = {"Authorization": f"Bearer {name}-key"}
        async with api.client.get("/v1/callbacks/secret", headers=headers) as response:
            assert await response.json() == {"secret": callback_secret(SECRET, name)}
            assert response.headers["Cache-Control"] == "no-store"
    async with (await start_api(callback_secret=None)).client.get("/v1/callbacks/secret") as response:
        assert (await problem(response))["type"] == "/problems/callbacks-not-configured"


async def test_a_look_up_shows_how_far_it_is_and_never_the_url(ledger_api: StartLedgerApi, records: Records) -> None:
    waiting = replace(samples.job(), callback_url=URL)
    decided, other = replace(samples.job(), callback_url=URL), samples.job()
    records.accept(waiting, decided, other)
    records.decide(replace(samples.processed(decided), time=rfc3339(now())))
    api = await ledger_api()
    shown = {}
    for job in (waiting, decided, other):
        async with api.client.get(f"/v1/documents/{job.id}") as response:
            answer = await response.text()
            shown[job.id] = json.loads(answer)["callback"]
            assert "s3cret" not in answer
    pending = {"state": "pending", "attempts": 0, "status": None, "error": None}
    assert shown == {waiting.id: pending, decided.id: pending, other.id: None}
    assert acceptance(waiting, now()).callback_url == URL


async def test_a_document_that_is_run_again_calls_back_again(ledger_api: StartLedgerApi, records: Records) -> None:
    job = replace(samples.job(), callback_url=URL, keep_input=True)
    records.accept(job)
    records.decide(samples.processed(job))
    api = await ledger_api()
    async with api.client.post(f"/v1/documents/{job.id}/rerun") as response:
        assert response.status == 202, await response.text()
    assert [(it.run, it.callback_url) for it in api.broker.jobs] == [(2, URL)]
