"""What the role `deliver` stores: implements `contract.deliveries.DeliveryStore`."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from operator import itemgetter
from typing import Any, Final

from sqlalchemy import BigInteger, Dialect, Insert, Update, bindparam, case, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contract.deliveries import HeldWebhook, Ownership, PendingDeliveries, Settlement, WebhookSnapshot
from contract.events import ERASED
from contract.webhooks import Delivery, DeliveryState, Webhook
from runtime.ledger.database import translated
from runtime.ledger.owners import owned_of
from runtime.ledger.replays import count_replayed, leave_replays
from runtime.ledger.tables import deliverers, deliveries, webhooks
from runtime.ledger.times import maybe_milliseconds, maybe_time_of, milliseconds
from runtime.ledger.webhook_rows import delivery_of, delivery_row, webhook_of

_INSERT: Final[dict[str, Any]] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}
_PENDING = deliveries.c.state == DeliveryState.PENDING.value
_CHANGING: Final = ("state", "attempts", "next_ms", "last_ms", "status", "error", "took_ms", "excerpt")
_POSTPONE = (
    update(deliveries)
    .where(_PENDING, deliveries.c.id == bindparam("delivery"))
    .values({name: bindparam(f"new_{name}") for name in _CHANGING})
)
_FINISH = _POSTPONE.values(body=None)
_COLUMNS: Final[dict[str, Any]] = {column.name: bindparam(column.name) for column in deliveries.c}
# After a commit whose outcome was not known the rows may be there already.
_FRESH: Final = {name: of(deliveries).values(_COLUMNS).on_conflict_do_nothing() for name, of in _INSERT.items()}
_TAKE = (
    update(webhooks)
    .where(webhooks.c.id == bindparam("webhook"), webhooks.c.fence == bindparam("seen"))
    .values(holder=bindparam("by"), fence=webhooks.c.fence + 1)
)
# One statement for all webhooks. Where the version is another one, the owner has changed the webhook meanwhile.
_ADVANCE = (
    update(webhooks)
    .where(webhooks.c.id == bindparam("webhook"))
    .values(
        place=bindparam("reached"),
        failing_since_ms=case(
            (webhooks.c.version == bindparam("seen"), bindparam("failing", type_=BigInteger)),
            else_=webhooks.c.failing_since_ms,
        ),
    )
)


class SqlDeliveries:
    """Reads by `reader`, writes by `writer`. With `alone` no other process can deliver: no heartbeat is stored."""

    def __init__(self, reader: AsyncEngine, writer: AsyncEngine, *, alone: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._alone = alone

    async def heartbeat(self, name: str) -> WebhookSnapshot:
        """Stores a heartbeat, and returns all webhooks and heartbeats."""
        with translated():
            if not self._alone:
                async with self._writer.begin() as connection:
                    await _store_heartbeat(connection, name)
            async with self._reader.connect() as connection:
                rows = (await connection.execute(select(webhooks))).mappings().all()
                heartbeats = (await connection.execute(select(deliverers.c.name, deliverers.c.beat))).all()
        held = [HeldWebhook(webhook_of(dict(row)), row["holder"], row["fence"]) for row in rows]
        return WebhookSnapshot(held, {name: 0} if self._alone else {row.name: row.beat for row in heartbeats})

    async def take(self, wanted: Sequence[HeldWebhook], name: str) -> Sequence[Webhook]:
        """Takes webhooks; see `contract.deliveries.DeliveryStore`."""
        fences = {held.webhook.id: held.fence for held in sorted(wanted, key=lambda it: it.webhook.id)}
        changes = [{"webhook": it, "seen": fence, "by": name} for it, fence in fences.items()]  # in order: no deadlocks
        its = select(webhooks).where(webhooks.c.holder == name, webhooks.c.id.in_(fences))
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(_TAKE, changes)
                rows = (await connection.execute(its)).mappings().all()
        return [webhook_of(dict(row)) for row in rows if row["fence"] == fences[row["id"]] + 1]

    async def give_back(self, webhook_ids: Collection[str], name: str) -> None:
        """Gives back some of what a process holds."""
        its = (webhooks.c.id.in_(webhook_ids), webhooks.c.holder == name)
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(webhooks).where(*its).values(holder=None))

    async def leave(self, name: str) -> None:
        """Gives back all that a process holds, and forgets it."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(webhooks).where(webhooks.c.holder == name).values(holder=None))
                await leave_replays(connection, name)
                await connection.execute(delete(deliverers).where(deliverers.c.name == name))

    async def settle(self, settlements: Sequence[Settlement]) -> Collection[str]:
        """Stores settlements in one transaction; see `contract.deliveries.DeliveryStore`."""
        with translated():
            async with self._writer.begin() as connection:
                kept = await _held(connection, settlements)
                await _advance(connection, kept)
                await _store(connection, kept)
        return {one.webhook_id for one in settlements} - {one.webhook_id for one in kept}

    async def pending(self, webhook_ids: Collection[str]) -> Mapping[str, PendingDeliveries]:
        """Returns what is pending for each of these webhooks."""
        on_request = deliveries.c.requested
        counted = (
            select(
                deliveries.c.webhook_id,
                func.sum(case((on_request, 0), else_=1)).label("count"),
                func.min(case((on_request, None), else_=deliveries.c.next_ms)).label("next_ms"),
                func.min(case((on_request, deliveries.c.next_ms), else_=None)).label("requested_ms"),
                func.sum(case((on_request, 0), else_=func.length(deliveries.c.body))).label("bytes"),
            )
            .where(_PENDING, deliveries.c.webhook_id.in_(webhook_ids))
            .group_by(deliveries.c.webhook_id)
        )
        with translated():
            async with self._reader.connect() as connection:
                rows = (await connection.execute(counted)).all()
        return {
            row[0]: PendingDeliveries(int(row[1]), maybe_time_of(row[2]), maybe_time_of(row[3]), int(row[4] or 0))
            for row in rows
        }

    async def due(self, webhook_id: str, at: datetime, *, requested: bool, limit: int) -> Sequence[Delivery]:
        """Returns deliveries that are due."""
        wanted = select(deliveries).where(
            _PENDING,
            deliveries.c.webhook_id == webhook_id,
            deliveries.c.next_ms <= milliseconds(at),
            deliveries.c.requested.is_(requested),
        )
        return await self._deliveries(wanted.order_by(deliveries.c.next_ms, deliveries.c.id).limit(limit))

    async def blocking(self, webhook_id: str, *, limit: int) -> Sequence[Delivery]:
        """Returns the pending deliveries of an ordered webhook, in the order of the log."""
        mine = (_PENDING, deliveries.c.webhook_id == webhook_id, deliveries.c.requested.is_(False))
        return await self._deliveries(select(deliveries).where(*mine).order_by(deliveries.c.log_offset).limit(limit))

    async def next_at(self, delivery_id: str) -> datetime | None:
        """Returns when a delivery is due, None if it is not pending any more."""
        wanted = select(deliveries.c.next_ms).where(_PENDING, deliveries.c.id == delivery_id)
        with translated():
            async with self._reader.connect() as connection:
                return maybe_time_of((await connection.execute(wanted)).scalar_one_or_none())

    async def ownership(self, owner: str, ids: Collection[str], until: datetime) -> Ownership:
        """Tells which documents, webhooks or batches are the owner's."""
        with translated():
            async with self._reader.connect() as connection:
                return Ownership(*await owned_of(connection, owner, ids, until))

    async def told(self, webhook_id: str) -> None:
        """Notes that the event about the disabled webhook is published."""
        with translated():
            async with self._writer.begin() as connection:
                await connection.execute(update(webhooks).where(webhooks.c.id == webhook_id).values(is_told=True))

    async def sweep(self, webhook_id: str, before: datetime, *, keep: int) -> int:
        """Deletes old deliveries; see `contract.deliveries.DeliveryStore`."""
        over = (deliveries.c.webhook_id == webhook_id, deliveries.c.state != DeliveryState.PENDING.value)
        newest = select(deliveries.c.id).where(over[0]).order_by(deliveries.c.id.desc()).offset(keep).limit(1)
        with translated():
            async with self._writer.begin() as connection:
                edge = (await connection.execute(newest)).scalar_one_or_none()
                too_old = deliveries.c.created_ms < milliseconds(before)
                gone = too_old if edge is None else too_old | (deliveries.c.id <= edge)
                return (await connection.execute(delete(deliveries).where(*over, gone))).rowcount

    async def _deliveries(self, wanted: Any) -> Sequence[Delivery]:  # noqa: ANN401 - a select of all columns
        with translated():
            async with self._reader.connect() as connection:
                return [delivery_of(dict(row)) for row in (await connection.execute(wanted)).mappings()]


