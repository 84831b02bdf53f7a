"""`record` and `ledger`: what became of every document, in a database."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from contract.ledger import LedgerUnavailable
from runtime import logs
from runtime.cli import checks, streams
from runtime.cli.exits import Exit
from runtime.cli.roles import AmqpUrl, Data, OpsHost, OpsPort, need_rabbit, run_process
from runtime.errors import StartError
from runtime.settings import load

if TYPE_CHECKING:
    from sqlalchemy import URL

T = TypeVar("T")

LedgerUrl = Annotated[
    str | None,
    typer.Option(
        envvar="COPYDESK_LEDGER_URL",
        parser=checks.ledger_url,
        metavar="URL",
        help="The ledger's database, as postgresql://user:password@host/database or sqlite:///PATH. "
        "Without RabbitMQ it is a file in the data folder.",
    ),
]

ledger = typer.Typer(help="The ledger's database: make its tables, or begin anew.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `app`."""
    app.command()(record)
    app.add_typer(ledger, name="ledger")


def record(
    amqp_url: AmqpUrl = None, ledger_url: LedgerUrl = None, ops_host: OpsHost = None, ops_port: OpsPort = None
) -> None:
    """Record what became of every document: reads the broker's records into a database. Needs RabbitMQ.

    Several may run: one records, the others stand by.
    """
    settings = load({"amqp_url": amqp_url, "ledger_url": ledger_url, "ops_host": ops_host, "ops_port": ops_port})
    need_rabbit(settings, "record")
    if settings.ledger_url is None:
        raise StartError("record needs a database: set COPYDESK_LEDGER_URL, then run copydesk ledger upgrade once")
    run_process(settings, record=True)


@ledger.command()
def upgrade(ledger_url: LedgerUrl = None, data: Data = None) -> None:
    """Make the tables, or bring them up to date. Do it before serve and record of a new version start."""
    from runtime.ledger import schema

    before = _asked(schema.upgrade(_url(ledger_url, data)))
    done = "already of" if before == schema.VERSION else f"upgraded from {before} to" if before else "made, of"
    streams.put(f"the ledger's tables are {done} version {schema.VERSION}")


@ledger.command()
def rebuild(ledger_url: LedgerUrl = None, data: Data = None) -> None:
    """Drop all rows, so that whoever records begins with the oldest entry of the broker's records.

    What the broker no longer holds is gone from the ledger then. Recorders that run need not be stopped.
    """
    from runtime.ledger import schema

    _asked(schema.rebuild(_url(ledger_url, data)))
    streams.put("the ledger is empty: copydesk record, or copydesk up, fills it again")


def _url(ledger_url: str | None, data: Path | None) -> "URL":
    from runtime.ledger import database

    settings = load({"ledger_url": ledger_url, "data": data})
    logs.configure(settings)
    url = settings.ledger()
    if url is None:
        raise StartError("the ledger needs a database: set COPYDESK_LEDGER_URL")
    if settings.ledger_url is None and not settings.data.is_dir():
        raise StartError(f"there is no folder {settings.data}: name the one of copydesk up, or set COPYDESK_LEDGER_URL")
    return database.ledger_url(url)


def _asked(answer: Coroutine[Any, Any, T]) -> T:
    try:
        return asyncio.run(answer)
    except LedgerUnavailable as error:
        from runtime.ledger.database import LedgerUnusable

        told = f"the ledger's database cannot be used: {error}"
        if isinstance(error, LedgerUnusable):
            raise StartError(told) from None
        streams.tell(f"copydesk: {told}")
        raise typer.Exit(Exit.UNREACHABLE) from None
