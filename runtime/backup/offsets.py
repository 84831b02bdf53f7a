"""Where each entry of a record stands after it was restored: RabbitMQ gives a new stream new offsets, from 0 on."""

from array import array
from bisect import bisect_right


class Offsets:
    """The offsets of the entries of one record, in the backup and on the broker. Both grow."""

    def __init__(self) -> None:
        self._saved = array("q")
        self._restored = array("q")

    def add(self, saved: int, restored: int) -> None:
        """Notes the offsets of the next entry."""
        self._saved.append(saved)
        self._restored.append(restored)

    def has(self, saved: int) -> bool:
        """Returns True if the entry with this offset is in the backup."""
        behind = bisect_right(self._saved, saved)
        return behind > 0 and self._saved[behind - 1] == saved

    def moved(self, saved: int) -> int:
        """Returns where somebody stands who had read up to the offset `saved`: at the same entry, -1 before all.

        Whoever had read further than the backup goes stands at its end.
        """
        behind = bisect_right(self._saved, saved)
        return self._restored[behind - 1] if behind else -1


class UpTo:
    """The offsets of a record that has the same ones as in the backup, which ends at `last`."""

    def __init__(self, last: int) -> None:
        self._last = last

    def has(self, saved: int) -> bool:
        """Returns True if the backup reaches this offset."""
        return saved <= self._last

    def moved(self, saved: int) -> int:
        """Returns where somebody stands who had read up to the offset `saved`; see `Offsets.moved`."""
        return min(saved, self._last)
