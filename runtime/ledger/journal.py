"""One transaction for each batch: stores facts, changes rows, advances offsets. A batch is recorded whole or not."""

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import orjson
from sqlalchemy import ARRAY, Column, ColumnElement, Select, Text, bindparam, delete, func, insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contract.batches import MAX_TOLD_FAILURES, FailedDocument
from contract.ledger import State
from contract.streams import Stream
from runtime.ledger import callbacks, search, signatures
from runtime.ledger.batch import FactBatch, StreamPosition, stored_words
from runtime.ledger.changes import Changes, ErasedRow
from runtime.ledger.database import translated
from runtime.ledger.deliveries import drop_erased
from runtime.ledger.document_batches import BatchRow
from runtime.ledger.facts import AcceptedFact, BatchFact
from runtime.ledger.row import COLUMNS, RunRow
from runtime.ledger.tables import OF_DOCUMENTS, batches, erased, events, inputs, labels, places, recorder, reruns, runs

_EVENTS_AT_ONCE = 100  # of batches, that are read together; chosen: each has up to 3 kB


class Fenced(Exception):
    """Another recorder has taken over: nothing was written."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """The result of a transaction.

    `rows` and `event_bytes` are totals after it, `dropped` counts deleted rows. `repeats` are events of runs that had
    one already, `differing` those of them with other content. `completed` are batches whose event is to be published.
    """

    rows: int
    event_bytes: int
    dropped: int = 0
    repeats: int = 0
    differing: int = 0
    completed: int = 0


class Journal:
    """Writes as the holder of `fence`. Each call may raise `Fenced` or `LedgerUnavailable`; then it wrote nothing."""

    def __init__(self, engine: AsyncEngine, fence: int) -> None:
        self._engine = engine
        self._fence = fence

    async def places(self) -> dict[Stream, StreamPosition]:
        """Returns the position in each record, without those that were never read."""
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(select(places))).all()
        return {Stream(row.stream): StreamPosition(row.place, row.digest) for row in rows if row.stream in set(Stream)}

    async def write(self, readings: Sequence[FactBatch], recorded_ms: int | None) -> Recorded:
        """Records `readings`. With them all acceptances up to `recorded_ms` are recorded; None if that is unknown."""
        with translated():
            async with self._engine.begin() as connection:
                sums = await self._sums(connection)
                changes = await self._changes(connection, readings, sums["next_seq"])
                await _store(connection, changes)
                await _move(connection, {reading.stream: reading.place for reading in readings})
                sums["next_seq"] = changes.next_seq
                sums["row_count"] += changes.rows_added
                sums["event_bytes"] += changes.bytes_added
                sums["recorded_ms"] = max(filter(None, (sums["recorded_ms"], recorded_ms)), default=None)
                await connection.execute(update(recorder).values(sums))
        return Recorded(
            sums["row_count"],
            sums["event_bytes"],
            repeats=changes.repeats,
            differing=changes.differing,
            completed=sum(changes.batches[batch_id].is_unsent for batch_id in changes.counted),
        )

    async def drop(self, limit: int, *, before_ms: int | None) -> Recorded:
        """Deletes up to `limit` of the oldest rows; with `before_ms`, only rows older than that."""
        with translated():
            async with self._engine.begin() as connection:
                sums = await self._sums(connection)
                gone = await _drop(connection, limit, before_ms)
                sums["row_count"] -= len(gone)
                sums["event_bytes"] -= sum(gone)
                await connection.execute(update(recorder).values(sums))
        return Recorded(sums["row_count"], sums["event_bytes"], dropped=len(gone))

    async def unsent(self) -> Mapping[str, bytes]:
        """Returns the events of completed batches that are not known to be published, by batch, the oldest first."""
        wanted = select(batches.c.id, batches.c.event).where(~batches.c.sent, batches.c.completed_ms.is_not(None))
        with translated():
            async with self._engine.connect() as connection:
                rows = (await connection.execute(wanted.order_by(batches.c.completed_ms).limit(_EVENTS_AT_ONCE))).all()
        return {row.id: row.event for row in rows}

    async def mark(self, batch_id: str, *, sent: bool) -> None:
        """Notes that the event of a batch is about to be published, or with `sent` that it is."""
        with translated():
            async with self._engine.begin() as connection:
                await self._sums(connection)
                of_batch = update(batches).where(batches.c.id == batch_id)
                await connection.execute(of_batch.values(sending=True, sent=sent))

    async def _sums(self, connection: AsyncConnection) -> dict[str, Any]:
        """Writes a heartbeat, and locks out every other recorder until the transaction ends."""
        mine = update(recorder).where(recorder.c.fence == self._fence).values(beat=recorder.c.beat + 1)
        summed = (recorder.c.next_seq, recorder.c.row_count, recorder.c.event_bytes, recorder.c.recorded_ms)
        row = (await connection.execute(mine.returning(*summed))).mappings().one_or_none()
        if row is None:
            raise Fenced
        return dict(row)

    async def _changes(self, connection: AsyncConnection, readings: Sequence[FactBatch], next_seq: int) -> Changes:
        noted = [each for reading in readings for each in reading.noted]
        ids = {each.fact.document_id for each in noted if not isinstance(each.fact, BatchFact)}
        rows = [RunRow.read(columns) for columns in await _rows(connection, runs.c.document_id, ids)]
        gone = [ErasedRow(**columns) for columns in await _rows(connection, erased.c.document_id, ids)]
        named = [each.fact.batch for each in noted if isinstance(each.fact, AcceptedFact | BatchFact)]
        of_batches = {it for it in (*named, *(row.batch for row in rows), *(it.batch for it in gone)) if it}
        known = [BatchRow(**columns) for columns in await _rows(connection, batches.c.id, of_batches)]
        changes = Changes(rows, next_seq, gone, known)
        for each in noted:
            changes.learn(each)
        return changes


async def _rows(connection: AsyncConnection, column: Column[str], ids: Collection[str]) -> Sequence[dict[str, Any]]:
    """Returns the rows of a table whose `column` has one of `ids`."""
    if not ids:
        return ()
    chosen = select(column.table).where(among(connection.dialect.name, column, sorted(ids)))
    return [dict(row) for row in (await connection.execute(chosen)).mappings()]


def among(dialect: str, column: Column[str], ids: Sequence[str]) -> ColumnElement[bool]:
    """Returns the condition that a column has one of `ids`. It has one parameter, so that it is prepared only once."""
    if dialect == "sqlite":
        listed = text("SELECT value FROM json_each(:ids)").bindparams(ids=orjson.dumps(ids).decode())
        return column.in_(listed)
    return column == func.any(bindparam("ids", ids, ARRAY(Text)))


async def _store(connection: AsyncConnection, changes: Changes) -> None:
    if changes.newly:
        await _erase(connection, changes)
    if changes.fresh:
        await connection.execute(insert(runs), [row.columns() for row in changes.fresh.values()])
    if changes.changed:
        columns: dict[str, Any] = {name: bindparam(name) for name in COLUMNS if name != "seq"}
        by_seq = update(runs).where(runs.c.seq == bindparam("its_seq")).values(columns)
        await connection.execute(by_seq, [{"its_seq": seq, **_rest(row)} for seq, row in changes.changed.items()])
    await _store_labels(connection, changes)
    if changes.inputs:
        kept = [{"seq": row.seq, "body": noted.body} for row, noted in changes.inputs]
        await connection.execute(insert(inputs), kept)
    if changes.verdicts:
        bodies = [{"seq": row.seq, "body": noted.body} for row, noted in changes.verdicts]
        await connection.execute(insert(events), bodies)
    await signatures.store(connection, changes.verdicts)
    indexed = [{"seq": row.seq, "words": noted.words} for row, noted in changes.verdicts if noted.words is not None]
    if indexed:
        await connection.execute(search.insert(connection.dialect.name), indexed)
    if changes.callbacks:
        await callbacks.begin(connection, changes.callbacks, at_ms=round(time.time() * 1000))
    if changes.counted:
        await _store_batches(connection, [changes.batches[batch_id] for batch_id in sorted(changes.counted)])


async def _store_batches(connection: AsyncConnection, counted: Sequence[BatchRow]) -> None:
    for batch in counted:
        if batch.is_complete:
            batch.complete(await _first_failures(connection, batch.id))
    await connection.execute(delete(batches).where(batches.c.id.in_([batch.id for batch in counted])))
    await connection.execute(insert(batches), [asdict(batch) for batch in counted])


async def _first_failures(connection: AsyncConnection, batch_id: str) -> Sequence[FailedDocument]:
    first = failed_in(batch_id).order_by(runs.c.decided_ms, runs.c.document_id).limit(MAX_TOLD_FAILURES)
    rows = (await connection.execute(first)).all()
    return [FailedDocument(id=row.document_id, reason=row.reason, url=row.url) for row in rows]


def failed_in(batch_id: str) -> Select[Any]:
    """Returns the query for the failed documents of a batch, in no order."""
    shown = select(runs.c.document_id, runs.c.reason, runs.c.url)
    return shown.where(runs.c.batch == batch_id, runs.c.state == State.FAILED)


async def _erase(connection: AsyncConnection, changes: Changes) -> None:
    """Removes what is stored of erased documents, and notes that they are."""
    with_words = await _remove(connection, list(changes.gone)) if changes.gone else set()
    for seq, row in changes.gone.items():
        changes.erased[row.document_id].words_left |= seq in with_words and search.leaves_words(connection.dialect.name)
    newly = [changes.erased[document_id] for document_id in sorted(changes.newly)]
    await drop_erased(connection, [it.document_id for it in newly])
    await callbacks.forget(connection, [it.document_id for it in newly])
    await connection.execute(delete(erased).where(erased.c.document_id.in_([it.document_id for it in newly])))
    await connection.execute(insert(erased), [asdict(it) for it in newly])


async def _remove(connection: AsyncConnection, seqs: Sequence[int]) -> set[int]:
    """Removes rows and all that is stored beside them; returns those that were in the full-text index."""
    dialect = connection.dialect.name
    bodies = (await connection.execute(select(events).where(events.c.seq.in_(seqs)))).all()
    indexed = [
        {"seq": row.seq, "words": words} for row in bodies if (words := stored_words(dialect, row.body)) is not None
    ]
    if indexed:
        await connection.execute(search.delete(dialect), indexed)
    documents = select(runs.c.document_id).where(runs.c.seq.in_(seqs))
    await connection.execute(delete(reruns).where(reruns.c.document_id.in_(documents)))
    for table in OF_DOCUMENTS:
        await connection.execute(delete(table).where(table.c.seq.in_(seqs)))
    return {int(row["seq"]) for row in indexed}


def _rest(row: RunRow) -> dict[str, Any]:
    return {name: value for name, value in row.columns().items() if name != "seq"}


async def _store_labels(connection: AsyncConnection, changes: Changes) -> None:
    before = changes.labels_before
    renewed = [row for seq, row in changes.changed.items() if row.labels != before[seq]]
    if renewed:
        await connection.execute(delete(labels).where(labels.c.seq.in_([row.seq for row in renewed])))
    rows = [
        {"seq": row.seq, "name": name, "value": value}
        for row in (*changes.fresh.values(), *renewed)
        for name, value in row.labels.items()
    ]
    if rows:
        await connection.execute(insert(labels), rows)


async def _move(connection: AsyncConnection, moved: Mapping[Stream, StreamPosition]) -> None:
    for stream, place in moved.items():
        values = {"place": place.offset, "digest": place.digest}
        done = await connection.execute(update(places).where(places.c.stream == stream).values(values))
        if not done.rowcount:
            await connection.execute(insert(places).values(stream=stream, **values))


async def _drop(connection: AsyncConnection, limit: int, before_ms: int | None) -> list[int]:
    """Returns the sizes of the rows that it drops."""
    oldest = select(runs.c.seq, runs.c.size).order_by(runs.c.sort_ms, runs.c.document_id).limit(limit)
    if before_ms is not None:
        oldest = oldest.where(runs.c.sort_ms < before_ms)
        await connection.execute(delete(erased).where(erased.c.erased_ms < before_ms))
        await connection.execute(delete(batches).where(batches.c.changed_ms < before_ms))
    rows = (await connection.execute(oldest)).all()
    if rows:
        await _remove(connection, [row.seq for row in rows])
    return [row.size for row in rows]
