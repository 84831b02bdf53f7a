"""Callbacks in a database: the recorder makes them, the role `deliver` posts them, look-ups show how far they are."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Subquery, bindparam, case, delete, func, literal_column, select, union_all, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contract.callbacks import BEGINS_WITHIN, Callback, CallbackProgress
from contract.events import host_of
from contract.ledger import Run
from contract.webhooks import DeliveryState
from runtime.ledger.batch import unpacked
from runtime.ledger.database import translated
from runtime.ledger.row import RunRow
from runtime.ledger.tables import callbacks, events
from runtime.ledger.times import maybe_milliseconds, maybe_time_of, milliseconds

_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
# A parameter would hide from the databases that the indexes of pending rows apply.
_LITERAL: Final[ColumnElement[str]] = literal_column(f"'{DeliveryState.PENDING.value}'")
_PENDING = callbacks.c.state == _LITERAL
_ERASED: Final = "the document was erased"
_CHANGING: Final = ("state", "attempts", "next_ms", "last_ms", "status", "error")
# A callback whose lease is another one by now has been claimed anew, or its document is erased.
_SETTLE = (
    update(callbacks)
    .where(_PENDING, callbacks.c.event_id == bindparam("event"), callbacks.c.next_ms == bindparam("lease_ms"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)
_FINISH = _SETTLE.values(body=None)


async def begin(connection: AsyncConnection, rows: Sequence[RunRow], *, at_ms: int) -> None:
    """Makes the callbacks of decided runs, due at once. One that was made before stays; old events begin none."""
    oldest = at_ms - BEGINS_WITHIN.total_seconds() * 1000
    wanted = {row.seq: row for row in rows if (row.decided_ms or 0) >= oldest}
    found = await connection.execute(select(events).where(events.c.seq.in_(list(wanted))))
    made = [_row(wanted[one.seq], one.body, at_ms) for one in found.all()]
    if made:
        statement = _INSERT[connection.dialect.name](callbacks).on_conflict_do_nothing()
        await connection.execute(statement, made)


async def forget(connection: AsyncConnection, document_ids: Sequence[str]) -> None:
    """Ends the callbacks of erased documents, and drops their URLs and events.

    The rows stay until they are swept: a ledger that is rebuilt must not post what was erased.
    """
    ended = {"state": case((_PENDING, DeliveryState.FAILED.value), else_=callbacks.c.state), "next_ms": None}
    gone = {"url": None, "host": "", "body": None, "error": case((_PENDING, _ERASED), else_=callbacks.c.error)}
    await connection.execute(update(callbacks).where(callbacks.c.document_id.in_(document_ids)).values(**ended, **gone))


async def with_progress(engine: AsyncEngine, runs: Sequence[Run]) -> Sequence[Run]:
    """Returns the runs of one document with how far their callbacks are."""
    wanted = select(callbacks).where(callbacks.c.document_id == runs[0].document_id)
    with translated():
        async with engine.connect() as connection:
            known = {row["run"]: _progress(row) for row in (await connection.execute(wanted)).mappings()}
    return [replace(run, callback=known.get(run.run) or _not_begun(run)) for run in runs]


class SqlCallbacks:
    """Implements `contract.callbacks.CallbackStore`. Reads by `reader`, writes by `writer`."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine) -> None:
        self._reader = reader
        self._writer = writer

    async def claim(
        self, at: datetime, until: datetime, *, limit: int, a_host: int, busy: Mapping[str, int]
    ) -> Sequence[Callback]:
        """Claims callbacks; see `contract.callbacks.CallbackStore`."""
        due = (_PENDING, callbacks.c.next_ms <= milliseconds(at))
        with translated():
            async with self._reader.connect() as connection:
                ids = await _candidates(connection, milliseconds(at), limit=limit, a_host=a_host, busy=busy)
            if not ids:
                return ()
            async with self._writer.begin() as connection:
                locked = select(callbacks).where(*due, callbacks.c.event_id.in_(ids)).with_for_update(skip_locked=True)
                rows = (await connection.execute(locked)).mappings().all()
                mine = callbacks.c.event_id.in_([row["event_id"] for row in rows])
                await connection.execute(update(callbacks).where(mine).values(next_ms=milliseconds(until)))
        return [_callback(row) for row in rows]

    async def settle(self, tried: Sequence[Callback], until: Mapping[str, datetime]) -> None:
        """Stores what came of attempts; see `contract.callbacks.CallbackStore`."""
        with translated():
            async with self._writer.begin() as connection:
                for is_over in (True, False):
                    rows = [
                        _changes(it, until[it.event_id])
                        for it in sorted(tried, key=lambda it: it.event_id)  # always in one order: no deadlocks
                        if (it.progress.state is not DeliveryState.PENDING) == is_over
                    ]
                    if rows:
                        await connection.execute(_FINISH if is_over else _SETTLE, rows)

    async def count_pending(self) -> int:
        """Returns how many wait for an attempt."""
        with translated():
            async with self._reader.connect() as connection:
                return (await connection.execute(select(func.count()).where(_PENDING))).scalar_one()

    async def sweep_callbacks(self, before: datetime) -> int:
        """Deletes old callbacks; see `contract.callbacks.CallbackStore`."""
        over = (callbacks.c.state != DeliveryState.PENDING.value, callbacks.c.created_ms < milliseconds(before))
        with translated():
            async with self._writer.begin() as connection:
                return (await connection.execute(delete(callbacks).where(*over))).rowcount


