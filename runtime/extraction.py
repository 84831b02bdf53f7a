"""Runs the worker's stages without a queue: submissions in, events out, in the same order."""

import asyncio
from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry

from contract.broker import Delivery
from contract.codec import encode
from contract.events import Event
from contract.ids import new_document_id
from contract.job import Lane
from contract.metrics import Metrics
from contract.submission import Checked, to_job
from contract.verdicts import Bury, Defer, Publish
from runtime import wiring
from runtime.brokers.local_leases import LocalLeases
from runtime.fetching import open_fetcher
from runtime.settings import Settings
from workers.retry import RetryPolicy
from workers.worker import Worker

Refusal = str
Results = asyncio.Queue["asyncio.Task[Event] | Refusal | None"]

_AHEAD = 4  # documents started for each slot, chosen: a slow one does not leave the other slots idle
_ONCE = RetryPolicy(delays_s=(), hostile_attempts=1)


async def extract(
    submissions: Iterator[Checked | Refusal], settings: Settings, show: Callable[[Event | Refusal], None]
) -> None:
    """Calls `show` with the event of each submission, in order. Refusals are passed through.

    Args:
        submissions: read in a thread, a few ahead; it may wait for its input.
        settings: limits, and the number of documents at once.
        show: gets an event, or a refusal unchanged.
    """
    metrics = Metrics(CollectorRegistry())
    async with (
        open_fetcher(settings, metrics, LocalLeases().hold) as fetcher,
        wiring.open_parser(settings, metrics) as parser,
    ):
        worker = wiring.build_worker(settings, fetcher, parser, metrics, retry=_ONCE)
        results: Results = asyncio.Queue(settings.slots * _AHEAD)
        async with asyncio.TaskGroup() as group:
            group.create_task(_show_in_order(results, show))
            while (submission := await asyncio.to_thread(next, submissions, None)) is not None:
                await results.put(
                    submission if isinstance(submission, str) else group.create_task(_event(worker, submission))
                )
            await results.put(None)


async def _show_in_order(results: Results, show: Callable[[Event | Refusal], None]) -> None:
    while (result := await results.get()) is not None:
        show(result if isinstance(result, str) else await result)


async def _event(worker: Worker, checked: Checked) -> Event:
    job = to_job(
        checked.submission,
        id=new_document_id(),
        lane=Lane.INTERACTIVE,
        accepted_at=wiring.now(),
        decoded=checked.decoded,
    )
    while True:
        match await worker.handle(Delivery(body=encode(job), message_id=job.id)):
            case Publish(event) | Bury(event, _) if event is not None:
                return event
            case Defer(_, delay_s):
                await asyncio.sleep(delay_s)
            case verdict:
                raise AssertionError(f"a worker that never retries decided {type(verdict).__name__}")
