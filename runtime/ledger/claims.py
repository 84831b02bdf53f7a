"""Reserves the number of a document's next run, so that of several callers only one gets it."""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, exists, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.ledger import CLAIM_S
from runtime.ledger.database import translated
from runtime.ledger.tables import reruns
from runtime.ledger.times import milliseconds

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


async def claim(engine: AsyncEngine, document_id: str, run: int, key: str | None, at: datetime) -> bool:
    """Returns True if the number is claimed for the caller; see `contract.ledger.Ledger.claim`."""
    values = {"document_id": document_id, "run": run, "key": key, "claimed_ms": milliseconds(at)}
    over = reruns.c.claimed_ms < _oldest(at)
    with translated():
        async with engine.begin() as connection:
            insert = _INSERT[connection.dialect.name](reruns).values(values)
            done = await connection.execute(
                insert.on_conflict_do_update(
                    index_elements=[reruns.c.document_id, reruns.c.run],
                    set_={"key": key, "claimed_ms": values["claimed_ms"]},
                    where=over,
                )
            )
    return bool(done.rowcount)


async def is_claimed(engine: AsyncEngine, document_id: str, run: int, at: datetime) -> bool:
    """Returns True if there is a claim that is not over."""
    its = (reruns.c.document_id == document_id, reruns.c.run == run, reruns.c.claimed_ms >= _oldest(at))
    with translated():
        async with engine.connect() as connection:
            found: bool | None = (await connection.execute(select(exists().where(*its)))).scalar()
    return bool(found)


async def claimed(engine: AsyncEngine, document_id: str, key: str) -> int | None:
    """Returns the latest number that was claimed with this key."""
    known = select(func.max(reruns.c.run)).where(reruns.c.document_id == document_id, reruns.c.key == key)
    with translated():
        async with engine.connect() as connection:
            found: int | None = (await connection.execute(known)).scalar_one_or_none()
    return found


async def release(engine: AsyncEngine, document_id: str, run: int) -> None:
    """Deletes a claim."""
    its = (reruns.c.document_id == document_id, reruns.c.run == run)
    with translated():
        async with engine.begin() as connection:
            await connection.execute(delete(reruns).where(*its))


def _oldest(at: datetime) -> int:
    """Returns the time of the oldest claim that is not over at `at`."""
    return milliseconds(at - timedelta(seconds=CLAIM_S))
