"""`extract`: the worker's own stages on files or submissions, with no queue."""

import asyncio
import os
import sys
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated

import typer
from prometheus_client import CollectorRegistry

from contract.broker import Delivery
from contract.codec import encode
from contract.events import Event, FailedEvent
from contract.ids import new_document_id
from contract.job import Lane
from contract.metrics import Metrics
from contract.submission import Submission, SubmissionError, check_submission, parse_submission, to_job
from contract.verdicts import Bury, Publish
from runtime import logs, wiring
from runtime.cli.cards import EventPrinter
from runtime.cli.documents import submission_of
from runtime.cli.exits import Exit
from runtime.cli.options import AsJson, Excerpt
from runtime.errors import StartError
from runtime.settings import Settings, load
from workers.retry import RetryPolicy
from workers.worker import Worker

_AHEAD = 4  # documents begun for each slot, so that a slow one does not leave the other slots idle
_ONCE = RetryPolicy(delays_s=(), hostile_attempts=1)

Targets = Annotated[
    list[str] | None,
    typer.Argument(metavar="FILE|URL|-...", help="Files (.html, .htm: HTML, else text), URLs, or - for stdin."),
]
Jsonl = Annotated[
    str | None,
    typer.Option(metavar="FILE|-", help="One submission a line, as POST /v1/documents takes it; events in that order."),
]
Jobs = Annotated[int | None, typer.Option(min=1, help="Documents at once.", show_default="number of cores")]


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `app`."""
    app.command()(extract)


def extract(
    targets: Targets = None, jsonl: Jsonl = None, jobs: Jobs = None, as_json: AsJson = False, excerpt: Excerpt = False
) -> None:
    """Extract articles here and now, with no queue and no server: the worker's own stages, each document once."""
    if bool(targets) == bool(jsonl):
        raise StartError("extract takes files or URLs, or --jsonl")
    settings = load({"slots": jobs or os.cpu_count() or 1, "log_level": "error"})
    logs.configure(settings)
    submissions = _from_lines(jsonl) if jsonl else _from_targets(targets or [])
    raise typer.Exit(asyncio.run(_extract_all(submissions, settings, EventPrinter(as_json=as_json, excerpt=excerpt))))


def _from_targets(targets: Iterable[str]) -> Iterator[Submission | str]:
    """Yields each target's submission, or why it is none."""
    for target in targets:
        try:
            yield check_submission(submission_of(target))
        except (SubmissionError, StartError) as error:
            yield f"{target}: {error}"


def _from_lines(source: str) -> Iterator[Submission | str]:
    """Yields each line's submission, or why it is none."""
    try:
        with sys.stdin.buffer if source == "-" else Path(source).open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield parse_submission(line)
                except SubmissionError as error:
                    yield f"line {number}: {error}"
    except OSError as error:
        raise StartError(f"{source}: {error.strerror}") from None


async def _extract_all(submissions: Iterable[Submission | str], settings: Settings, printer: EventPrinter) -> Exit:
    """Shows the events in the order of their submissions."""
    metrics = Metrics(CollectorRegistry())
    outcome = Exit.OK
    async with wiring.build_fetcher(settings) as fetcher, wiring.build_parser(settings, metrics) as parser:
        worker = wiring.build_worker(settings, fetcher, parser, metrics, retry=_ONCE)
        window: deque[asyncio.Task[Event] | str] = deque()
        async with asyncio.TaskGroup() as group:
            for submission in submissions:
                if isinstance(submission, str):
                    window.append(submission)
                else:
                    window.append(group.create_task(_event(worker, submission)))
                if len(window) > settings.slots * _AHEAD:
                    outcome = max(outcome, await _show(window.popleft(), printer))
            while window:
                outcome = max(outcome, await _show(window.popleft(), printer))
    return outcome


async def _event(worker: Worker, submission: Submission) -> Event:
    at = wiring.now()
    job = to_job(submission, id=new_document_id(), lane=Lane.INTERACTIVE, accepted_at=at)
    match await worker.handle(Delivery(body=encode(job), message_id=job.id)):
        case Publish(event) | Bury(event, _) if event is not None:
            return event
        case verdict:
            raise AssertionError(f"a worker that never retries decided {type(verdict).__name__}")


async def _show(result: asyncio.Task[Event] | str, printer: EventPrinter) -> Exit:
    if isinstance(result, str):
        print(f"refused\t{result}", file=sys.stderr)  # noqa: T201 - the command's word to a person
        return Exit.SOME_FAILED
    event = await result
    printer.show(encode(event))
    return Exit.SOME_FAILED if isinstance(event, FailedEvent) else Exit.OK
