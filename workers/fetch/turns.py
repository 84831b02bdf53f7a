"""Whose turn it is at a host: one request at a time, an interval between two, over all workers together."""

import asyncio
import math
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from contract.broker import BrokerUnavailable

Lease = Callable[[str], AbstractAsyncContextManager[bool]]


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """How a host is treated, and how long a document in hand waits for it.

    `interval_s` lies between the beginnings of two requests at one host; a host may ask for more, up to
    `interval_at_most_s`, and for a pause, up to `pause_at_most_s`. A document waits `patience_s` in hand, one of at
    most `waiting_per_host` for that host and `waiting` in all (so that hosts with a queue do not hold up the others),
    then goes back to its queue for `away_s`. A host that another worker has is asked for `asks` times.
    """

    interval_s: float = 1.0
    interval_at_most_s: float = 60.0
    pause_at_most_s: float = 3600.0
    patience_s: float = 10.0
    waiting_per_host: int = 8
    waiting: int = 8
    away_s: float = 10.0
    asks: int = 2


class NotYet(Exception):
    """The host's turn is not to be had in time: ask again after `delay_s` seconds."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(delay_s)
        self.delay_s = delay_s


@dataclass(eq=False, slots=True)
class Turn:
    """The right to be at a host. Who has it may say, by setting them, what the host asks for from here on.

    `interval_s` is to lie between `began` (of the event loop's clock) and the next beginning, `pause_s` between this
    end and the next beginning.
    """

    interval_s: float
    pause_s: float = 0.0
    began: float = 0.0
    answered: asyncio.Event = field(default_factory=asyncio.Event)
    granted: bool = False
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, *, granted: bool) -> None:
        self.granted = granted
        self.answered.set()


@dataclass(eq=False, slots=True)
class _Host:
    """Who waits for a host in this process, and when the next may go (of the event loop's clock)."""

    waiting: deque[Turn] = field(default_factory=deque)
    next_at: float = -math.inf
    keeper: asyncio.Task[None] | None = None


class Turns:
    """Hands out turns. For as long as anybody here waits for a host, or its interval runs, its lease is held.

    Args:
        lease: holds a name against all other workers, as `contract.broker.Broker.lease`.
        limits: intervals and patience.
    """

    def __init__(self, lease: Lease, limits: TurnLimits) -> None:
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

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[Turn]:
        """Waits for a turn at the host of this name, and has it while the context is open.

        Raises:
            NotYet: others are before, here or at another worker, for longer than a document in hand may wait.
        """
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host()
            host.keeper = self._keepers.create_task(self._keep(name, host))
        else:
            self._refuse_crowd(host)
        turn = Turn(self._limits.interval_s)
        host.waiting.append(turn)
        try:
            await self._granted(turn)
            turn.began = asyncio.get_running_loop().time()
            try:
                yield turn
            finally:
                host.next_at = self._next_at(turn)
        finally:
            turn.ended.set()
            if turn in host.waiting:
                host.waiting.remove(turn)

    def _next_at(self, turn: Turn) -> float:
        interval_s = min(turn.interval_s, self._limits.interval_at_most_s)
        pause_s = min(turn.pause_s, self._limits.pause_at_most_s)
        return max(turn.began + interval_s, asyncio.get_running_loop().time() + pause_s)

    def _refuse_crowd(self, host: _Host) -> None:
        wait_s = host.next_at - asyncio.get_running_loop().time()
        if wait_s > self._limits.patience_s:
            raise NotYet(wait_s)
        waiting = sum(len(each.waiting) for each in self._hosts.values())
        if len(host.waiting) >= self._limits.waiting_per_host or waiting >= self._limits.waiting:
            raise NotYet(self._limits.away_s)

    async def _granted(self, turn: Turn) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._limits.patience_s):
                await turn.answered.wait()
        if not turn.granted:
            raise NotYet(self._limits.away_s)

    async def _keep(self, name: str, host: _Host) -> None:
        """Serves those that wait, while the host's lease is to be had."""
        while host.waiting:
            for ask in range(self._limits.asks):
                await asyncio.sleep(self._limits.interval_s if ask else 0)
                if await self._serve_if_held(name, host):
                    break
            else:
                while host.waiting:
                    host.waiting.popleft().answer(granted=False)
        del self._hosts[name]

    async def _serve_if_held(self, name: str, host: _Host) -> bool:
        try:
            async with self._lease(name) as held:
                if held:
                    await self._serve(host)
                return held
        except BrokerUnavailable:
            return False

    async def _serve(self, host: _Host) -> None:
        """Grants turn after turn, and returns when nobody waits and the interval is over."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(host.next_at - loop.time())
            if not host.waiting:
                return
            turn = host.waiting.popleft()
            turn.answer(granted=True)
            await turn.ended.wait()
