"""How long a command bears with a server that cannot be used now, and what it says meanwhile."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Final, TypeVar

from runtime.cli import streams

DEFAULT_PATIENCE_S: Final = 300.0  # a broker that is restarted, or a pod that moves, is back by then
SHORT_PATIENCE_S: Final = 60.0  # for commands that a person waits for; a server that is restarted is back by then

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 10.0  # also of what a server asks for: it may be back sooner than it thinks
_TELL_AGAIN_S = 60.0  # a full intake takes a few and refuses a few for hours: one line a minute is enough

T = TypeVar("T")


class Unavailable(Exception):
    """The server cannot be used now; the message says why. `retry_after_s` is how long it asked to wait."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class Refused(Exception):
    """The server refused the request; the message is its problem report in one line."""


class Patience:
    """Calls again for as long as nothing gets through, `limit_s` seconds at most; all calls of a command share one.

    An outage is told when it begins and when it ends, however many calls it holds up.
    """

    def __init__(self, limit_s: float, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._clock = clock
        self._since: float | None = None
        self._told: dict[str, float] = {}
        self._is_told = False

    async def insist(self, call: Callable[[], Awaitable[T]], on: type[Unavailable] = Unavailable) -> T:
        """Returns what `call` returns, called again while it raises `on`.

        Raises:
            Unavailable: nothing got through for longer than the limit.
        """
        pauses_s = _pauses_s()
        while True:
            try:
                result = await call()
            except on as lost:
                left_s = self._left_s(lost)
                if left_s <= 0:
                    raise
                await asyncio.sleep(min(lost.retry_after_s or next(pauses_s), _LONGEST_PAUSE_S, left_s))
            else:
                self._end()
                return result

    def _left_s(self, lost: Unavailable) -> float:
        """Returns how many seconds are left, and tells of the outage where that is news."""
        now = self._clock()
        if self._since is None:
            self._since = now
        left_s = self._since + self._limit_s - now
        cause = str(lost)
        if left_s > 0 and now - self._told.get(cause, -_TELL_AGAIN_S) >= _TELL_AGAIN_S:
            streams.tell(f"copydesk: {cause}; trying again for up to {duration(left_s)}")
            self._told[cause] = now
            self._is_told = True
        return left_s

    def _end(self) -> None:
        if self._since is not None and self._is_told:
            streams.tell(f"copydesk: going on after {duration(self._clock() - self._since)}")
        self._since = None
        self._is_told = False


def _pauses_s() -> Iterator[float]:
    """Yields pauses that double, with jitter: many that wait for one server must not come back together."""
    pause_s = _FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.5, 1)  # noqa: S311 - no secret
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def duration(seconds: float) -> str:
    """Returns `seconds` for people."""
    if seconds < 100:  # noqa: PLR2004 - up to here seconds are easier to read than minutes
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min"
