"""Replays in a database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
from sqlalchemy import ColumnElement, case, delete, func, insert, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contract.replays import (
    Backlog,
    HeldReplay,
    Known,
    Replay,
    ReplayCause,
    ReplayState,
    ReplayTarget,
    Step,
)
from contract.webhooks import DeliveryState, Documents, Webhook
from runtime.ledger.database import translated
from runtime.ledger.owners import owned_of
from runtime.ledger.tables import deliveries, erased, replays, webhooks
from runtime.ledger.times import maybe_milliseconds, maybe_time_of, milliseconds, time_of
from runtime.ledger.webhook_rows import delivery_row, webhook_of

_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_RUNS = replays.c.state == ReplayState.RUNNING
_PENDING = deliveries.c.state == DeliveryState.PENDING


class SqlReplays:
    """Implements `contract.replays.ReplayBook` and `ReplayStore`. Reads by `reader`, writes by `writer`."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        self._reader = reader
        self._writer = writer

    async def add(self, replay: Replay, *, at_most: int) -> bool:
        """Stores a new replay; see `contract.replays.ReplayBook`."""
        count = select(func.count()).where(_RUNS, replays.c.owner == replay.owner)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(insert(replays).values(**_row(replay)))
                if (await connection.execute(count)).scalar_one() > at_most:
                    await connection.rollback()
                    return False
        return True

    async def replay(self, replay_id: str) -> Replay | None:
        """Returns a replay, None if there is none."""
        found = await self._replays(replays.c.id == replay_id, limit=1)
        return found[0] if found else None

    async def replays(self, owner: str | None, *, limit: int, before: str | None) -> Sequence[Replay]:
        """Returns replays, the newest first; see `contract.replays.ReplayBook`."""
        wanted = true() if owner is None else replays.c.owner == owner
        return await self._replays(wanted if before is None else wanted & (replays.c.id < before), limit=limit)

    async def cancel(self, replay_id: str, at: datetime) -> bool:
        """Ends a replay that runs; see `contract.replays.ReplayBook`."""
        with translated():
            async with self._writer.begin() as connection:
                return await _end(connection, replays.c.id == replay_id, ReplayState.CANCELLED, None, at)

    async def resume(self, replay_id: str, at: datetime) -> bool:
        """Lets a replay go on; see `contract.replays.ReplayBook`."""
        ended = replays.c.state.in_([ReplayState.FAILED, ReplayState.CANCELLED])
        again = {
            "state": ReplayState.RUNNING,
            "cause": None,
            "ended_ms": None,
            "updated_ms": milliseconds(at),
            "fence": replays.c.fence + 1,  # whoever had it may not have heard that it was cancelled
        }
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(update(replays).where(replays.c.id == replay_id, ended).values(**again))
        return bool(done.rowcount)

    async def note(self, replay_id: str, step: Step, *, completed: bool) -> bool:
        """Notes how far a download has come; see `contract.replays.ReplayBook`."""
        its = (replays.c.id == replay_id, replays.c.state.in_([ReplayState.RUNNING, ReplayState.COMPLETED]))
        over: dict[str, Any] = {"state": ReplayState.COMPLETED, "ended_ms": milliseconds(step.at)} if completed else {}
        over["place"] = case((_RUNS, step.place), else_=replays.c.place)  # one that is completed stays at its end
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(update(replays).where(*its).values(**(_moved(step) | over)))
        return bool(done.rowcount)

    async def running(self) -> Sequence[HeldReplay]:
        """Returns the replays that run, without downloads."""
        wanted = select(replays).where(_RUNS, replays.c.target != ReplayTarget.DOWNLOAD).order_by(replays.c.id)
        with translated():
            async with self._reader.connect() as connection:
                rows = (await connection.execute(wanted)).mappings().all()
        return [HeldReplay(_replay_of(row), row["holder"], row["fence"]) for row in rows]

    async def take_replay(self, held: HeldReplay, name: str) -> Replay | None:
        """Takes a replay; see `contract.replays.ReplayStore`."""
        unchanged = (_RUNS, replays.c.id == held.replay.id, replays.c.fence == held.fence)
        mine = {"holder": name, "fence": held.fence + 1}
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(update(replays).where(*unchanged).values(**mine))
        return await self.replay(held.replay.id) if done.rowcount else None

    async def give_back_replay(self, replay_id: str, name: str) -> None:
        """Lets others take a replay; see `contract.replays.ReplayStore`."""
        its = (replays.c.id == replay_id, replays.c.holder == name)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(replays).where(*its).values(holder=None))

    async def advance(self, replay_id: str, fence: int, step: Step) -> bool:
        """Stores a step; see `contract.replays.ReplayStore`."""
        ours = (_RUNS, replays.c.id == replay_id, replays.c.fence == fence)
        with translated():
            async with self._writer.begin() as connection:
                done = await connection.execute(update(replays).where(*ours).values(**_moved(step)))
                if done.rowcount and step.deliveries:
                    await connection.execute(insert(deliveries), [delivery_row(it) for it in step.deliveries])
        return bool(done.rowcount)

    async def backlog(self, replay_id: str) -> Backlog:
        """Returns what waits for an attempt."""
        waiting = select(func.count(), func.coalesce(func.sum(func.length(deliveries.c.body)), 0))
        with translated():
            async with self._reader.connect() as connection:
                found = (await connection.execute(waiting.where(_PENDING, deliveries.c.replay_id == replay_id))).one()
        return Backlog(found[0], int(found[1]))

    async def target(self, webhook_id: str) -> Webhook | None:
        """Returns the webhook of a replay, None if there is none."""
        with translated():
            async with self._reader.connect() as connection:
                found = await connection.execute(select(webhooks).where(webhooks.c.id == webhook_id))
                row = found.mappings().one_or_none()
        return None if row is None else webhook_of(dict(row))

    async def end(
        self, replay_id: str, fence: int, state: ReplayState, cause: ReplayCause | None, at: datetime
    ) -> bool:
        """Ends a replay that this process has; see `contract.replays.ReplayStore`."""
        with translated():
            async with self._writer.begin() as connection:
                return await _end(
                    connection, (replays.c.id == replay_id) & (replays.c.fence == fence), state, cause, at
                )

    async def sweep_replays(self, before: datetime) -> int:
        """Deletes old replays; see `contract.replays.ReplayStore`."""
        with translated():
            async with self._writer.begin() as connection:
                gone = delete(replays).where(replays.c.ended_ms < milliseconds(before))
                return (await connection.execute(gone)).rowcount

    async def known(self, owner: str | None, ids: Collection[str], until: datetime) -> Known:
        """Tells what is recorded of documents, webhooks and batches; see `contract.replays.Documentation`."""
        gone = select(erased.c.document_id).where(erased.c.document_id.in_(ids))
        with translated():
            async with self._reader.connect() as connection:
                without = {row[0] for row in (await connection.execute(gone)).all()}
                if owner is None:
                    return Known(without, ids, ())
                return Known(without, *await owned_of(connection, owner, ids, until))

    async def _replays(self, wanted: ColumnElement[bool], *, limit: int) -> Sequence[Replay]:
        pending = (
            select(func.count()).where(_PENDING, deliveries.c.replay_id == replays.c.id).correlate(replays)
        ).scalar_subquery()
        listed = select(replays, pending.label("pending")).where(wanted).order_by(replays.c.id.desc()).limit(limit)
        with translated():
            async with self._reader.connect() as connection:
                return [_replay_of(row) for row in (await connection.execute(listed)).mappings()]


