"""Counts what keys have used in a database that all replicas share."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from contract.keys import Limits
from contract.quotas import Charge, QuotaPolicy, QuotaWindow, Standing, Usage, settle
from runtime.ledger.database import translated
from runtime.ledger.tables import api_keys, key_usage

_INSERT: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}


@dataclass(slots=True)
class _Asked:
    """A charge that waits for its turn, and its answer."""

    limits: Limits
    charge: Charge
    now_s: float
    standing: Standing | None = None


class SqlCounter:
    """Implements `contract.quotas.Counter`. Charges of one key that come together share a transaction."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._waiting: defaultdict[str, list[_Asked]] = defaultdict(list)
        self._turns: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def settle(self, key_id: str, limits: Limits, charge: Charge, now_s: float) -> Standing:
        """Counts the charge; see `contract.quotas.Counter`.

        Raises:
            LedgerUnavailable: the database failed. Whether the charge is counted is not known.
        """
        asked = _Asked(limits, charge, now_s)
        self._waiting[key_id].append(asked)
        try:
            async with self._turns[key_id]:
                while asked.standing is None:
                    await self._settle_waiting(key_id)
        finally:
            if asked in self._waiting[key_id]:
                self._waiting[key_id].remove(asked)
        return asked.standing

    async def _settle_waiting(self, key_id: str) -> None:
        """Settles all that wait for this key, in their order. If the database fails, they still wait."""
        taken = list(self._waiting[key_id])
        with translated():
            async with self._engine.begin() as connection:
                usage, standings = await _usage(connection, key_id), []
                for asked in taken:
                    settled = settle(asked.limits, usage, asked.charge, asked.now_s)
                    usage = {**usage, **settled.usage}
                    standings.append(settled.standing)
                await _store(connection, key_id, usage)
        for asked, standing in zip(taken, standings, strict=True):
            asked.standing = standing
        self._waiting[key_id] = self._waiting[key_id][len(taken) :]


async def _usage(connection: AsyncConnection, key_id: str) -> Usage:
    """Returns what the key has used. It locks the key's row first: another replica that charges the key waits."""
    await connection.execute(select(api_keys.c.id).where(api_keys.c.id == key_id).with_for_update(key_share=True))
    rows = (await connection.execute(select(key_usage).where(key_usage.c.key_id == key_id))).mappings()
    return {QuotaPolicy(row["policy"]): QuotaWindow(row["number"], row["used"]) for row in rows}


async def _store(connection: AsyncConnection, key_id: str, usage: Mapping[QuotaPolicy, QuotaWindow]) -> None:
    if not usage:
        return
    values = [
        {"key_id": key_id, "policy": policy, "number": window.number, "used": window.used}
        for policy, window in usage.items()
    ]
    insert = _INSERT[connection.dialect.name](key_usage).values(values)
    changed = {"number": insert.excluded.number, "used": insert.excluded.used}
    await connection.execute(
        insert.on_conflict_do_update(index_elements=[key_usage.c.key_id, key_usage.c.policy], set_=changed)
    )