async def _candidates(
    connection: AsyncConnection, at_ms: int, *, limit: int, a_host: int, busy: Mapping[str, int]
) -> Sequence[str]:
    """Returns the ids of callbacks that may be claimed, those that have waited longest first.

    It takes a few rows of the index for each host that has something pending, however many of one host are due.
    """
    full = [host for host, count in busy.items() if count >= a_host]
    first = _earliest()
    wanted = select(first.c.host).where(first.c.next_ms <= at_ms, first.c.host.not_in(full))
    hosts = (await connection.execute(wanted.order_by(first.c.next_ms).limit(limit))).scalars().all()
    if not hosts:
        return ()
    due = select(callbacks.c.event_id, callbacks.c.next_ms).where(_PENDING, callbacks.c.next_ms <= at_ms)
    firsts = [
        due.where(callbacks.c.host == host).order_by(callbacks.c.next_ms).limit(a_host - busy.get(host, 0)).subquery()
        for host in hosts
    ]
    few = union_all(*(select(first) for first in firsts)).subquery()
    return (await connection.execute(select(few.c.event_id).order_by(few.c.next_ms).limit(limit))).scalars().all()


def _earliest() -> Subquery:
    """Returns the hosts that have something pending, each with the earliest time at which something is due.

    It goes from host to host by the index `callbacks_host`: https://wiki.postgresql.org/wiki/Loose_indexscan
    """
    later = callbacks.alias()
    hosts = select(func.min(callbacks.c.host).label("host")).where(_PENDING).cte("hosts", recursive=True)
    following = select(func.min(later.c.host)).where(later.c.state == _LITERAL, later.c.host > hosts.c.host)
    hosts = hosts.union_all(select(following.scalar_subquery()).where(hosts.c.host.is_not(None)))
    first = select(func.min(callbacks.c.next_ms)).where(_PENDING, callbacks.c.host == hosts.c.host).scalar_subquery()
    return select(hosts.c.host, first.label("next_ms")).where(hosts.c.host.is_not(None)).subquery()


def _row(run: RunRow, body: bytes, at_ms: int) -> dict[str, Any]:
    return {
        "event_id": f"{run.document_id}.{run.run}",
        "document_id": run.document_id,
        "run": run.run,
        "owner": run.owner or "",
        "url": run.callback_url,
        "host": host_of(run.callback_url) or "",
        "state": DeliveryState.PENDING,
        "attempts": 0,
        "created_ms": at_ms,
        "next_ms": at_ms,
        "body": body,
    }


def _callback(row: Mapping[str, Any] | Any) -> Callback:  # noqa: ANN401 - a row of SQLAlchemy is such a mapping
    return Callback(
        event_id=row["event_id"],
        owner=row["owner"],
        host=row["host"],
        url=row["url"],
        progress=_progress(row),
        next_at=maybe_time_of(row["next_ms"]),
        last_at=maybe_time_of(row["last_ms"]),
        body=unpacked(row["body"]),
    )


def _progress(row: Mapping[str, Any] | Any) -> CallbackProgress:  # noqa: ANN401 - as above
    return CallbackProgress(DeliveryState(row["state"]), row["attempts"], row["status"], row["error"])


def _not_begun(run: Run) -> CallbackProgress | None:
    """Returns the progress of a run without a row: its callback waits for the verdict, or there is none."""
    return None if run.callback_url is None or run.state.decided else CallbackProgress()


def _changes(tried: Callback, lease: datetime) -> dict[str, Any]:
    """Returns the columns that an attempt changes, as parameters: their names may not be those of columns."""
    return {
        "event": tried.event_id,
        "lease_ms": milliseconds(lease),
        "new_state": tried.progress.state,
        "new_attempts": tried.progress.attempts,
        "new_next_ms": maybe_milliseconds(tried.next_at),
        "new_last_ms": maybe_milliseconds(tried.last_at),
        "new_status": tried.progress.status,
        "new_error": tried.progress.error,
    }
