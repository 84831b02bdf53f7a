"""API keys and what they have used, in both databases."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import URL, LargeBinary, Text, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.keys import Key, Limits, Scope, digest_of, new_id, new_token
from contract.quotas import Charge
from runtime.ledger import schema
from runtime.ledger.database import open_engine
from runtime.ledger.keys import SqlKeyBook
from runtime.ledger.quotas import SqlCounter
from runtime.ledger.tables import api_keys

SECRET = "s" * 32
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
LIMITS = Limits(per_minute=50, bytes_a_day=10**12)


def made(owner: str = "ann") -> tuple[str, Key]:
    key_id = new_id()
    token = new_token(key_id)
    scopes = frozenset({Scope.SUBMIT, Scope.READ})
    digest = digest_of(token, SECRET)
    return token, Key(id=key_id, owner=owner, digest=digest, scopes=scopes, limits=LIMITS, created_at=NOW)


async def test_a_key_comes_back_as_it_was_stored(engine: AsyncEngine) -> None:
    book, (_, key) = SqlKeyBook(engine), made()
    await book.add(key)
    assert await book.all_keys() == await book.usable_keys() == [key]


async def test_no_column_holds_a_token_or_its_secret_part(engine: AsyncEngine) -> None:
    book, (token, key) = SqlKeyBook(engine), made()
    await book.add(key)
    async with engine.connect() as connection:
        (row,) = (await connection.execute(select(api_keys))).all()
    kinds = {type(column.type) for column in api_keys.columns}
    assert {Text, LargeBinary} <= kinds
    secret_part = token.removeprefix(f"cdk_{key.id}_")  # it may have underscores of its own
    assert len(secret_part) == 43  # 256 bits in base64
    assert secret_part not in str(row)
    assert secret_part.encode() not in b"".join(bytes(it) for it in row if isinstance(it, bytes))


async def test_a_revoked_key_is_listed_and_never_usable_again(engine: AsyncEngine) -> None:
    book, (_, key) = SqlKeyBook(engine), made()
    await book.add(key)
    assert await book.revoke(key.id, NOW)
    assert await book.usable_keys() == []
    assert [it.revoked_at for it in await book.all_keys()] == [NOW]
    assert not await book.revoke(key.id, NOW)
    assert not await book.rotate(key.id, bytes(32), NOW, timedelta(hours=1))
    assert not await book.revoke(new_id(), NOW)


async def test_rotating_keeps_the_token_before_for_a_while_and_drops_the_one_before_that(engine: AsyncEngine) -> None:
    book, (token, key) = SqlKeyBook(engine), made()
    await book.add(key)
    digests = [digest_of(it, SECRET) for it in (token, new_token(key.id), new_token(key.id))]
    opened = []
    for digest in digests[1:]:
        assert await book.rotate(key.id, digest, NOW, timedelta(hours=1))
        (found,) = await book.usable_keys()
        opened.append([found.is_opened_by(it, NOW) for it in digests])
    assert opened == [[True, True, False], [False, True, True]]
    assert (found.id, found.owner, found.limits) == (key.id, key.owner, LIMITS)
    assert not found.is_opened_by(digests[1], NOW + timedelta(hours=1))


async def test_rebuilding_the_ledger_keeps_the_keys(engine: AsyncEngine) -> None:
    book, (_, key) = SqlKeyBook(engine), made()
    await book.add(key)
    await schema.clear(engine)
    assert await book.usable_keys() == [key]


async def test_two_replicas_share_a_quota_to_the_document(engine: AsyncEngine, url: URL) -> None:
    _, key = made()
    await SqlKeyBook(engine).add(key)
    other = open_engine(url, writes=True)
    counters = [SqlCounter(engine), SqlCounter(other)]
    try:
        standings = await asyncio.gather(
            *(counters[n % 2].settle(key.id, LIMITS, Charge(size=7), NOW.timestamp()) for n in range(80))
        )
        last = await counters[0].settle(key.id, LIMITS, Charge(documents=0), NOW.timestamp())
    finally:
        await other.dispose()
    assert sum(not standing.violated for standing in standings) == 50
    assert [it.left for it in last.remaining] == [0, 10**12 - 50 * 7]


async def test_a_charge_that_is_cancelled_holds_nobody_up(engine: AsyncEngine) -> None:
    _, key = made()
    await SqlKeyBook(engine).add(key)
    counter = SqlCounter(engine)
    async with asyncio.TaskGroup() as group:
        charges = [
            group.create_task(counter.settle(key.id, LIMITS, Charge(), NOW.timestamp()), name=str(n)) for n in range(10)
        ]
        await asyncio.sleep(0)
        charges[0].cancel()
    assert sum(not charge.result().violated for charge in charges[1:]) == 9
