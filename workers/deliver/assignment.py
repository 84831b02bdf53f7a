"""Decides which process delivers for which webhook, by rendezvous hashing: each process comes to the same result."""

from collections.abc import Collection
from hashlib import blake2b


def holder_of(webhook_id: str, processes: Collection[str]) -> str:
    """Returns the process that is to deliver for a webhook. When one comes or goes, only its own share moves."""
    return max(processes, key=lambda name: (blake2b(f"{name} {webhook_id}".encode()).digest(), name))


class LiveProcesses:
    """Knows which processes live, by their heartbeats. Clocks of different machines are never compared."""

    def __init__(self, heartbeat_timeout_s: float) -> None:
        self._heartbeat_timeout_s = heartbeat_timeout_s
        self._seen: dict[str, tuple[int, float]] = {}
        self._is_in_doubt = False

    def see(self, heartbeats: dict[str, int], now_s: float) -> None:
        """Notes the heartbeats at `now_s` on the own clock, in seconds."""
        before = self._seen
        self._seen = {
            name: before[name] if before.get(name, (-1, 0.0))[0] == beat and not self._is_in_doubt else (beat, now_s)
            for name, beat in heartbeats.items()
        }
        self._is_in_doubt = False

    def doubt(self) -> None:
        """Heartbeats could not be read, and others perhaps not be stored: what is seen next counts as new."""
        self._is_in_doubt = True

    def alive(self, now_s: float) -> set[str]:
        """Returns the processes whose last heartbeat is recent."""
        return {name for name, (_, since) in self._seen.items() if now_s - since < self._heartbeat_timeout_s}

    def ended(self, now_s: float) -> set[str]:
        """Returns the others."""
        return set(self._seen) - self.alive(now_s)
