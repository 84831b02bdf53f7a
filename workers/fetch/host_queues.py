"""Queues the requests to each host: one at a time, with an interval between two, across all workers.

The crawlers' term: Mercator, Heritrix and Nutch keep a queue for each host for the same reason.
"""

import asyncio
import math
import random
from collections import deque
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from yarl import URL

from contract.broker import BrokerUnavailable
from contract.tracing import outside
from workers.failures import Failed, HostFailed
from workers.fetch.host_failures import HostFailures
from workers.fetch.limits import HostLimits

Lease = Callable[[str], AbstractAsyncContextManager[bool]]


class HostBusy(Exception):
    """The host is not free in time. Try again after `delay_s` seconds."""

    def __init__(self, delay_s: float) -> None:
        super().__init__(delay_s)
        self.delay_s = delay_s


@dataclass(eq=False, slots=True)
class _Host:
    """The permits that wait for a host in this process, and the time of the next one (event loop's clock)."""

    waiting: "deque[Permit]" = field(default_factory=deque)
    running: "Permit | None" = None
    next_at: float = -math.inf
    keeper: asyncio.Task[None] | None = None

    def due_in_s(self) -> float:
        """Returns the seconds until the next permit may be granted, 0 or less if it may be granted now."""
        return self.next_at - asyncio.get_running_loop().time()

    def refuse(self, origin: URL, failed: HostFailed) -> None:
        """Fails all permits that wait for `origin`, with the same failure. Those for another scheme keep waiting."""
        for permit in [permit for permit in self.waiting if permit.origin == origin]:
            self.waiting.remove(permit)
            permit.answer(HostFailed.of(failed.failure))

    def refuse_all(self, delay_s: Callable[[], float]) -> None:
        """Answers all waiting permits with HostBusy, each with its own `delay_s()`."""
        while self.waiting:
            self.waiting.popleft().answer(HostBusy(delay_s()))


@dataclass(eq=False, slots=True)
class Permit:
    """The permission for one request to a host, as a context manager.

    A Failed raised inside may carry a pause that the host asks for. A HostFailed is remembered, and fails all waiting
    permits. `interval_s`, which the holder may set, is the time between `began` (event loop's clock) and the next
    request.
    """

    origin: URL
    interval_s: float
    answered: "asyncio.Future[Failed | HostBusy | None]"
    ended: asyncio.Event
    _host: _Host
    _limits: HostLimits
    _failures: HostFailures
    began: float = 0.0

    def answer(self, refusal: Failed | HostBusy | None) -> None:
        """Ends the wait. None grants the request, an exception is raised. Later answers are ignored."""
        if not self.answered.done():
            self.answered.set_result(refusal)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(error)

    def end(self, error: BaseException | None) -> None:
        """Schedules the next permit after the interval, or after the pause that `error` asks for."""
        pause_s = 0.0
        if isinstance(error, HostFailed):
            self._failures.note(self.origin, error.failure)
            self._host.refuse(self.origin, error)
        elif isinstance(error, Failed):
            pause_s = error.failure.retry_after_s or 0.0
        self._host.next_at = max(
            self.began + min(self.interval_s, self._limits.interval_at_most_s),
            asyncio.get_running_loop().time() + min(pause_s, self._limits.pause_at_most_s),
        )
        if self._host.due_in_s() > self._limits.max_wait_s:
            self._host.refuse_all(self._host.due_in_s)
        self.ended.set()


class HostQueues:
    """Grants permits. The lease of a host is held while a permit of this process waits for it or its interval runs.

    Args:
        lease: holds a name against all other workers, as `contract.broker.Leases.lease`.
        limits: intervals and times to wait.
        failures: of hosts that cannot be used.
    """

    def __init__(self, lease: Lease, limits: HostLimits, failures: HostFailures) -> None:
        self._lease = lease
        self._limits = limits
        self._failures = failures
        self._hosts: dict[str, _Host] = {}
        self._keepers = asyncio.TaskGroup()

    async def __aenter__(self) -> Self:
        await self._keepers.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Releases all leases."""
        for host in self._hosts.values():
            if host.keeper is not None:
                host.keeper.cancel()
        if isinstance(error, asyncio.CancelledError):
            await self._keepers.__aexit__(kind, error, trace)
        else:  # the group must not wrap what the body raised
            await self._keepers.__aexit__(None, None, None)

    async def permit(self, url: URL) -> Permit:
        """Waits until a request may be made at the host of `url`. The caller leaves the permit as a context.

        Raises:
            HostFailed: the host cannot be used, as was known before or became known during the wait.
            HostBusy: the host is busy, here or in another worker, for longer than a document may wait.
        """
        origin = url.origin()
        self._failures.check(origin)
        name, loop = _name(url), asyncio.get_running_loop()
        host = self._hosts.get(name)
        if host is None:
            host = self._hosts[name] = _Host()
            host.keeper = self._keepers.create_task(self._keep(name, host), context=outside())
        else:
            self._refuse_crowd(host)
        permit = Permit(
            origin, self._limits.interval_s, loop.create_future(), asyncio.Event(), host, self._limits, self._failures
        )
        host.waiting.append(permit)
        try:
            await self._answered(permit)
        except BaseException:
            permit.ended.set()
            if permit in host.waiting:
                host.waiting.remove(permit)
            raise
        permit.began = loop.time()
        return permit

    def _refuse_crowd(self, host: _Host) -> None:
        wait_s = host.due_in_s()
        if wait_s > self._limits.max_wait_s:
            raise HostBusy(wait_s)
        waiting = sum(len(each.waiting) for each in self._hosts.values())
        if len(host.waiting) >= self._limits.waiting_per_host or waiting >= self._limits.waiting:
            raise HostBusy(self._away_s())

    async def _answered(self, permit: Permit) -> None:
        timer = asyncio.get_running_loop().call_later(self._limits.max_wait_s, permit.answer, HostBusy(self._away_s()))
        try:
            refusal = await permit.answered
        finally:
            timer.cancel()
        if refusal is not None:
            raise refusal

    def _away_s(self) -> float:
        """Returns a random delay, so that deferred documents do not all come back at once."""
        return self._limits.away_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    async def _keep(self, name: str, host: _Host) -> None:
        """Serves waiting permits while it can get the host's lease, and keeps the interval."""
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
        """Defers the waiting permits. The new holder of the lease does not know our interval, so it is kept here."""
        host.refuse_all(self._away_s)
        await asyncio.sleep(max(0.0, host.due_in_s()))

    async def _serve_if_held(self, name: str, host: _Host) -> bool:
        """Returns True if all waiting permits were served, False if another worker has the lease or it was lost."""
        try:
            async with self._lease(name) as held:
                if held:
                    await self._serve(host)
                return held
        except BrokerUnavailable:
            if host.running is not None:  # the lease is lost: no other request may run at the same time
                await host.running.ended.wait()
            return False

    async def _serve(self, host: _Host) -> None:
        """Grants one permit after the other. Returns when none waits and the interval is over."""
        while True:
            wait_s = host.due_in_s()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            if not host.waiting:
                return
            host.running = host.waiting.popleft()
            host.running.answer(None)
            await host.running.ended.wait()
            host.running = None


def _name(url: URL) -> str:
    """Returns the name of the queue: the host, with its port if that is not the scheme's default."""
    host = url.raw_host or ""
    return host if url.is_default_port() else f"{host}:{url.port}"
