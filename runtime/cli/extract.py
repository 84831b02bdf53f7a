"""`extract`: runs the stages of a worker on files, URLs or submissions, without queue and server."""

import asyncio
import sys
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runtime import logs
from runtime.cli import streams
from runtime.cli.exits import Exit
from runtime.cli.options import TARGETS, AsJson, Excerpt
from runtime.errors import StartError
from runtime.settings import load

if TYPE_CHECKING:
    from contract.events import Event
    from contract.submission import Checked
    from runtime.cli.documents import Named
    from runtime.cli.event_printer import EventPrinter

Targets = Annotated[list[str] | None, TARGETS]
Jsonl = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|-",
        help="File with one submission a line, as in POST /v1/documents. Events come in the order of the lines.",
    ),
]
Jobs = Annotated[
    int | None, typer.Option(min=1, help="Number of documents parsed at once.", show_default="number of cores")
]


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `app`."""
    app.command()(extract)


def extract(
    targets: Targets = None, jsonl: Jsonl = None, jobs: Jobs = None, as_json: AsJson = False, excerpt: Excerpt = False
) -> None:
    """Extract articles in this process, without queue and server. Each document gets one attempt."""
    from workers.children import fork_server
    from workers.parse_task import PRELOAD

    if bool(targets) == bool(jsonl):
        raise StartError("extract takes files or URLs, or --jsonl")
    parsers = jobs or (1 if targets and len(targets) == 1 else None)  # a second child would only delay the start
    settings = load({"slots": jobs, "parsers": parsers, "log_level": "error"})
    logs.configure(settings)
    submissions = _from_lines(jsonl) if jsonl else _from_targets(targets or [])
    fork_server.server_of(PRELOAD).start()  # it loads the readers while this process loads the rest
    from runtime import extraction
    from runtime.cli.event_printer import EventPrinter

    display = _Display(EventPrinter(as_json=as_json, excerpt=excerpt))
    asyncio.run(extraction.extract(submissions, settings, display.show))
    raise typer.Exit(display.outcome)


def _from_targets(targets: Iterable[str]) -> "Iterator[Checked | str]":
    """Yields the submission of each target, or a message if it cannot be one."""
    from contract.faults import SubmissionError
    from runtime.cli.documents import named

    for target in targets:
        try:
            yield _with_warnings_shown(target, _checked(named(target)))
        except SubmissionError as error:
            yield f"{target}: {error}"
        except StartError as error:  # its message includes the target
            yield str(error)


def _checked(document: "Named") -> "Checked":
    from contract.binary import file_kind
    from contract.faults import Fault, InvalidSubmissionError
    from contract.submission import check_submission
    from workers.decode import decode

    if document.body is None:
        return check_submission({"url": document.url})
    if found := file_kind(document.body):
        message = f"looks like {found}, which is neither plain text nor HTML: extract its text first"
        raise InvalidSubmissionError([Fault(document.kind, "binary", message)])
    decoded = decode(document.body, None)
    return replace(check_submission({document.kind.value: decoded.text}), decoded=decoded)


def _from_lines(source: str) -> "Iterator[Checked | str]":
    """Yields the submission of each line, or a message if it is invalid."""
    from contract.faults import SubmissionError
    from contract.submission import parse_submission

    try:
        with sys.stdin.buffer if source == "-" else Path(source).open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    yield _with_warnings_shown(f"line {number}", parse_submission(line))
                except SubmissionError as error:
                    yield f"line {number}: {error}"
    except OSError as error:
        raise StartError(f"{source}: {error.strerror}") from None


def _with_warnings_shown(name: str, checked: "Checked") -> "Checked":
    for warning in checked.warnings:
        streams.tell(f"warning\t{name}\t{warning.field}: {warning.message}")
    return checked


class _Display:
    """Prints events to standard output and refusals to standard error, and holds the exit code."""

    def __init__(self, printer: "EventPrinter") -> None:
        self._printer = printer
        self.outcome = Exit.OK

    def show(self, result: "Event | str") -> None:
        from contract.codec import encode
        from contract.events import ProcessedEvent

        if isinstance(result, str):
            streams.tell(f"refused\t{result}")
        else:
            self._printer.show(encode(result))
        if not isinstance(result, ProcessedEvent):
            self.outcome = Exit.SOME_FAILED
