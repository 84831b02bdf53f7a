"""Answers the HTTP side from a database: implements `contract.ledger.Ledger`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, and_, exists, func, or_, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.accepted import Input
from contract.batches import Batch, BatchPage, BatchPlace, FailedDocument, FailurePage
from contract.codec import decode_input
from contract.job import Kind, Lane
from contract.ledger import DocumentFilter, DocumentPage, DocumentPlace, Erased, Run, State
from contract.reasons import Reason
from runtime.ledger import callbacks, claims, search
from runtime.ledger.batch import unpacked
from runtime.ledger.database import translated
from runtime.ledger.document_batches import FIRST_RUN, BatchRow
from runtime.ledger.journal import among, failed_in
from runtime.ledger.row import RunRow
from runtime.ledger.tables import batches, erased, events, inputs, labels, recorder, runs
from runtime.ledger.times import maybe_time_of, milliseconds, time_of


class SqlLedger:
    """Implements `contract.ledger.Ledger`. It only reads, except for claims."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def runs(self, document_id: str) -> Sequence[Run]:
        """Returns all runs of a document; see `contract.ledger.Ledger`."""
        if "\0" in document_id:  # PostgreSQL does not allow it in text
            return ()
        rows = await self._rows(select(runs).where(runs.c.document_id == document_id).order_by(runs.c.run))
        known = [_run(RunRow.read(row)) for row in rows]
        return await callbacks.with_progress(self._engine, known) if any(it.callback_url for it in known) else known

    async def event(self, document_id: str, run: int) -> bytes | None:
        """Returns the event of a run; see `contract.ledger.Ledger`."""
        wanted = select(events.c.body).join(runs, runs.c.seq == events.c.seq)
        rows = await self._rows(wanted.where(runs.c.document_id == document_id, runs.c.run == run))
        return unpacked(rows[0]["body"]) if rows else None

    async def erased(self, document_id: str) -> Erased | None:
        """Returns when a document was erased; see `contract.ledger.Ledger`."""
        if "\0" in document_id:
            return None
        rows = await self._rows(select(erased).where(erased.c.document_id == document_id))
        return Erased(time_of(rows[0]["erased_ms"]), rows[0]["owner"]) if rows else None

    async def input(self, document_id: str, run: int) -> Input | None:
        """Returns the input of a run; see `contract.ledger.Ledger`."""
        wanted = select(inputs.c.body).join(runs, runs.c.seq == inputs.c.seq)
        rows = await self._rows(wanted.where(runs.c.document_id == document_id, runs.c.run == run))
        return decode_input(unpacked(rows[0]["body"])) if rows else None

    async def claim(self, document_id: str, run: int, key: str | None, at: datetime) -> bool:
        """Claims the number of a run; see `contract.ledger.Ledger`."""
        return await claims.claim(self._engine, document_id, run, key, at)

    async def is_claimed(self, document_id: str, run: int, at: datetime) -> bool:
        """Returns True if the number of a run is claimed; see `contract.ledger.Ledger`."""
        return await claims.is_claimed(self._engine, document_id, run, at)

    async def claimed(self, document_id: str, key: str) -> int | None:
        """Returns the number that was claimed with this key; see `contract.ledger.Ledger`."""
        return await claims.claimed(self._engine, document_id, key)

    async def release(self, document_id: str, run: int) -> None:
        """Gives a claim back; see `contract.ledger.Ledger`."""
        await claims.release(self._engine, document_id, run)

    async def body_digests(self, document_ids: Sequence[str]) -> Mapping[str, str]:
        """Returns what documents were first posted with; see `contract.ledger.Ledger`."""
        first = select(runs.c.document_id, runs.c.body_digest).where(runs.c.run == 1, runs.c.body_digest.is_not(None))
        rows = await self._rows(first.where(among(self._engine.dialect.name, runs.c.document_id, document_ids)))
        return {row["document_id"]: row["body_digest"] for row in rows}

    async def page(self, wanted: DocumentFilter, *, limit: int, after: DocumentPlace | None) -> DocumentPage:
        """Returns a page of the list; see `contract.ledger.Ledger`."""
        listed = select(runs).where(runs.c.latest, *_conditions(wanted, self._engine.dialect.name))
        if after is not None:
            listed = listed.where(_behind(after))
        newest_first = (runs.c.sort_ms.desc(), runs.c.document_id.desc())
        rows = [RunRow.read(row) for row in await self._rows(listed.order_by(*newest_first).limit(limit + 1))]
        shown = rows[:limit]
        more = len(rows) > limit
        return DocumentPage(
            [_run(row) for row in shown], DocumentPlace(shown[-1].sort_ms, shown[-1].document_id) if more else None
        )

    async def decided_since(self, since: datetime) -> Mapping[Lane, int]:
        """Counts decided documents, by lane; see `contract.ledger.Ledger`."""
        lately = runs.c.decided_ms >= milliseconds(since)
        rows = await self._rows(select(runs.c.lane, func.count().label("decided")).where(lately).group_by(runs.c.lane))
        return {Lane(row["lane"]): row["decided"] for row in rows if row["lane"] in set(Lane)}

    async def waiting_since(self, lane: Lane) -> datetime | None:
        """Returns the time of the oldest waiting document of a lane; see `contract.ledger.Ledger`."""
        waiting = select(runs.c.sort_ms).where(runs.c.state == State.ACCEPTED, runs.c.lane == lane)
        rows = await self._rows(waiting.order_by(runs.c.sort_ms).limit(1))
        return maybe_time_of(rows[0]["sort_ms"]) if rows else None

    async def batch(self, batch_id: str) -> Batch | None:
        """Returns what is recorded of a batch; see `contract.ledger.Ledger`."""
        if "\0" in batch_id:
            return None
        rows = await self._rows(select(batches).where(batches.c.id == batch_id))
        return BatchRow(**rows[0]).shown() if rows else None

    async def batches(self, *, owner: str | None, name: str | None, limit: int, after: BatchPlace | None) -> BatchPage:
        """Returns a page of the list of batches; see `contract.ledger.Ledger`."""
        listed = select(batches)
        if owner is not None:
            listed = listed.where(batches.c.owner == owner)
        if name is not None:
            listed = listed.where(batches.c.name == name)
        if after is not None:
            listed = listed.where(_earlier(batches.c.begun_ms, batches.c.id, after.at_ms, after.batch_id))
        newest_first = (batches.c.begun_ms.desc(), batches.c.id.desc())
        rows = [BatchRow(**row) for row in await self._rows(listed.order_by(*newest_first).limit(limit + 1))]
        following = BatchPlace(rows[limit - 1].begun_ms, rows[limit - 1].id) if len(rows) > limit else None
        return BatchPage([row.shown() for row in rows[:limit]], following)

    async def outsiders(self, batch_id: str, document_ids: Sequence[str]) -> frozenset[str]:
        """Returns documents that come too late for their batch; see `contract.ledger.Ledger`."""
        closed = select(batches.c.id).where(batches.c.id == batch_id, batches.c.closed_ms.is_not(None))
        if not await self._rows(closed):
            return frozenset()
        inside: set[str] = set()
        for table in (runs, erased):
            listed = among(self._engine.dialect.name, table.c.document_id, document_ids)
            found = await self._rows(select(table.c.document_id).where(table.c.batch == batch_id, listed))
            inside.update(row["document_id"] for row in found)
        return frozenset(document_ids) - inside

    async def batch_failures(self, batch_id: str, *, limit: int, after: str | None) -> FailurePage:
        """Returns a page of the failed documents of a batch; see `contract.ledger.Ledger`."""
        listed = failed_in(batch_id).order_by(runs.c.document_id).limit(limit + 1)
        rows = await self._rows(listed if after is None else listed.where(runs.c.document_id > after))
        found = [FailedDocument(id=row["document_id"], reason=row["reason"], url=row["url"]) for row in rows]
        return FailurePage(found[:limit], found[limit - 1].id if len(found) > limit else None)

    async def recorded_until(self) -> datetime | None:
        """Returns the time up to which acceptances are recorded; see `contract.ledger.Ledger`."""
        (row,) = await self._rows(select(recorder.c.recorded_ms))
        return maybe_time_of(row["recorded_ms"])

    async def _rows(self, statement: Select[Any]) -> Sequence[Mapping[str, Any]]:
        with translated():
            async with self._engine.connect() as connection:
                return [dict(row) for row in (await connection.execute(statement)).mappings()]


