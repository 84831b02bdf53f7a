"""The interface through which the suite controls a broker."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from contract.broker import Broker


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A buried message."""

    body: bytes
    cause: str
    message_id: str | None


class Backend(Protocol):
    """One broker's storage, and what the suite must do to it from outside.

    `delays_s` are two delays that a retry may ask for, the second at least 0.3 s longer; both short, for quick tests.
    `delivery_limit` is how many deliveries a job gets beyond the first.
    """

    delays_s: Sequence[float]
    delivery_limit: int

    def broker(self, **kwargs: Any) -> AbstractAsyncContextManager[Broker]:  # noqa: ANN401 - each broker has its own
        """Opens a new broker on the same storage, as a new process would."""

    def unheld_bytes(self, slots: int) -> int:
        """Returns how many bytes a worker keeps room for, because it is sent them before it knows how many they are."""

    async def crash(self, broker: Broker) -> None:
        """Ends `broker` as kill -9 would: it acks and returns nothing more.

        Calls under way may raise `BrokerError`, or the suite cancels them. Leaving the broker's context is harmless.
        """

    async def inject(self, body: bytes, message_id: str | None) -> None:
        """Puts raw bytes into the interactive intake queue. No broker is open."""

    async def dead(self) -> list[DeadLetter]:
        """Returns the dead letters, oldest first, and leaves them there."""
