"""Repeats calls to a server that is unavailable for a while, and reports the outage."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeVar

from runtime.cli import streams

DEFAULT_PATIENCE_S: Final = 300.0  # chosen: enough for the restart of a broker or the move of a pod
SHORT_PATIENCE_S: Final = 60.0  # for commands that a person waits for; chosen: enough for the restart of a server

_FIRST_PAUSE_S = 0.5  # chosen: a person hardly notices it
_LONGEST_PAUSE_S = 10.0  # chosen; it caps Retry-After, too: a server may be back sooner than it announced
_REPORT_AGAIN_S = 60.0  # chosen: a nearly full intake refuses now and then for hours; a line a minute is enough

T = TypeVar("T")


class Unavailable(Exception):
    """The server is unavailable; the message says why. `retry_after_s` is the wait that the server asked for."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    def pause_s(self, guess_s: float) -> float:
        """Returns for how long to wait. A server that is busy may be back sooner than it announced."""
        return min(self.retry_after_s or guess_s, _LONGEST_PAUSE_S)


class Exhausted(Unavailable):
    """The API key has posted as much as it may. It is of no use to try before `retry_after_s` are over."""

    def pause_s(self, guess_s: float) -> float:
        """Returns for how long to wait."""
        return guess_s if self.retry_after_s is None else self.retry_after_s


class Refused(Exception):
    """The server refused the request; the message is the problem in one line."""


class Retrier:
    """Repeats calls while they fail, for at most `limit_s` seconds in a row. All calls of a command share one object.

    It reports the start and the end of an outage once, no matter how many calls wait. A success restarts the limit.
    """

    def __init__(self, limit_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._since: float | None = None
        self._reported_at: dict[str, float] = {}
        self._is_reported = False

    async def retry(self, call: Callable[[], Awaitable[T]], on: type[Unavailable] = Unavailable) -> T:
        """Returns the result of `call`, which is repeated while it raises `on`.

        Raises:
            Unavailable: no call has succeeded for longer than the limit.
        """
        pauses_s = _pauses_s()
        while True:
            try:
                result = await call()
            except on as lost:
                left_s, pause_s = self._left_s(), lost.pause_s(next(pauses_s))
                if left_s <= 0 or (isinstance(lost, Exhausted) and pause_s > left_s):
                    raise
                self._report(lost, pause_s if isinstance(lost, Exhausted) else left_s)
                await asyncio.sleep(min(pause_s, left_s))
            else:
                self._end()
                return result

    def _left_s(self) -> float:
        """Returns the seconds that are left."""
        now = self._clock()
        if self._since is None:
            self._since = now
        return self._since + self._limit_s - now

    def _report(self, lost: Unavailable, seconds: float) -> None:
        """Reports the outage, unless its cause was reported lately."""
        now, cause = self._clock(), str(lost)
        if now - self._reported_at.get(cause, -_REPORT_AGAIN_S) < _REPORT_AGAIN_S:
            return
        how = "trying again in" if isinstance(lost, Exhausted) else "trying again for up to"
        streams.tell(f"copydesk: {cause}; {how} {duration(seconds)}")
        self._reported_at[cause] = now
        self._is_reported = True

    def _end(self) -> None:
        if self._since is not None and self._is_reported:
            streams.tell(f"copydesk: continuing after {duration(self._clock() - self._since)}")
        self._since = None
        self._is_reported = False


def _pauses_s() -> Iterator[float]:
    """Yields pauses that double, with jitter, so that waiting calls do not all return at once."""
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.5, 1)  # noqa: S311 - no secret
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def duration(seconds: float) -> str:
    """Returns `seconds` as text, in seconds, minutes or hours."""
    if seconds < 100:  # noqa: PLR2004 - below this, seconds are easier to read than minutes
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 100 else f"{minutes / 60:.0f} h"  # noqa: PLR2004 - as for seconds