async def count_replayed(connection: AsyncConnection, finished: Mapping[str, DeliveryState]) -> None:
    """Counts the deliveries of replays that are about to be finished. `finished` has their states by their ids."""
    wanted = select(deliveries.c.id, deliveries.c.replay_id).where(
        _PENDING, deliveries.c.replay_id.is_not(None), deliveries.c.id.in_(finished)
    )
    counts: dict[tuple[str, DeliveryState], int] = {}
    for delivery_id, replay_id in (await connection.execute(wanted)).all():
        key = replay_id, finished[delivery_id]
        counts[key] = counts.get(key, 0) + 1
    for (replay_id, state), count in sorted(counts.items()):  # always in one order: no deadlocks
        column = replays.c.delivered if state is DeliveryState.DELIVERED else replays.c.failed
        await connection.execute(update(replays).where(replays.c.id == replay_id).values({column: column + count}))


async def leave_replays(connection: AsyncConnection, name: str) -> None:
    """Gives back all replays that a process holds."""
    await connection.execute(update(replays).where(replays.c.holder == name).values(holder=None))


async def _end(
    connection: AsyncConnection,
    which: ColumnElement[bool],
    state: ReplayState,
    cause: ReplayCause | None,
    at: datetime,
) -> bool:
    """Ends the replay if it runs. Its pending deliveries are dropped, and its place is before them."""
    over = {"state": state, "cause": cause, "ended_ms": milliseconds(at), "updated_ms": milliseconds(at)}
    done = await connection.execute(
        update(replays).where(which, _RUNS).values(**over, holder=None).returning(replays.c.id)
    )
    replay_id = done.scalar_one_or_none()
    if replay_id is None:
        return False
    pending = (_PENDING, deliveries.c.replay_id == replay_id)
    dropped = select(func.count(), func.min(deliveries.c.log_offset)).where(*pending)
    count, first = (await connection.execute(dropped)).one()
    if count:
        back = {"place": first - 1, "sent": replays.c.sent - count}
        await connection.execute(update(replays).where(replays.c.id == replay_id).values(**back))
        await connection.execute(delete(deliveries).where(*pending))
    return True


