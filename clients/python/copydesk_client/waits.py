"""Deadlines of calls that wait."""

import asyncio
import math


class Deadline:
    """Ends `timeout_s` seconds after it is made, in a running loop."""

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self._begun = asyncio.get_running_loop().time()

    @property
    def elapsed_s(self) -> float:
        """Seconds since it was made."""
        return asyncio.get_running_loop().time() - self._begun

    def whole_s(self, most: int) -> int:
        """Returns the seconds that are left, rounded up, at most `most`."""
        return max(0, min(most, math.ceil(self._timeout_s - self.elapsed_s)))

    async def pause(self, seconds: float) -> bool:
        """Waits for `seconds`, and not beyond the end. Returns False, at once, if nothing is left."""
        left_s = self._timeout_s - self.elapsed_s
        if left_s <= 0:
            return False
        await asyncio.sleep(min(seconds, left_s))
        return True
