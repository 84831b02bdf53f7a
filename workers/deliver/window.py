"""Up to which offset a webhook has everything: deliveries are under way, and end in any order."""

from collections import deque


class OffsetWindow:
    """`place` is the offset up to which nothing is under way any more."""

    def __init__(self, place: int) -> None:
        self.place = place
        self._last = place
        self._open: deque[int] = deque()
        self._ended: set[int] = set()

    @property
    def is_open(self) -> bool:
        """True while a delivery is under way."""
        return bool(self._open)

    def open(self, offset: int) -> None:
        """A delivery begins. Offsets grow from call to call."""
        self._open.append(offset)
        self._last = offset

    def skip(self, offset: int) -> None:
        """It is not wanted. It is above all that came before."""
        self._last = offset
        self._advance()

    def end(self, offset: int) -> None:
        """A delivery has ended, and what came of it is about to be stored."""
        self._ended.add(offset)
        self._advance()

    def _advance(self) -> None:
        while self._open and self._open[0] in self._ended:
            self._ended.discard(self._open.popleft())
        self.place = self._open[0] - 1 if self._open else self._last
