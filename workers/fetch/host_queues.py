"""Whose turn it is at a host: one request at a time, an interval between two, over all workers together."""

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from contract.broker import BrokerUnavailable
from workers.failures import Failed

Lease = Callable[[str], AbstractAsyncContextManager[bool]]


@dataclass(frozen=True, slots=True)
class HostLimits:
    """How a host is treated, and how long a document in hand waits for it.

    `interval_s` lies between the beginnings of two requests at one host; a host may ask for more, up to
    `interval_at_most_s`, and for a pause, up to `pause_at_most_s`. A document waits `patience_s` in hand, one of at
    most `waiting_per_host` for that host and `waiting` in all (so that hosts with a queue do not hold up the others),
    then goes back to its queue for `away_s`, or down to half of that. A host that another worker has is asked for
    `asks` times.
    """

    interval_s: float = 1.0
    interval_at_most_s: float = 60.0
    pause_at_most_s: float = 3600.0
    patience_s: float = 10.0
    waiting_per_host: int = 8
    waiting: int = 8
    away_s: float = 10.0
    asks: int = 2


class HostBusy(Exception):
    """The host's turn is not to be had in time: ask again after `delay_s` seconds."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(delay_s)
        self.delay_s = delay_s


@dataclass(eq=False, slots=True)
class _Host:
    """Who waits for a host in this process, and when the next may go (of the event loop's clock)."""

    waiting: "deque[Turn]" = field(default_factory=deque)
    running: "Turn | None" = None
    next_at: float = -math.inf
    keeper: asyncio.Task[None] | None = None

    def due_in_s(self) -> float:
        """Returns the seconds until the next may go, none or negative where it may."""
        return self.next_at - asyncio.get_running_loop().time()


@dataclass(eq=False, slots=True)
class Turn:
    """The right to be at a host, as a context. A Failed that leaves it brings the pause that the host asks for.

    `interval_s`, which who has the turn may set, is to lie between `began` (of the event loop's clock) and the next
    beginning.
    """

    host: _Host
    limits: HostLimits
    interval_s: float
    granted: "asyncio.Future[bool]"
    ended: asyncio.Event
    began: float = 0.0

    def answer(self, granted: bool) -> None:
        """Tells who waits whether it is its turn, if that has not been told."""
        if not self.granted.done():
            self.granted.set_result(granted)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        """Leaves the host to the next, when its interval, or the pause that `error` tells of, is over."""
        pause_s = (error.retry_after_s or 0.0) if isinstance(error, Failed) else 0.0
        self.host.next_at = max(
            self.began + min(self.interval_s, self.limits.interval_at_most_s),
            asyncio.get_running_loop().time() + min(pause_s, self.limits.pause_at_most_s),
        )
        self.ended.set()


class HostQueues:
    """Hands out turns. For as long as anybody here waits for a host, or its interval runs, its lease is held.

    Args:
        lease: holds a name against all other workers, as `contract.broker.Broker.lease`.
        limits: intervals and patience.
    """

    def __init__(self, lease: Lease, limits: HostLimits) -> None:
        self._lease = lease
        self._limits = limits
        self._hosts: dict[str, _Host] = {}
        self._keepers = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._keepers.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gives all leases back."""
        for host in self._hosts.values():
            if host.keeper is not None:
                host.keeper.cancel()
        if isinstance(error, asyncio.CancelledError):
            await self._keepers.__aexit__(kind, error, trace)
        else:  # what the body raised is not for the group to wrap
            await self._keepers.__aexit__(None, None, None)

    async def turn(self, name: str) -> Turn:
        """Waits for a turn at the host of this name, and returns it. Whoever gets it leaves it as a context.

        Raises:
            HostBusy: others are before, here or at another worker, for longer than a document in hand may wait.
        """
        host, loop = self._hosts.get(name), asyncio.get_running_loop()
        if host is None:
            host = self._hosts[name] = _Host()
            host.keeper = self._keepers.create_task(self._keep(name, host))
        else:
            self._refuse_crowd(host)
        turn = Turn(host, self._limits, self._limits.interval_s, loop.create_future(), asyncio.Event())
        host.waiting.append(turn)
        try:
            await self._granted(turn)
        except BaseException:
            turn.ended.set()
            if turn in host.waiting:
                host.waiting.remove(turn)
            raise
        turn.began = loop.time()
        return turn

    def _refuse_crowd(self, host: _Host) -> None:
        wait_s = host.due_in_s()
        if wait_s > self._limits.patience_s:
            raise HostBusy(wait_s)
        waiting = sum(len(each.waiting) for each in self._hosts.values())
        if len(host.waiting) >= self._limits.waiting_per_host or waiting >= self._limits.waiting:
            raise HostBusy(self._away_s())

    async def _granted(self, turn: Turn) -> None:
        patience = asyncio.get_running_loop().call_later(self._limits.patience_s, turn.answer, False)
        try:
            if not await turn.granted:
                raise HostBusy(self._away_s())
        finally:
            patience.cancel()

    def _away_s(self) -> float:
        """Returns a time for which to go away: not the same for all, for all would come back at once."""
        return self._limits.away_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    async def _keep(self, name: str, host: _Host) -> None:
        """Serves those that wait, while the host's lease is to be had, and keeps the interval."""
        while host.waiting:
            for ask in range(self._limits.asks):
                if ask:
                    await asyncio.sleep(self._limits.interval_s)
                if await self._serve_if_held(name, host):
                    break
            else:
                await self._send_away(host)
        del self._hosts[name]

    async def _send_away(self, host: _Host) -> None:
        """Answers those that wait. Whoever has the lease now knows nothing of our interval, so it is kept here."""
        while host.waiting:
            host.waiting.popleft().answer(granted=False)
        await asyncio.sleep(max(0.0, host.due_in_s()))

    async def _serve_if_held(self, name: str, host: _Host) -> bool:
        """Tells whether all that waited were served: False where the lease is not to be had, or was lost meanwhile."""
        try:
            async with self._lease(name) as held:
                if held:
                    await self._serve(host)
                return held
        except BrokerUnavailable:
            if host.running is not None:  # its lease is lost, and nothing may be asked for beside it
                await host.running.ended.wait()
            return False

    async def _serve(self, host: _Host) -> None:
        """Grants turn after turn, and returns when nobody waits and the interval is over."""
        while True:
            wait_s = host.due_in_s()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if not host.waiting:
                return
            host.running = host.waiting.popleft()
            host.running.answer(granted=True)
            await host.running.ended.wait()
            host.running = None
