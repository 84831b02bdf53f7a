"""`submit`: files, URLs or standard input, posted to a server."""

import asyncio
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any
from uuid import uuid4

import orjson
import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from contract.job import Lane
from contract.options import Focus, Format, Part
from runtime.cli.client import Client, Receipt, Refused, Unreachable, connect
from runtime.cli.documents import submission_of
from runtime.cli.exits import Exit
from runtime.cli.options import DEFAULT_URL, ApiKey, AsJson, Url
from runtime.errors import StartError

_AT_ONCE = 8

Targets = Annotated[
    list[str],
    typer.Argument(metavar="FILE|URL|-...", help="Files (.html, .htm: HTML, else text), URLs, or - for stdin."),
]
LaneOption = Annotated[
    Lane | None, typer.Option(help="Queue to wait in.", show_default="interactive for one document, bulk for many")
]
Labels = Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="Carried through to the event.")]
Formats = Annotated[
    list[Format] | None, typer.Option("--format", help="Make this, too. Again for more.", show_default="text")
]
Parts = Annotated[
    list[Part] | None, typer.Option("--include", help="Let this in. Again for more.", show_default="tables and links")
]
FocusOption = Annotated[Focus, typer.Option(help="Which error is worse: too much text, or too little.")]
KeepAll = Annotated[bool, typer.Option("--keep-all", help="Take nothing from pasted text.")]
Origin = Annotated[str | None, typer.Option(help="URL that the file or the standard input came from.")]


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `app`."""
    app.command()(submit)


def submit(
    targets: Targets,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    lane: LaneOption = None,
    label: Labels = None,
    origin: Origin = None,
    formats: Formats = None,
    include: Parts = None,
    focus: FocusOption = Focus.BALANCED,
    keep_all: KeepAll = False,
    as_json: AsJson = False,
) -> None:
    """Submit documents, many at once, and print a receipt for each: accepted, its id, its lane, its name."""
    if origin and len(targets) > 1:
        raise StartError("--origin goes with one document")
    lane = lane or (Lane.BULK if len(targets) > 1 else Lane.INTERACTIVE)
    lists = {name: values for name, values in (("formats", formats), ("include", include)) if values}
    options = {"lane": lane, "focus": focus, "keep_all": keep_all, **lists}
    extras: dict[str, Any] = {"options": options} | ({"labels": _labels(label)} if label else {})
    documents = [(target, submission_of(target, origin) | extras) for target in targets]
    outcome = asyncio.run(_submit_all(documents, url, api_key, _Report(as_json=as_json)))
    raise typer.Exit(outcome)


def _labels(pairs: Iterable[str]) -> dict[str, str]:
    labels = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals:
            raise StartError(f"--label takes KEY=VALUE, not {pair!r}")
        labels[key] = value
    return labels


async def _submit_all(
    documents: Sequence[tuple[str, dict[str, Any]]], url: str, api_key: str | None, report: "_Report"
) -> Exit:
    places = asyncio.Semaphore(_AT_ONCE)

    async def one(client: Client, name: str, submission: dict[str, Any]) -> None:
        async with places:
            try:
                report.accepted(name, await client.submit(submission, uuid4().hex))
            except Refused as refusal:
                report.refused(name, str(refusal))

    outcome = Exit.OK
    try:
        with report.progress(len(documents)):
            async with connect(url, api_key) as client, asyncio.TaskGroup() as group:
                for name, submission in documents:
                    group.create_task(one(client, name, submission))
    except* Unreachable as lost:
        print(f"copydesk: no answer from {url}: {lost.exceptions[0]}", file=sys.stderr)  # noqa: T201 - to a person
        outcome = Exit.UNREACHABLE
    return max(outcome, Exit.SOME_FAILED if report.refusals else Exit.OK)


@dataclass(slots=True)
class _Report:
    """Receipts on standard output, refusals on standard error, a progress bar where a person looks."""

    as_json: bool
    refusals: int = 0
    _bar: Progress | None = field(default=None, init=False)
    _task: TaskID = field(default=TaskID(0), init=False)

    @contextmanager
    def progress(self, total: int) -> Iterator[None]:
        console = Console(stderr=True)
        if self.as_json or not console.is_terminal:
            yield
            return
        columns = TextColumn("submitting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
        with Progress(*columns, console=console) as self._bar:
            self._task = self._bar.add_task("submitting", total=total)
            yield

    def accepted(self, name: str, receipt: Receipt) -> None:
        line = {"name": name, "id": receipt.id, "lane": receipt.lane}
        told = orjson.dumps(line).decode() if self.as_json else f"accepted\t{receipt.id}\t{receipt.lane}\t{name}"
        self._print(told, sys.stdout)
        for warning in receipt.warnings:
            print(f"warning\t{name}\t{warning}", file=sys.stderr)  # noqa: T201 - to a person

    def refused(self, name: str, why: str) -> None:
        self.refusals += 1
        self._print(f"refused\t{name}\t{why}", sys.stderr)

    def _print(self, line: str, stream: Any) -> None:  # noqa: ANN401 - standard output or standard error
        if self._bar is None:
            print(line, file=stream, flush=True)
        else:
            self._bar.console.print(line, highlight=False, markup=False)
            self._bar.advance(self._task)
