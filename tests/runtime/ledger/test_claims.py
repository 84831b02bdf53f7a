"""Of several concurrent requests for a document's next run, one gets its number."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.ledger import CLAIM_S
from runtime.ledger.queries import SqlLedger
from runtime.ledger.tables import reruns
from tests.brokers import samples
from tests.runtime.ledger.records import Records, record_all

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


async def test_of_many_at_once_one_gets_the_number(engine: AsyncEngine) -> None:
    ledger = SqlLedger(engine)
    claims = await asyncio.gather(*(ledger.claim("a", 2, None, NOW) for _ in range(10)))
    assert sorted(claims) == [False] * 9 + [True]
    assert await ledger.claim("a", 3, None, NOW)
    assert await ledger.claim("b", 2, None, NOW)


async def test_a_claim_that_is_given_back_or_over_may_be_made_again(engine: AsyncEngine) -> None:
    ledger = SqlLedger(engine)
    assert await ledger.claim("a", 2, None, NOW)
    await ledger.release("a", 2)
    assert not await ledger.is_claimed("a", 2, NOW)
    assert await ledger.claim("a", 2, None, NOW)
    just_in_time = NOW + timedelta(seconds=CLAIM_S)
    assert not await ledger.claim("a", 2, None, just_in_time)
    late = just_in_time + timedelta(milliseconds=1)
    assert [await ledger.is_claimed("a", 2, at) for at in (NOW, just_in_time, late)] == [True, True, False]
    assert [await ledger.is_claimed(*other, NOW) for other in (("a", 1), ("a", 3), ("b", 2))] == [False] * 3
    assert await ledger.claim("a", 2, None, just_in_time + timedelta(milliseconds=1))


async def test_a_key_is_known_by_document_with_its_latest_number(engine: AsyncEngine) -> None:
    ledger = SqlLedger(engine)
    assert await ledger.claimed("a", "key") is None
    await ledger.claim("a", 2, "key", NOW)
    await ledger.claim("a", 3, "other", NOW)
    assert [await ledger.claimed(*asked) for asked in (("a", "key"), ("a", "other"), ("b", "key"))] == [2, 3, None]


async def test_claims_go_with_their_document(engine: AsyncEngine) -> None:
    ledger, records, (job, other) = SqlLedger(engine), Records(), samples.jobs(2)
    records.accept(job, other)
    await record_all(records, engine)
    await ledger.claim(job.id, 2, "key", NOW)
    await ledger.claim(other.id, 2, "key", NOW)
    records.erase(job)
    await record_all(records, engine)
    assert [await ledger.claimed(it.id, "key") for it in (job, other)] == [None, 2]
    async with engine.connect() as connection:
        assert (await connection.execute(select(func.count()).select_from(reruns))).scalar_one() == 1
