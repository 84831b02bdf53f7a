"""Opens one session after another for a role, with jittered backoff. Counts and logs each loss."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import aclosing

import structlog

from contract.broker import Stop
from contract.labels import SessionLoss, SessionRole
from contract.metrics import Metrics
from contract.topology import Topology
from runtime.brokers.rabbit.check import Comparison
from runtime.brokers.rabbit.declare import prepare
from runtime.brokers.rabbit.limits import RabbitLimits
from runtime.brokers.rabbit.retry import retry_until_done
from runtime.brokers.rabbit.session import Session, SessionLost

log = structlog.get_logger(__name__)

_QUEUE_GONE = frozenset({SessionLoss.UNROUTABLE, SessionLoss.CONSUMER_CANCELLED})

Work = Callable[[Session], Awaitable[None]]


class SessionReporter:
    """Counts and logs the sessions with one broker. All roles share it, so that an outage is logged once."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._outage: tuple[SessionLoss, str] | None = None

    def lost(self, role: SessionRole, loss: SessionLost) -> None:
        """Counts and logs the loss of an open session."""
        self._count(role, loss)
        _log_loss(role, loss)

    def not_opened(self, role: SessionRole, loss: SessionLost) -> None:
        """Counts a session that could not be opened. Repeats of a cause are logged once during an outage."""
        self._count(role, loss)
        before, self._outage = self._outage, (loss.cause, loss.detail)
        if self._outage != before:
            _log_loss(role, loss)

    def opened(self, role: SessionRole, comparison: Comparison) -> None:
        """Logs an open session, and shows the bounds that queues lack. The publisher alone logs these."""
        self._outage = None
        missing = {queue: [lack.bound for lack in lacks] for queue, lacks in comparison.missing_bounds().items()}
        self._metrics.queue_bound_missing.clear()
        for queue, bounds in missing.items():
            for bound in bounds:
                self._metrics.queue_bound_missing.labels(queue, bound).set(1)
        if missing and role is SessionRole.PUBLISHER:
            hint = "only a policy bounds these queues: `copydesk topology --check` says which"
            log.warning("queue_bounds_missing", queues=missing, hint=hint)
        log.info("broker_session_opened", role=role)

    def _count(self, role: SessionRole, loss: SessionLost) -> None:
        self._metrics.session_losses.labels(role=role, cause=loss.cause).inc()


def _log_loss(role: SessionRole, loss: SessionLost) -> None:
    log.warning("broker_session_lost", role=role, cause=loss.cause, detail=loss.detail)


class Supervisor:
    """Runs the work of one role in a live session."""

    def __init__(
        self, url: str, role: SessionRole, topology: Topology, limits: RabbitLimits, reporter: SessionReporter
    ) -> None:
        self._url = url
        self._role = role
        self._topology = topology
        self._limits = limits
        self._reporter = reporter

    async def run(self, work: Work, stop: Stop | None = None) -> None:
        """Runs `work` in one session after another until it returns, or a session ends after `stop` was set."""
        while True:
            session = await self.open()
            try:
                await _within(session, work)
            except SessionLost as loss:
                if stop is not None and stop.is_set():
                    self._reporter.lost(self._role, loss)
                    return
                await self.recover(loss)
            else:
                return

    async def open(self) -> Session:
        """Returns an open session with the topology declared; tries until it succeeds. The caller closes it."""
        return await retry_until_done(self._open, on=SessionLost, limits=self._limits)

    async def recover(self, loss: SessionLost) -> None:
        """Counts and logs a lost session, and waits a little, so that processes do not all return at once."""
        self._reporter.lost(self._role, loss)
        least_s = self._limits.redeclare_pause_s if loss.cause in _QUEUE_GONE else 0.0
        jitter_s = random.uniform(0, self._limits.reopen_pause_s)  # noqa: S311 - spreads load, guards nothing
        await asyncio.sleep(least_s + jitter_s)

    async def _open(self) -> Session:
        session = Session(self._url, self._role, self._limits)
        try:
            await session.open()
            comparison = await prepare(session, self._topology, self._limits)
        except BaseException as error:
            await session.aclose()
            if isinstance(error, SessionLost):
                self._reporter.not_opened(self._role, error)
            raise
        self._reporter.opened(self._role, comparison)
        return session


async def _within(session: Session, work: Work) -> None:
    """Runs `work` and cancels it at the session's loss."""
    try:
        async with aclosing(session), asyncio.TaskGroup() as group:
            watch = group.create_task(session.until_lost())
            await work(session)
            watch.cancel()
    except BaseExceptionGroup as errors:
        _, defects = errors.split(SessionLost)
        if defects is not None:
            raise
        _check_cancelled()
        raise _first(errors) from None


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    first = errors.exceptions[0]
    return _first(first) if isinstance(first, BaseExceptionGroup) else first


def _check_cancelled() -> None:
    """Raises the cancellation that a task group of Python 3.11 and 3.12 forgets when one of its tasks fails too."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
