"""Runs the worker's stages without a queue: submissions in, events out, in the same order."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import CollectorRegistry

from contract.broker import Delivery
from contract.codec import encode
from contract.events import Event
from contract.ids import new_document_id
from contract.job import Job, Kind, Lane
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.submission import Checked, to_job
from contract.timestamps import now
from contract.verdicts import Bury, Defer, Publish
from runtime import working
from runtime.brokers.local_leases import LocalLeases
from runtime.fetching import open_fetcher
from runtime.settings import Settings
from workers import outcome
from workers.failures import DocumentFailure
from workers.fetch.limits import HostLimits
from workers.retry import RetryPolicy
from workers.worker import Worker

Refusal = str

URLS_AT_ONCE: Final = 200
"""URLs in progress at once. Chosen, because fetching is mostly waiting: 200 pages are about 60 MB
(283 kB is the mean of 464 news pages), and 200 connections are far below the 1,024 files that a process may open."""

_UNSHOWN = 4 * URLS_AT_ONCE  # URLs whose events are not shown yet; chosen: one slow host does not delay the others
_GIVEN_AHEAD = 4  # texts and pages in progress for each parser child; chosen: one slow document leaves no child idle
_HOST_MAX_WAIT_S = (
    30.0  # wait for a host; chosen: with fetching (30 s) and parsing (20 s) it stays within a job's 120 s
)
_AWAY_S = 1.0  # before the next try for a busy host; chosen short: no broker is involved, so a try costs nothing
_ONCE = RetryPolicy(delays_s=(), hostile_attempts=1)


class Extraction:
    """Turns submissions into events and shows them in order.

    Args:
        worker: decides each document once.
        given: limits the documents in memory that came with their content, until they are shown.
        longest_wait_s: how long a document waits for its host before the next try.
        show: called with each event, and with each refusal unchanged.
    """

    def __init__(
        self, worker: Worker, *, given: int, longest_wait_s: float, show: Callable[[Event | Refusal], None]
    ) -> None:
        self._worker = worker
        self._longest_wait_s = longest_wait_s
        self._show = show
        self._urls = asyncio.Semaphore(URLS_AT_ONCE)
        self._given = asyncio.Semaphore(given)
        self._begun: asyncio.Queue[tuple[Checked, asyncio.Task[Event]] | Refusal | None] = asyncio.Queue(_UNSHOWN)

    async def run(self, submissions: Iterator[Checked | Refusal]) -> None:
        """Shows the event of each submission. `submissions` is read in a thread, and may wait for its input."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._show_in_order())
            while (checked := await asyncio.to_thread(next, submissions, None)) is not None:
                if isinstance(checked, str):
                    await self._begun.put(checked)
                    continue
                if checked.submission.kind is not Kind.URL:
                    await self._given.acquire()
                await self._begun.put((checked, group.create_task(self._event(checked))))
            await self._begun.put(None)

    async def _show_in_order(self) -> None:
        while (begun := await self._begun.get()) is not None:
            if isinstance(begun, str):
                self._show(begun)
                continue
            checked, event = begun
            self._show(await event)
            if checked.submission.kind is not Kind.URL:
                self._given.release()

    async def _event(self, checked: Checked) -> Event:
        job = to_job(
            checked.submission,
            id=new_document_id(),
            lane=Lane.INTERACTIVE,
            accepted_at=now(),
            decoded=checked.decoded,
        )
        if job.kind is not Kind.URL:
            return await self._decided(job)
        async with self._urls:
            return await self._decided(job)

    async def _decided(self, job: Job) -> Event:
        """Returns the event of `job`. It waits for a busy host, but fails if the host asks for a pause."""
        while True:
            match await self._worker.handle(Delivery(body=encode(job), message_id=job.id)):
                case Publish(event) | Bury(event, _) if event is not None:
                    return event
                case Defer(_, delay_s) if delay_s > self._longest_wait_s:
                    detail = f"the host asks for a pause, of which {delay_s:.0f} s are left"
                    return outcome.failed(job, DocumentFailure(Reason.RATE_LIMITED, detail), now())
                case Defer(_, delay_s):
                    await asyncio.sleep(delay_s)
                case verdict:
                    raise AssertionError(f"a worker that never retries decided {type(verdict).__name__}")


async def extract(
    submissions: Iterator[Checked | Refusal], settings: Settings, show: Callable[[Event | Refusal], None]
) -> None:
    """Calls `show` with the event of each submission, in order. Refusals are passed through.

    Args:
        submissions: read in a thread, some ahead of the shown events; it may wait for its input.
        settings: limits, and the number of documents that are parsed at once.
        show: called with each event, and with each refusal unchanged.
    """
    metrics = Metrics(CollectorRegistry())
    hosts = HostLimits(
        interval_s=settings.fetch_interval_s,
        max_wait_s=_HOST_MAX_WAIT_S,
        waiting_per_host=URLS_AT_ONCE,
        waiting=URLS_AT_ONCE,
        away_s=_AWAY_S,
    )
    async with (
        open_fetcher(settings, metrics, LocalLeases().hold, hosts) as fetcher,
        working.build_parser(settings, metrics) as parser,
    ):
        worker = working.build_worker(settings, fetcher, parser, metrics, retry=_ONCE)
        extraction = Extraction(
            worker, given=settings.parsers * _GIVEN_AHEAD, longest_wait_s=hosts.interval_at_most_s, show=show
        )
        await extraction.run(submissions)
