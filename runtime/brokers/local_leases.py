"""Leases where one process is all there is."""

from types import TracebackType


class LocalLeases:
    """Who holds a name in this process."""

    def __init__(self) -> None:
        self._held: set[str] = set()

    def hold(self, name: str) -> "_Hold":
        """Holds `name` while the context is open: True if nobody else held it, else False."""
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