async def drop_erased(connection: AsyncConnection, document_ids: Sequence[str]) -> None:
    """Drops what is pending of erased documents, for all webhooks, but for that of the erasure itself."""
    gone = (_PENDING, deliveries.c.document_id.in_(document_ids), deliveries.c.event_type != ERASED)
    await connection.execute(delete(deliveries).where(*gone))


async def _store_heartbeat(connection: AsyncConnection, name: str) -> None:
    fresh = _INSERT[connection.dialect.name](deliverers).values(name=name, beat=1)
    again = fresh.on_conflict_do_update(index_elements=[deliverers.c.name], set_={"beat": deliverers.c.beat + 1})
    await connection.execute(again)


async def _held(connection: AsyncConnection, settlements: Sequence[Settlement]) -> list[Settlement]:
    """Returns the settlements of webhooks that no other process has, and locks the rows of those."""
    wanted = select(webhooks.c.id, webhooks.c.fence).where(webhooks.c.id.in_([it.webhook_id for it in settlements]))
    locked = wanted.order_by(webhooks.c.id).with_for_update()  # always in one order: no deadlocks
    fences = {row.id: row.fence for row in (await connection.execute(locked)).all()}
    return [one for one in settlements if fences.get(one.webhook_id) == one.fence]


async def _advance(connection: AsyncConnection, settlements: Sequence[Settlement]) -> None:
    """Stores the places, and what else changes of webhooks."""
    if settlements:
        await _execute_many(connection, _ADVANCE, [_progress(one) for one in settlements])
    for one in settlements:
        values: dict[str, Any] = {} if one.missed_at is None else {"missed_ms": milliseconds(one.missed_at)}
        if one.disabled is not None:
            values |= {"enabled": False, "disabled_cause": one.disabled.cause, "is_told": False}
            values["disabled_ms"] = milliseconds(one.disabled.at)
        if values:
            same = (webhooks.c.id == one.webhook_id, webhooks.c.version == one.version)
            await connection.execute(update(webhooks).where(*same).values(**values))


