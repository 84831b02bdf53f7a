"""`topology`, `schemas` and `metrics`: declare the queues, and write the contract to files."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from contract.topology import Topology
from runtime import logs
from runtime.cli import streams
from runtime.cli.exits import Exit
from runtime.cli.options import AmqpUrl
from runtime.errors import StartError
from runtime.settings import load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from runtime.brokers.rabbit.check import Difference

Definitions = Annotated[bool, typer.Option("--definitions", help="Print a RabbitMQ definitions file, declare nothing.")]
Check = Annotated[
    bool, typer.Option("--check", help="Declare nothing; print what is missing or differs, and how to correct it.")
]
Folder = Annotated[Path, typer.Argument(help="Folder for the schemas, one file each.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `app`."""
    app.command()(topology)
    app.command()(schemas)
    app.command()(metrics)


def topology(amqp_url: AmqpUrl = None, print_definitions: Definitions = False, check: Check = False) -> None:
    """Declare the exchanges and queues on RabbitMQ, as serve and work do at start. If one differs, declare nothing.

    The exit code is 1 if something on the broker differs or, with --check, is missing.
    """
    from contract.broker import BrokerUnavailable
    from runtime.brokers.rabbit import definitions, setup

    settings = load({"amqp_url": amqp_url})
    logs.configure(settings)
    wanted = settings.topology()
    if print_definitions:
        streams.put_bytes(definitions.encoded(wanted))
        return
    url = settings.rabbit_url()
    if url is None:
        raise StartError("topology needs RabbitMQ: set COPYDESK_AMQP_URL, or use --definitions")
    try:
        differences = asyncio.run(setup.check_topology(url, wanted) if check else _declare(url, wanted))
    except BrokerUnavailable as error:
        streams.tell(f"copydesk: {error}")
        raise typer.Exit(Exit.UNREACHABLE) from None
    for difference in differences:
        streams.put(str(difference))
    if differences:
        raise typer.Exit(Exit.SOME_FAILED)
    streams.put(_summary(wanted, "as they should be" if check else "declared"))


async def _declare(url: str, wanted: Topology) -> "Sequence[Difference]":
    """Declares the topology, or returns the differences that prevent it."""
    from runtime.brokers.rabbit import setup

    try:
        await setup.declare_topology(url, wanted)
    except setup.TopologyMismatch as mismatch:
        return mismatch.differing
    return ()


def _summary(wanted: Topology, what: str) -> str:
    unseen = " (bindings and policies cannot be seen over AMQP)" if what != "declared" else ""
    return f"{len(wanted.exchanges)} exchanges and {len(wanted.queues)} queues {what}{unseen}"


def schemas(folder: Folder = Path("docs/schemas")) -> None:
    """Write the JSON Schemas of submissions, jobs and events."""
    from contract.schemas import schemas as contract_schemas

    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, schema in contract_schemas().items():
            (folder / name).write_bytes(orjson.dumps(schema, option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as error:
        raise StartError(f"the schemas cannot be written to {folder}: {error.strerror}") from None


def metrics() -> None:
    """Print the list of all metrics as Markdown."""
    from contract.metrics_page import metrics_page

    streams.put(metrics_page().removesuffix("\n"))
