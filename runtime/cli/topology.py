"""`topology` and `schemas`: the contract in files."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer

from contract.broker import BrokerUnavailable
from contract.schemas import schemas as contract_schemas
from runtime.brokers.rabbit.definitions import encoded
from runtime.brokers.rabbit.setup import declare_topology
from runtime.cli.exits import Exit
from runtime.cli.roles import AmqpUrl
from runtime.errors import StartError
from runtime.settings import load

Definitions = Annotated[bool, typer.Option("--definitions", help="Print RabbitMQ's definitions file instead.")]
Folder = Annotated[Path, typer.Argument(help="Where the schemas go, a file each.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `app`."""
    app.command()(topology)
    app.command()(schemas)


def topology(amqp_url: AmqpUrl = None, print_definitions: Definitions = False) -> None:
    """Declare the exchanges and queues on RabbitMQ, as serve and work do at their start."""
    settings = load({"amqp_url": amqp_url})
    wanted = settings.topology()
    if print_definitions:
        sys.stdout.buffer.write(encoded(wanted))
        return
    if settings.amqp_url is None:
        raise StartError("topology needs RabbitMQ: set COPYDESK_AMQP_URL, or ask for --definitions")
    try:
        asyncio.run(declare_topology(settings.amqp_url.get_secret_value(), wanted))
    except BrokerUnavailable as error:
        print(f"copydesk: {error}", file=sys.stderr)  # noqa: T201 - the last word to a person
        raise typer.Exit(Exit.UNREACHABLE) from None
    print(f"declared {len(wanted.exchanges)} exchanges and {len(wanted.queues)} queues")  # noqa: T201 - the command's output


def schemas(folder: Folder = Path("docs/schemas")) -> None:
    """Write the JSON Schemas of submissions, jobs and events."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, schema in contract_schemas().items():
        (folder / name).write_bytes(orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n")