def _progress(one: Settlement) -> dict[str, Any]:
    """Returns the parameters of `_ADVANCE`."""
    failing = maybe_milliseconds(one.failing_since)
    return {"webhook": one.webhook_id, "seen": one.version, "reached": one.place, "failing": failing}


async def _store(connection: AsyncConnection, settlements: Sequence[Settlement]) -> None:
    fresh = [delivery_row(it) for one in settlements for it in one.fresh]
    if fresh:
        await _execute_many(connection, _FRESH[connection.dialect.name], fresh)
    again = [it for one in settlements for it in one.again]
    replayed = {it.id: it.state for it in again if it.replay_id and it.state is not DeliveryState.PENDING}
    if replayed:
        await count_replayed(connection, replayed)
    for is_over in (True, False):
        rows = [_changes(it) for it in again if (it.state is not DeliveryState.PENDING) == is_over]
        if rows:
            await connection.execute(_FINISH if is_over else _POSTPONE, rows)
    for one in settlements:
        its = (_PENDING, deliveries.c.webhook_id == one.webhook_id)
        if one.erased:
            gone = (deliveries.c.document_id.in_(one.erased), deliveries.c.event_type != ERASED)
            await connection.execute(delete(deliveries).where(*its, *gone))
        if one.hasten_at is not None:
            due = milliseconds(one.hasten_at)
            await connection.execute(update(deliveries).where(*its, deliveries.c.next_ms > due).values(next_ms=due))


async def _execute_many(
    connection: AsyncConnection, statement: Insert | Update, rows: Sequence[dict[str, Any]]
) -> None:
    """Executes a statement of this module for many rows, by the driver.

    SQLAlchemy would look at each parameter of each row by itself, which takes as long as the database does.
    """
    text, parameters = _compiled(connection.dialect, statement)
    await connection.exec_driver_sql(text, [parameters(row) for row in rows])


@lru_cache(maxsize=8)  # of two statements; a process has one database, tests have some
def _compiled(dialect: Dialect, statement: Insert | Update) -> tuple[str, Callable[[dict[str, Any]], tuple[Any, ...]]]:
    """Returns a statement as the driver takes it, and what makes its parameters from a row."""
    compiled = statement.compile(dialect=dialect)
    return str(compiled), itemgetter(*(compiled.positiontup or ()))


def _changes(delivery: Delivery) -> dict[str, Any]:
    """Returns the columns that an attempt changes, as parameters: their names may not be those of columns."""
    row = delivery_row(delivery)
    return {"delivery": delivery.id} | {f"new_{name}": row[name] for name in _CHANGING}
