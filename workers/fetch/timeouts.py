"""The time that an exchange may take: one `asyncio.timeout`, which each wait moves to its own end."""

import asyncio
import math
from types import TracebackType
from typing import Self

from contract.reasons import Reason
from workers.failures import Failed

_TOTAL = (Reason.FETCH_TIMEOUT, "the time for all of the fetch is over")


class Timeouts:
    """Bounds what is done inside to `total_s` seconds, and each wait that is announced by `expect` to its own.

    Raises:
        Failed: FETCH_TIMEOUT, or what was announced; the time is over. What was inside is cancelled.
    """

    __slots__ = ("_end_at", "_over", "_timeout", "_total_s")

    def __init__(self, total_s: float = math.inf) -> None:
        self._total_s = total_s
        self._over = _TOTAL
        self._end_at: float
        self._timeout: asyncio.Timeout

    async def __aenter__(self) -> Self:
        """Begins to count."""
        self._end_at = asyncio.get_running_loop().time() + self._total_s
        self._timeout = await asyncio.timeout_at(self._end_at).__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Ends the count."""
        try:
            await self._timeout.__aexit__(kind, error, frames)
        except TimeoutError:
            raise Failed(*self._over) from None

    def expect(self, seconds: float, reason: Reason, detail: str) -> None:
        """Announces that what is waited for next takes at most `seconds`, or what is left in all, if that is less."""
        at, self._over = asyncio.get_running_loop().time() + seconds, (reason, detail)
        if at >= self._end_at:
            at, self._over = self._end_at, _TOTAL
        self._timeout.reschedule(at)

    def left_s(self, at_most_s: float) -> float:
        """Returns the seconds that are left in all, `at_most_s` at most, and from here on times nothing else."""
        self._over = _TOTAL
        self._timeout.reschedule(self._end_at)
        return min(at_most_s, self._end_at - asyncio.get_running_loop().time())
