"""All commands, and what the process ends with."""

import sys
from collections.abc import Iterator

import typer

from runtime.cli import audit, dead, extract, record, roles, submit, tail, topology
from runtime.cli.exits import Exit
from runtime.errors import StartError

app = typer.Typer(
    name="copydesk",
    help="Raw copy in over HTTP, clean articles out.\n\n"
    "Start with [bold]copydesk up[/bold], post with [bold]copydesk submit[/bold], read with [bold]copydesk tail[/bold]."
    "\n\nExit codes: 0 all went well, 1 some documents were refused or failed, 2 wrong use or settings, "
    "3 the server cannot be reached, 4 stopped before all in hand was finished.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for module in (roles, record, submit, tail, dead, extract, topology, audit):
    module.register(app)


def run() -> None:
    """Runs the command line; ends the process with one of `Exit`."""
    code = Exit.OK
    try:
        app()
    except* StartError as refusals:
        code = Exit.USAGE
        for refusal in _leaves(refusals):
            print(f"copydesk: {refusal}", file=sys.stderr)  # noqa: T201 - the last word to a person at a terminal
    except* KeyboardInterrupt:
        code = Exit.INTERRUPTED
    sys.exit(code)


def _leaves(errors: BaseExceptionGroup[StartError]) -> Iterator[BaseException]:
    for error in errors.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error
