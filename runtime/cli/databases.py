"""What the commands share that work on the ledger's database themselves, without a server."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from runtime import logs
from runtime.cli import streams
from runtime.cli.exits import Exit
from runtime.errors import StartError
from runtime.settings import Settings, load

if TYPE_CHECKING:
    from sqlalchemy import URL

T = TypeVar("T")


def loaded(ledger_url: str | None, data: Path | None) -> Settings:
    """Returns the settings, with these two from the command line.

    Raises:
        StartError: they name no database.
    """
    settings = load({"ledger_url": ledger_url, "data": data})
    logs.configure(settings)
    if settings.ledger() is None:
        raise StartError("the ledger needs a database: set COPYDESK_LEDGER_URL")
    if settings.ledger_url is None and not settings.data.is_dir():
        raise StartError(f"there is no folder {settings.data}: give --data of copydesk up, or set COPYDESK_LEDGER_URL")
    return settings


def url_of(settings: Settings) -> "URL":
    """Returns the URL of the database that `loaded` found."""
    from runtime.ledger import database

    return database.ledger_url(str(settings.ledger()))


def asked(answer: Coroutine[Any, Any, T]) -> T:
    """Returns what the database answers.

    Raises:
        StartError: it cannot be used until a person repairs it.
        Exit: it is away.
    """
    from contract.ledger import LedgerUnavailable

    try:
        return asyncio.run(answer)
    except LedgerUnavailable as error:
        from runtime.ledger.database import LedgerUnusable

        message = f"the ledger's database cannot be used: {error}"
        if isinstance(error, LedgerUnusable):
            raise StartError(message) from None
        streams.tell(f"copydesk: {message}")
        raise typer.Exit(Exit.UNREACHABLE) from None