def _moved(step: Step) -> dict[str, Any]:
    return {
        "place": step.place,
        "read": replays.c.read + step.read,
        "sent": replays.c.sent + step.sent,
        "updated_ms": milliseconds(step.at),
    }


def _row(replay: Replay) -> dict[str, Any]:
    return {
        "id": replay.id,
        "owner": replay.owner,
        "documents": replay.documents,
        "target": replay.target,
        "webhook_id": replay.webhook_id,
        "queue": replay.queue,
        "patterns": orjson.dumps(list(replay.patterns)).decode(),
        "filter": replay.filter,
        "since_ms": maybe_milliseconds(replay.since),
        "before_ms": maybe_milliseconds(replay.before),
        "after": replay.after,
        "until": replay.until,
        "per_second": replay.per_second,
        "state": replay.state,
        "cause": replay.cause,
        "place": replay.place,
        "read": replay.read,
        "sent": replay.sent,
        "delivered": replay.delivered,
        "failed": replay.failed,
        "created_ms": milliseconds(replay.created_at),
        "updated_ms": milliseconds(replay.updated_at),
        "ended_ms": maybe_milliseconds(replay.ended_at),
        "holder": None,
        "fence": 0,
    }


def _replay_of(row: Mapping[str, Any] | Any) -> Replay:  # noqa: ANN401 - a row of SQLAlchemy is such a mapping
    return Replay(
        id=row["id"],
        owner=row["owner"],
        documents=Documents(row["documents"]),
        target=ReplayTarget(row["target"]),
        webhook_id=row["webhook_id"],
        queue=row["queue"],
        patterns=tuple(orjson.loads(row["patterns"])),
        filter=row["filter"],
        since=maybe_time_of(row["since_ms"]),
        before=maybe_time_of(row["before_ms"]),
        after=row["after"],
        until=row["until"],
        per_second=row["per_second"],
        state=ReplayState(row["state"]),
        cause=None if row["cause"] is None else ReplayCause(row["cause"]),
        place=row["place"],
        read=row["read"],
        sent=row["sent"],
        delivered=row["delivered"],
        failed=row["failed"],
        pending=row.get("pending", 0),
        created_at=time_of(row["created_ms"]),
        updated_at=time_of(row["updated_ms"]),
        ended_at=maybe_time_of(row["ended_ms"]),
    )
