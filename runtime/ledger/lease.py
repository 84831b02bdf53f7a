"""One recorder writes at a time, and the others stand by. Clocks of different machines are never compared.

The row `recorder` holds a fence, which grows with each holder, and a beat, which grows with each heartbeat. A
recorder that sees no new heartbeat for `heartbeat_timeout_s` takes over by raising the fence. Each transaction of a
holder first checks the fence and ends if it has changed, so two recorders never write at the same time.
"""

import asyncio
import time
from contextlib import suppress
from dataclasses import dataclass
from uuid import uuid4

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.broker import Stop
from runtime.ledger.database import translated
from runtime.ledger.tables import recorder

_NOBODY = {"holder": None}


@dataclass(frozen=True, slots=True)
class _Seen:
    """The values of the row at one reading."""

    holder: str | None
    fence: int
    beat: int


class Lease:
    """Tries every `poll_s` seconds to become the writer. With `alone` it does not wait: no other recorder can exist."""

    def __init__(self, engine: AsyncEngine, *, poll_s: float, heartbeat_timeout_s: float, alone: bool) -> None:
        self._engine = engine
        self._poll_s = poll_s
        self._heartbeat_timeout_s = heartbeat_timeout_s
        self._alone = alone
        self._me = str(uuid4())

    async def acquire(self, stop: Stop) -> int | None:
        """Returns our fence when we hold the lease, None if `stop` was set before.

        Raises:
            LedgerUnavailable: the database cannot be asked.
        """
        seen, since = await self._look(), time.monotonic()
        while not stop.is_set():
            if self._alone or seen.holder is None or time.monotonic() - since >= self._heartbeat_timeout_s:
                if await self._take(seen):
                    return seen.fence + 1
                since = time.monotonic()
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll_s):
                    await stop.wait()
            if (now := await self._look()) != seen:
                seen, since = now, time.monotonic()
        return None

    async def release(self, fence: int) -> None:
        """Lets the next recorder take over at once.

        Raises:
            LedgerUnavailable: the database cannot be asked.
        """
        with translated():
            async with self._engine.begin() as connection:
                await connection.execute(update(recorder).where(recorder.c.fence == fence).values(_NOBODY))

    async def _look(self) -> _Seen:
        with translated():
            async with self._engine.connect() as connection:
                row = (await connection.execute(select(recorder.c.holder, recorder.c.fence, recorder.c.beat))).one()
        return _Seen(row.holder, row.fence, row.beat)

    async def _take(self, seen: _Seen) -> bool:
        mine = {"holder": self._me, "fence": seen.fence + 1, "beat": seen.beat + 1}
        unchanged = (recorder.c.fence == seen.fence) & (recorder.c.beat == seen.beat)
        with translated():
            async with self._engine.begin() as connection:
                taken = await connection.execute(update(recorder).where(unchanged).values(mine))
        return taken.rowcount == 1
