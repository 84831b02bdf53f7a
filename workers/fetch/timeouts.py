"""Limits the time of an exchange with one `asyncio.timeout`, which each wait reschedules."""

import asyncio
import math
from types import TracebackType
from typing import Self

from contract.reasons import Reason
from workers.failures import Failed

_TOTAL = (Reason.FETCH_TIMEOUT, "the time for all of the fetch is over")


class Timeouts:
    """Limits the code inside to `total_s` seconds, and each wait that `expect` announces to its own time.

    Raises:
        Failed: FETCH_TIMEOUT or the announced reason: the time is over. The code inside is cancelled.
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
        """Announces that the next wait takes at most `seconds`, or the rest of the total time if that is less."""
        at, self._over = asyncio.get_running_loop().time() + seconds, (reason, detail)
        if at >= self._end_at:
            at, self._over = self._end_at, _TOTAL
        self._timeout.reschedule(at)

    def left_s(self, at_most_s: float) -> float:
        """Returns the rest of the total time in seconds, at most `at_most_s`. It ends the limit of the last wait."""
        self._over = _TOTAL
        self._timeout.reschedule(self._end_at)
        return min(at_most_s, self._end_at - asyncio.get_running_loop().time())
