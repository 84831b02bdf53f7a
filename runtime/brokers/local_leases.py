"""Leases in memory, for a broker with one process."""

from types import TracebackType


class LocalLeases:
    """The leases that this process holds."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    def hold(self, name: str) -> "_Hold":
        """See `contract.broker.Leases.lease`."""
        return _Hold(self._held, name)


class _Hold:
    __slots__ = ("_all", "_is_held", "_name")

    def __init__(self, held: set[str], name: str) -> None:
        self._all = held
        self._name = name
        self._is_held = False

    async def __aenter__(self) -> bool:
        self._is_held = self._name not in self._all
        self._all.add(self._name)
        return self._is_held

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        if self._is_held:
            self._all.discard(self._name)
