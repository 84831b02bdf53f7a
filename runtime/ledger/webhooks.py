"""Webhooks in a database, for the API."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.webhooks import Delivery, DeliveryState, Webhook
from runtime.ledger.database import translated
from runtime.ledger.tables import deliveries, webhooks
from runtime.ledger.times import milliseconds
from runtime.ledger.webhook_rows import (
    delivery_of,
    delivery_row,
    settable,
    webhook_of,
    webhook_row,
)

_WITHOUT_BODY = [column for column in deliveries.c if column.name != "body"]


class SqlWebhookBook:
    """Implements `contract.webhooks.WebhookBook`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def add(self, webhook: Webhook, *, at_most: int) -> bool:
        """Stores a new webhook; see `contract.webhooks.WebhookBook`."""
        count = select(func.count()).where(webhooks.c.owner == webhook.owner)
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(webhooks).values(**webhook_row(webhook)))
                if (await connection.execute(count)).scalar_one() > at_most:
                    await connection.rollback()
                    return False
        return True

    async def webhook(self, webhook_id: str) -> Webhook | None:
        """Returns a webhook, None if there is none."""
        found = await self._webhooks(webhooks.c.id == webhook_id)
        return found[0] if found else None

    async def webhooks(self, owner: str | None) -> Sequence[Webhook]:
        """Returns the webhooks of an owner, or of all, the oldest first."""
        return await self._webhooks(true() if owner is None else webhooks.c.owner == owner)

    async def change(self, webhook: Webhook) -> bool:
        """Stores what an owner may change; see `contract.webhooks.WebhookBook`."""
        before = (webhooks.c.id == webhook.id, webhooks.c.version == webhook.version - 1)
        pending = (deliveries.c.webhook_id == webhook.id, deliveries.c.state == DeliveryState.PENDING)
        due = {"next_ms": milliseconds(webhook.updated_at), "attempts": 0}
        with translated():
            async with self._engine.begin() as connection:
                done = await connection.execute(update(webhooks).where(*before).values(**settable(webhook)))
                if done.rowcount:
                    await connection.execute(update(deliveries).where(*pending).values(**due))
        return bool(done.rowcount)

    async def remove(self, webhook_id: str) -> bool:
        """Removes a webhook and its deliveries. Returns False if there is none."""
        with translated():
            async with self._engine.begin() as connection:
                done = await connection.execute(delete(webhooks).where(webhooks.c.id == webhook_id))
                await connection.execute(delete(deliveries).where(deliveries.c.webhook_id == webhook_id))
        return bool(done.rowcount)

    async def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None, limit: int, before: str | None
    ) -> Sequence[Delivery]:
        """Returns deliveries, the newest first; see `contract.webhooks.WebhookBook`."""
        wanted = [deliveries.c.webhook_id == webhook_id]
        wanted += [] if state is None else [deliveries.c.state == state]
        wanted += [] if before is None else [deliveries.c.id < before]
        listed = select(*_WITHOUT_BODY).where(*wanted).order_by(deliveries.c.id.desc()).limit(limit)
        with translated():
            async with self._engine.connect() as connection:
                return [delivery_of(dict(row)) for row in (await connection.execute(listed)).mappings()]

    async def delivery(self, webhook_id: str, delivery_id: str) -> Delivery | None:
        """Returns a delivery, None if there is none."""
        wanted = select(deliveries).where(deliveries.c.webhook_id == webhook_id, deliveries.c.id == delivery_id)
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(wanted)).mappings().one_or_none()
        return None if row is None else delivery_of(dict(row))

    async def request(self, delivery: Delivery) -> None:
        """Stores a delivery that an owner asks for."""
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(deliveries).values(**delivery_row(delivery)))

    async def hasten(self, delivery_id: str, at: datetime) -> bool:
        """Makes a pending delivery due at `at`. Returns False if it is not pending any more."""
        pending = (deliveries.c.id == delivery_id, deliveries.c.state == DeliveryState.PENDING)
        with translated():
            async with self._engine.begin() as connection:
                done = await connection.execute(update(deliveries).where(*pending).values(next_ms=milliseconds(at)))
        return bool(done.rowcount)

    async def _webhooks(self, wanted: ColumnElement[bool]) -> Sequence[Webhook]:
        listed = select(webhooks).where(wanted).order_by(webhooks.c.created_ms, webhooks.c.id)
        with translated():
            async with self._engine.connect() as connection:
                return [webhook_of(dict(row)) for row in (await connection.execute(listed)).mappings()]