def _conditions(wanted: DocumentFilter, dialect: str) -> list[ColumnElement[bool]]:
    equal = {name: getattr(wanted, name) for name in ("owner", "state", "reason", "kind", "host", "language")}
    conditions: list[Any] = [runs.c[name] == value for name, value in equal.items() if value is not None]
    for name, value in wanted.labels.items():
        conditions.append(_labelled(name, value))
    if wanted.batch is not None:
        conditions.append(_in_batch(wanted.batch))
    for column, since, until in (
        (runs.c.accepted_ms, wanted.accepted_from, wanted.accepted_until),
        (runs.c.published_ms, wanted.published_from, wanted.published_until),
    ):
        if since is not None:
            conditions.append(column >= milliseconds(since))
        if until is not None:
            conditions.append(column < milliseconds(until))
    if wanted.terms:
        conditions.append(search.match(dialect, wanted.terms))
    return conditions


def _labelled(name: str, value: str) -> ColumnElement[bool]:
    return exists().where(labels.c.seq == runs.c.seq, labels.c.name == name, labels.c.value == value)


def _in_batch(batch: str) -> ColumnElement[bool]:
    """Returns the condition that a batch with this id or name counts the document. It counts by the first run.

    Few documents have another run. So the rows are walked from the newest on, as for labels. To collect all documents
    of a large batch first takes many times as long (docs/performance.md).
    """
    ids, first = select(batches.c.id).where(or_(batches.c.id == batch.lower(), batches.c.name == batch)), runs.alias()
    its_first = and_(first.c.document_id == runs.c.document_id, first.c.run == FIRST_RUN, first.c.batch.in_(ids))
    return or_(runs.c.batch.in_(ids), and_(runs.c.run > FIRST_RUN, exists().where(its_first)))


