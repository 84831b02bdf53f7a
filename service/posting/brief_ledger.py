"""Asks the ledger while somebody posts, who goes on without an answer if there is none soon."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from contract.ledger import Ledger, LedgerUnavailable

T = TypeVar("T")

_TIMEOUT_S: Final = 1.0  # chosen: a look-up takes milliseconds, and who posts waits no longer than this
_PAUSE_S: Final = 5.0  # chosen: a ledger that did not answer is asked again after this time, so few posts wait for it


class BriefLedger:
    """A ledger that is asked for a second at most, and not for five after it did not answer."""

    def __init__(self, ledger: Ledger | None) -> None:
        self._ledger = ledger
        self._ask_after = 0.0

    async def ask(self, question: Callable[[Ledger], Awaitable[T]]) -> T | None:
        """Returns the answer, None if the ledger cannot be asked."""
        if self._ledger is None or time.monotonic() < self._ask_after:
            return None
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                return await question(self._ledger)
        except (LedgerUnavailable, TimeoutError):
            self._ask_after = time.monotonic() + _PAUSE_S
            return None
