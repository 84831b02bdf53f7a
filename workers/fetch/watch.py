"""The time that an exchange may take: several limits, one timer: a timer a limit costs a page a tenth of its time."""

import asyncio
import math
from types import TracebackType
from typing import Self

from contract.reasons import Reason
from workers.failures import Failed

_TOTAL = (Reason.FETCH_TIMEOUT, "the time for all of the fetch is over")


class Watch:
    """Bounds what is done inside to `total_s` seconds, and each wait that is announced by `expect` to its own.

    Raises:
        Failed: FETCH_TIMEOUT, or what was announced; the time is over. What was inside is cancelled.
    """

    __slots__ = ("_at", "_cancelling", "_end_at", "_expired", "_loop", "_over", "_task", "_timer", "_total_s")

    def __init__(self, total_s: float = math.inf) -> None:
        self._total_s = total_s
        self._timer: asyncio.TimerHandle | None = None
        self._expired = False
        self._over = _TOTAL
        self._task: asyncio.Task[object]
        self._loop: asyncio.AbstractEventLoop
        self._cancelling: int
        self._end_at: float
        self._at: float

    def __enter__(self) -> Self:
        """Begins to count; nothing is timed yet."""
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("time is watched in tasks alone")
        self._task, self._cancelling = task, task.cancelling()
        self._loop = asyncio.get_running_loop()
        self._end_at = self._at = self._loop.time() + self._total_s
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Ends the count."""
        if self._timer is not None:
            self._timer.cancel()
        if self._expired and self._task.uncancel() <= self._cancelling and isinstance(error, asyncio.CancelledError):
            raise Failed(*self._over) from None

    def expect(self, seconds: float, reason: Reason, detail: str) -> None:
        """Announces that what is waited for next takes at most `seconds`, or what is left in all, if that is less."""
        self._at, self._over = self._loop.time() + seconds, (reason, detail)
        if self._at >= self._end_at:
            self._at, self._over = self._end_at, _TOTAL
        if self._timer is None or self._timer.when() > self._at:
            self._set()

    def left_s(self, at_most_s: float) -> float:
        """Returns the seconds that are left in all, `at_most_s` at most, and from here on times nothing else."""
        self._at, self._over = self._end_at, _TOTAL
        return min(at_most_s, self._end_at - self._loop.time())

    def _set(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_at(self._at, self._look)

    def _look(self) -> None:
        if self._loop.time() < self._at:  # more was allowed since the timer was set
            self._set()
        else:
            self._expired = True
            self._task.cancel()
