"""Finds whose documents, webhooks and batches these are, as far as the recorder has come."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime.ledger.tables import batches, erased, recorder, runs, webhooks
from runtime.ledger.times import milliseconds


async def owned_of(
    connection: AsyncConnection, owner: str, ids: Collection[str], until: datetime
) -> tuple[set[str], list[str]]:
    """Returns those of `ids` that are the owner's, and those that may be recorded later.

    There are none of the latter if all acceptances up to the aware time `until` are recorded.
    """
    known = union_all(
        select(runs.c.document_id, runs.c.owner).where(runs.c.document_id.in_(ids), runs.c.owner.is_not(None)),
        select(erased.c.document_id, erased.c.owner).where(erased.c.document_id.in_(ids)),
        select(webhooks.c.id, webhooks.c.owner).where(webhooks.c.id.in_(ids)),
        select(batches.c.id, batches.c.owner).where(batches.c.id.in_(ids)),
    )
    owners = {row[0]: row[1] for row in (await connection.execute(known)).all()}
    reached = (await connection.execute(select(recorder.c.recorded_ms))).scalar_one_or_none()
    is_all = reached is not None and reached >= milliseconds(until)
    unknown = [] if is_all else [it for it in ids if it not in owners]
    return {it for it, its_owner in owners.items() if its_owner == owner}, unknown
