from dataclasses import replace

import pytest

from contract.ids import batch_id
from contract.reasons import Reason
from tests.brokers import samples
from tests.runtime.ledger.records import Records, failed, record_all
from tests.service.conftest import problem
from tests.service.ledgers import StartLedgerApi, ledger_api, records

__all__ = ["ledger_api", "record_all", "records"]


async def test_documents_come_newest_first_page_by_page(ledger_api: StartLedgerApi, records: Records) -> None:
    jobs = samples.jobs(5)
    for job in jobs:
        records.accept(job)
    api = await ledger_api()
    found: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await (await api.client.get(f"/v1/documents?limit=2{cursor}")).json()
        found += [document["id"] for document in page["documents"]]
        cursor = None if page["next"] is None else f"&cursor={page['next']}"
    assert found == [job.id for job in reversed(jobs)]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("", 3),
        ("state=failed", 1),
        ("state=processed&kind=text&host=WWW.example.com&language=EN", 1),
        ("reason=gone", 1),
        ("label=desk:foreign", 3),
        ("label=desk:foreign&label=desk2:x", 0),
        ("q=grusse", 1),
        ("q=%22grusse%20aus%22%20-nothing", 1),
        ("accepted_after=2026-11-28T12:00:02Z", 1),
        ("accepted_before=2026-11-28T13:00:02%2B01:00", 1),
        ("published_after=2020-01-01", 0),
        ("batch=import", 1),
        (f"batch={batch_id('desk', 'import')}", 1),
        (f"batch={batch_id('desk', 'import').upper()}&state=failed", 0),
        (f"batch={batch_id('paper', 'import')}", 0),
        ("batch=Import", 0),
    ],
)
async def test_each_filter_is_understood(ledger_api: StartLedgerApi, records: Records, query: str, count: int) -> None:
    waiting, done, gone = samples.jobs(3)
    records.accept(replace(waiting, batch="import", owner="desk"))
    records.accept(done)
    records.decide(samples.processed(done))
    records.decide(failed(gone, Reason.GONE))
    page = await (await (await ledger_api()).client.get(f"/v1/documents?{query}")).json()
    assert len(page["documents"]) == count


@pytest.mark.parametrize(
    ("query", "field", "rule"),
    [
        ("state=unknown", "state", "not_allowed"),
        ("reason=bad", "reason", "not_allowed"),
        ("kind=pdf", "kind", "not_allowed"),
        ("host=", "host", "length"),
        ("language=%00", "language", "length"),
        ("label=desk", "label", "pair"),
        ("label=:x", "label", "pair"),
        ("&".join(f"label=a{n}:b" for n in range(17)), "label", "too_many"),
        ("accepted_after=now", "accepted_after", "time"),
        ("published_before=2026-13-01", "published_before", "time"),
        ("q=-a", "q", "query"),
        ("batch=", "batch", "name"),
        ("batch=%00", "batch", "name"),
        (f"batch={'a' * 129}", "batch", "name"),
        ("limit=0", "limit", "count"),
        ("limit=501", "limit", "count"),
        ("cursor=a", "cursor", "cursor"),
        ("cursor=%C3%A9", "cursor", "cursor"),
        ("state=failed&state=failed", "state", "repeated"),
        ("owner=a", "owner", "unknown_parameter"),
    ],
)
async def test_a_wrong_query_is_refused_by_name(ledger_api: StartLedgerApi, query: str, field: str, rule: str) -> None:
    response = await (await ledger_api()).client.get(f"/v1/documents?{query}")
    answer = await problem(response)
    assert response.status == 400
    assert [(error["field"], error["rule"]) for error in answer["errors"]] == [(field, rule)]
