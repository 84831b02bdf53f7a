"""Decides which process delivers for which webhook, by rendezvous hashing: each process comes to the same result."""

from collections.abc import Collection
from hashlib import blake2b


def holder_of(webhook_id: str, processes: Collection[str]) -> str:
    """Returns the process that is to deliver for a webhook. When one comes or goes, only its own share moves."""
    return max(processes, key=lambda name: (blake2b(f"{name} {webhook_id}".encode()).digest(), name))


class Living:
    """Knows which processes live, by their beats. Clocks of different machines are never compared."""

    def __init__(self, patience_s: float) -> None:
        self._patience_s = patience_s
        self._seen: dict[str, tuple[int, float]] = {}

    def see(self, beats: dict[str, int], now_s: float) -> None:
        """Takes note of the beats at `now_s` on the own clock, in seconds."""
        before = self._seen
        self._seen = {
            name: before[name] if name in before and before[name][0] == beat else (beat, now_s)
            for name, beat in beats.items()
        }

    def living(self, now_s: float) -> set[str]:
        """Returns the processes that gave a sign of life lately."""
        return {name for name, (_, since) in self._seen.items() if now_s - since < self._patience_s}

    def ended(self, now_s: float) -> set[str]:
        """Returns those that did not."""
        return set(self._seen) - self.living(now_s)
