"""`users`: prints RabbitMQ users with the rights that each role and each subscriber needs."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from runtime.cli import streams
from runtime.errors import StartError

Accounts = Annotated[
    str,
    typer.Argument(
        metavar="FILE|-",
        help="A user a line, as NAME:PASSWORD: copydesk-serve, copydesk-work and so on, or the name of a subscriber, "
        "also as NAME=PATTERN. Without a password it logs in with a certificate.",
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `app`."""
    app.command()(users)


def users(accounts: Accounts) -> None:
    """Print a RabbitMQ definitions file with these users, their rights and their limits. It has no passwords."""
    from contract.users import AccountError, read_accounts
    from runtime.brokers.rabbit.users import encoded

    try:
        text = sys.stdin.buffer.read() if accounts == "-" else Path(accounts).read_bytes()
        found = read_accounts(text.decode("utf-8-sig"))
    except OSError as error:
        raise StartError(f"{accounts} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise StartError(f"{accounts} is not UTF-8") from None
    except AccountError as error:
        raise StartError(f"{accounts}: {error}") from None
    streams.put_bytes(encoded(found))
