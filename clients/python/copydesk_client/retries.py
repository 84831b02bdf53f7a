"""Repeats what fails for a while, as `Retry-After` says, and for as long as you are patient."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from copydesk_client.problems import Busy, NotConfigured, Unreachable

FIRST_PAUSE_S = 0.5  # chosen: a person hardly notices it
LONGEST_PAUSE_S = 10.0  # chosen: a server that is back is noticed within seconds. Retry-After may ask for more

T = TypeVar("T")


class Patience:
    """How long one call has failed. `pause` waits before the next attempt, or gives up after `limit_s` seconds.

    Without a `Retry-After` the pauses double, with jitter, so that clients do not all come back at once.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._since: float | None = None
        self._guess_s = FIRST_PAUSE_S

    def succeeded(self) -> None:
        """Begins anew: something went through."""
        self._since, self._guess_s = None, FIRST_PAUSE_S

    async def pause(self, failure: Busy | Unreachable) -> None:
        """Waits.

        Raises:
            Busy, Unreachable: `failure`, if it has lasted too long, or is to last too long, or waiting does not help.
        """
        now = asyncio.get_running_loop().time()
        self._since = now if self._since is None else self._since
        left_s = self._since + self._limit_s - now
        wait_s = failure.retry_after_s
        if wait_s is None:
            wait_s = min(self._guess_s * random.uniform(0.5, 1), left_s)  # noqa: S311 - no secret
            self._guess_s = min(2 * self._guess_s, LONGEST_PAUSE_S)
        if left_s <= 0 or wait_s > left_s or isinstance(failure, NotConfigured):
            raise failure
        await asyncio.sleep(wait_s)


async def repeated(call: Callable[[], Awaitable[T]], limit_s: float) -> T:
    """Returns the result of `call`, which is repeated while it is in vain.

    Raises:
        Busy, Unreachable: it was in vain for `limit_s` seconds.
    """
    patience = Patience(limit_s)
    while True:
        try:
            return await call()
        except (Busy, Unreachable) as failure:
            await patience.pause(failure)
