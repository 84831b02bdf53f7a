"""API keys in a database: makes, lists, rotates and revokes them, and tells a server which it may take."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.keys import Key, Limits, Scope
from runtime.ledger.database import translated
from runtime.ledger.tables import api_keys
from runtime.ledger.times import maybe_time_of, milliseconds, time_of


class SqlKeyBook:
    """Implements `contract.keys.KeyBook`, and what operators do with keys."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def usable_keys(self) -> Sequence[Key]:
        """Returns all keys that are not revoked; see `contract.keys.KeyBook`."""
        return await self._keys(api_keys.c.revoked_ms.is_(None))

    async def all_keys(self) -> Sequence[Key]:
        """Returns all keys, the oldest first.

        Raises:
            LedgerUnavailable: the database failed.
        """
        return await self._keys(true())

    async def add(self, key: Key) -> None:
        """Stores a new key.

        Raises:
            LedgerUnavailable: the database failed.
        """
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(insert(api_keys).values(_row(key)))

    async def rotate(self, key_id: str, digest: bytes, at: datetime, overlap: timedelta) -> bool:
        """Gives a key a new token. The one before is taken for `overlap` more; one before that, no more.

        Returns False if there is no such key in use.

        Raises:
            LedgerUnavailable: the database failed.
        """
        until = milliseconds(at + overlap)
        return await self._change(key_id, {"former": api_keys.c.digest, "former_until_ms": until, "digest": digest})

    async def revoke(self, key_id: str, at: datetime) -> bool:
        """Revokes a key for good. Returns False if there is no such key in use.

        Raises:
            LedgerUnavailable: the database failed.
        """
        return await self._change(key_id, {"revoked_ms": milliseconds(at)})

    async def _change(self, key_id: str, values: Mapping[str, Any]) -> bool:
        in_use = (api_keys.c.id == key_id, api_keys.c.revoked_ms.is_(None))
        with translated():
            async with self._engine.begin() as connection:
                done = await connection.execute(update(api_keys).where(*in_use).values(**values))
        return bool(done.rowcount)

    async def _keys(self, wanted: ColumnElement[bool]) -> Sequence[Key]:
        listed = select(api_keys).where(wanted).order_by(api_keys.c.created_ms, api_keys.c.id)
        with translated():
            async with self._engine.connect() as connection:
                return [_key(dict(row)) for row in (await connection.execute(listed)).mappings()]


def _row(key: Key) -> dict[str, Any]:
    return {
        "id": key.id,
        "owner": key.owner,
        "digest": key.digest,
        "scopes": " ".join(sorted(key.scopes)),
        "per_minute": key.limits.per_minute,
        "documents_a_day": key.limits.documents_a_day,
        "bytes_a_day": key.limits.bytes_a_day,
        "created_ms": milliseconds(key.created_at),
    }


def _key(row: Mapping[str, Any]) -> Key:
    limits = Limits(
        per_minute=row["per_minute"], documents_a_day=row["documents_a_day"], bytes_a_day=row["bytes_a_day"]
    )
    return Key(
        id=row["id"],
        owner=row["owner"],
        digest=bytes(row["digest"]),
        scopes=frozenset(Scope(word) for word in row["scopes"].split()),
        limits=limits,
        created_at=time_of(row["created_ms"]),
        former=None if row["former"] is None else bytes(row["former"]),
        former_until=maybe_time_of(row["former_until_ms"]),
        revoked_at=maybe_time_of(row["revoked_ms"]),
    )
