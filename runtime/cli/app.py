"""All commands, and the exit code of the process."""

import sys
from collections.abc import Iterator
from importlib.metadata import version
from typing import Annotated

import typer

from runtime import logs
from runtime.cli import (
    audit,
    backup,
    conformance,
    dead,
    deliver,
    doctor,
    extract,
    keys,
    record,
    roles,
    streams,
    submit,
    tail,
    topology,
    users,
)
from runtime.cli.exits import Exit
from runtime.errors import StartError

app = typer.Typer(
    name="copydesk",
    help="Takes documents over HTTP, extracts clean articles, and publishes them as events.\n\n"
    "Start with [bold]copydesk up[/bold], post with [bold]copydesk submit[/bold], read with [bold]copydesk tail[/bold]."
    "\n\nData go to standard output, messages to standard error. Exit codes: 0 success, 1 some documents were refused "
    "or failed, 2 wrong usage or settings, 3 the server or its broker cannot be reached, 4 stopped before the work in "
    "progress was finished or the output cannot be written, 130 interrupted, 141 the reader of the output closed it.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_COMMANDS = (
    *(roles, record, deliver, keys, submit, tail, dead, extract, topology, users),
    *(audit, conformance, doctor, backup),
)
for module in _COMMANDS:
    module.register(app)


def _show_version(wanted: bool) -> None:
    if wanted:
        streams.put(f"copydesk {version('copydesk')}")
        raise typer.Exit


@app.callback()
def _copydesk(
    _version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    pass


def run() -> None:
    """Runs the command line; ends the process with one of `Exit`."""
    streams.guard()
    logs.silence()
    code = Exit.OK
    try:
        code = app(standalone_mode=False) or Exit.OK
        streams.finish()
    except* StartError as refusals:
        code = Exit.USAGE
        for refusal in _leaves(refusals):
            streams.tell(f"copydesk: {refusal}")
    except* typer.TyperException as mistakes:
        code = Exit.USAGE
        for mistake in _leaves(mistakes):
            _explain(mistake)
    except* streams.ClosedPipe:
        code = Exit.CLOSED_PIPE
        streams.abandon()
    except* streams.OutputLost as losses:
        code = Exit.STOPPED_EARLY
        streams.abandon()
        streams.tell(f"copydesk: {next(_leaves(losses))}")
    except* KeyboardInterrupt:
        code = Exit.INTERRUPTED
    sys.exit(code)


def _explain(mistake: BaseException) -> None:
    """Prints one line that says what is wrong with the command line and which --help to read."""
    context = getattr(mistake, "ctx", None)
    message = mistake.format_message() if hasattr(mistake, "format_message") else str(mistake)
    if not message.strip():  # a command without arguments: Typer has shown its help
        return
    hint = f" (see {context.command_path} --help)" if context else ""
    streams.tell(f"copydesk: {' '.join(message.split())}{hint}")  # an argument may contain line breaks


def _leaves(errors: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
