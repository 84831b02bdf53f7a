"""Named consumers in a database."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.consumers import Consumer
from runtime.ledger.database import translated
from runtime.ledger.tables import consumers
from runtime.ledger.times import maybe_milliseconds, maybe_time_of, milliseconds, time_of

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


class SqlConsumerBook:
    """Implements `contract.consumers.ConsumerBook`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def consumers(self, owner: str) -> Sequence[Consumer]:
        """Returns an owner's consumers; see `contract.consumers.ConsumerBook`."""
        listed = select(consumers).where(consumers.c.owner == owner).order_by(consumers.c.name)
        with translated():
            async with self._engine.connect() as connection:
                return [_consumer(row) for row in (await connection.execute(listed)).mappings()]

    async def consumer(self, owner: str, name: str) -> Consumer | None:
        """Returns a consumer; see `contract.consumers.ConsumerBook`."""
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(consumers).where(_is(owner, name)))).mappings().one_or_none()
        return None if row is None else _consumer(row)

    async def add(self, consumer: Consumer, *, at_most: int) -> bool:
        """Stores a new consumer; see `contract.consumers.ConsumerBook`."""
        count = select(func.count()).where(consumers.c.owner == consumer.owner)
        with translated():
            async with self._engine.begin() as connection:
                insert = _INSERT[connection.dialect.name](consumers).values(_row(consumer))
                added = await connection.execute(insert.on_conflict_do_nothing())
                if added.rowcount and (await connection.execute(count)).scalar_one() > at_most:
                    await connection.rollback()
                    return False
        return True

    async def commit(self, owner: str, name: str, offset: int, at: datetime) -> Consumer | None:
        """Moves the offset forward; see `contract.consumers.ConsumerBook`."""
        is_behind = and_(_is(owner, name), consumers.c.place < offset)
        moved = {"place": offset, "committed_ms": milliseconds(at)}
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(update(consumers).where(is_behind).values(**moved))
        return await self.consumer(owner, name)

    async def remove(self, owner: str, name: str) -> bool:
        """Removes a consumer; see `contract.consumers.ConsumerBook`."""
        with translated():
            async with self._engine.begin() as connection:
                done = await connection.execute(delete(consumers).where(_is(owner, name)))
        return bool(done.rowcount)

    async def take(self, owner: str, name: str, holder: str) -> bool:
        """Notes who reads; see `contract.consumers.ConsumerBook`."""
        with translated():
            async with self._engine.begin() as connection:
                done = await connection.execute(update(consumers).where(_is(owner, name)).values(holder=holder))
        return bool(done.rowcount)

    async def holder(self, owner: str, name: str) -> str | None:
        """Returns who reads; see `contract.consumers.ConsumerBook`."""
        with translated():
            async with self._engine.connect() as connection:
                found = (await connection.execute(select(consumers.c.holder).where(_is(owner, name)))).scalar()
        return None if found is None else str(found)


def _is(owner: str, name: str) -> Any:  # noqa: ANN401 - a condition of SQLAlchemy
    return and_(consumers.c.owner == owner, consumers.c.name == name)


def _row(consumer: Consumer) -> dict[str, Any]:
    return {
        "owner": consumer.owner,
        "name": consumer.name,
        "place": consumer.offset,
        "created_ms": milliseconds(consumer.created_at),
        "committed_ms": maybe_milliseconds(consumer.committed_at),
    }


def _consumer(row: Mapping[str, Any] | Any) -> Consumer:  # noqa: ANN401 - a row of SQLAlchemy is such a mapping
    return Consumer(
        owner=row["owner"],
        name=row["name"],
        offset=row["place"],
        created_at=time_of(row["created_ms"]),
        committed_at=maybe_time_of(row["committed_ms"]),
    )
