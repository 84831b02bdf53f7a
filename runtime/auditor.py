"""Audits a broker once or at intervals, and keeps the gauges."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import suppress
from typing import Protocol

import structlog

from contract.broker import BrokerUnavailable, Stop, UnknownOffset
from contract.labels import AuditOutcome, AuditState
from contract.metrics import Metrics
from runtime.audit import AuditLimits, Balance, Books, QueueSnapshot

log = structlog.get_logger(__name__)

_ASK_AGAIN_S = 2.0  # chosen: a person waits for the result, and a balance costs the broker only a few short reads


class AuditSource(Protocol):
    """The broker as the audit reads it. It remembers how far it has read."""

    async def update(self, books: Books) -> QueueSnapshot:
        """Reads what is new into `books` and returns what the queues hold.

        Raises:
            UnknownOffset: retention removed entries that were not read yet, or the broker's data was replaced (a
                stream that was deleted and declared again, another data folder): start with empty books.
            BrokerUnavailable: the broker cannot be asked.
        """


class Auditor:
    """Keeps the books of one broker. `source` creates one that starts with the oldest entry."""

    def __init__(self, source: Callable[[], AuditSource], limits: AuditLimits, clock: Callable[[], float]) -> None:
        self._make_source = source
        self._limits = limits
        self._clock = clock
        self._source = source()
        self._books = Books(limits)
        self._missing = 0

    async def balance(self) -> Balance:
        """Reads what is new and returns the balance.

        Raises:
            BrokerUnavailable: the broker cannot be asked.
        """
        while True:
            try:
                snapshot = await self._source.update(self._books)
            except UnknownOffset as error:
                hint = "retention took entries before they were read, or the broker's data was replaced"
                log.warning("audit_begins_anew", detail=str(error), hint=hint)
                self._begin_anew()
            else:
                return self._books.balance(snapshot, self._clock())

    @property
    def is_unsure(self) -> bool:
        """True if a worker may be working on the overdue runs: a later balance shows it."""
        return self._books.suspicion.is_open

    async def settle(self) -> AsyncGenerator[Balance, None]:
        """Yields a balance, and further ones as long as a worker may be working on the overdue runs.

        Raises:
            BrokerUnavailable: the broker cannot be asked.
        """
        yield await self.balance()
        while self.is_unsure:
            await asyncio.sleep(min(_ASK_AGAIN_S, self._limits.hold_s / 4))
            yield await self.balance()

    async def watch(self, every_s: float, metrics: Metrics, stop: Stop) -> None:
        """Audits every `every_s` seconds, and keeps the gauges, until `stop` is set."""
        for outcome in AuditOutcome:
            metrics.audit_readings.labels(
                outcome
            )  # alerts see a counter that does not grow, but not one that is absent
        logged = ""
        while not stop.is_set():
            try:
                self._show(await self.balance(), metrics)
                metrics.audit_readings.labels(AuditOutcome.COMPLETE).inc()
                logged = ""
            except BrokerUnavailable as error:
                metrics.audit_readings.labels(AuditOutcome.FAILED).inc()
                if str(error) != logged:  # one line for each cause of an outage
                    log.warning("audit_failed", detail=str(error))
                logged = str(error)
            with suppress(TimeoutError):
                async with asyncio.timeout(every_s):
                    await stop.wait()

    def _begin_anew(self) -> None:
        self._source = self._make_source()
        self._books = Books(self._limits)

    def _show(self, balance: Balance, metrics: Metrics) -> None:
        for state in AuditState:
            metrics.audit_runs.labels(state).set(getattr(balance, state))
        for lane, age_s in balance.oldest_s.items():
            metrics.audit_oldest_seconds.labels(lane).set(age_s)
        if balance.missing > self._missing:
            log.error("documents_missing", count=balance.missing, ids=balance.missing_ids)
        self._missing = balance.missing