def _behind(place: DocumentPlace) -> ColumnElement[bool]:
    return _earlier(runs.c.sort_ms, runs.c.document_id, place.at_ms, place.document_id)


def _earlier(time: Column[int], id_: Column[str], at_ms: int, after_id: str) -> ColumnElement[bool]:
    """Returns the condition that a row comes after this time and id, newest first."""
    return or_(time < at_ms, and_(time == at_ms, id_ < after_id))


def _run(row: RunRow) -> Run:
    state = State(row.state)
    return Run(
        document_id=row.document_id,
        run=row.run,
        state=state,
        kind=Kind(row.kind) if row.kind in set(Kind) else None,
        lane=Lane(row.lane) if row.lane in set(Lane) else None,
        owner=row.owner,
        url=row.url,
        host=row.host,
        labels=row.labels,
        accepted_at=maybe_time_of(row.accepted_ms),
        decided_at=maybe_time_of(row.decided_ms),
        attempts=_attempts(row, state),
        reason=Reason(row.reason) if row.reason in set(Reason) else None,
        detail=row.detail,
        next_at=maybe_time_of(row.next_ms),
        title=row.title,
        language=row.language,
        published=row.published,
        repeats=row.repeats,
        differing=row.differing,
        callback_url=row.callback_url,
    )


def _attempts(row: RunRow, state: State) -> int:
    if not state.decided:
        return row.tried
    return row.tried + 1 if row.attempts is None else row.attempts
