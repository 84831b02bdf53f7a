"""`audit`: compares the accepted documents with the decided ones."""

import asyncio
import time
from contextlib import aclosing
from functools import partial
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from runtime import logs
from runtime.cli import streams
from runtime.cli.exits import Exit
from runtime.cli.options import AmqpUrl, AsJson, Data, OpsHost, OpsPort
from runtime.settings import Settings, load

if TYPE_CHECKING:
    from collections.abc import Callable

    from runtime.audit import AuditLimits, Balance
    from runtime.auditor import Auditor, AuditSource

Watch = Annotated[
    float | None,
    typer.Option(
        min=1, metavar="SECONDS", help="Repeat the audit at this interval, with copydesk_audit_* on the ops port."
    ),
]
Patience = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="SECONDS",
        help="How long a document may take, retries included. RabbitMQ only.",
        show_default="all retry delays and attempts",
    ),
]

_MEANINGS = {
    "accepted": "runs of documents that were answered with 202",
    "decided": "accepted runs with a verdict in the log",
    "in_flight": "accepted runs that wait or are being processed",
    "missing": "accepted runs that are neither decided nor in flight",
    "repeated": "runs with more than one event: subscribers drop repeats by id",
    "differing": "repeated runs whose events differ in content",
    "unrecorded": "decided runs without a record of acceptance: it expired, or intake died before writing it",
    "unreadable": "entries of the log that are not events",
}


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `app`."""
    app.command()(audit)


def audit(
    amqp_url: AmqpUrl = None,
    data: Data = None,
    as_json: AsJson = False,
    watch: Watch = None,
    patience: Patience = None,
    ops_host: OpsHost = None,
    ops_port: OpsPort = None,
) -> None:
    """Compare every accepted document with the log and the queues. The exit code is 1 if a document is missing.

    Reads RabbitMQ if its URL is set, else the data folder, even while copydesk up uses it. Changes nothing.
    """
    from contract.broker import BrokerUnavailable
    from runtime.auditor import Auditor

    settings = load({"amqp_url": amqp_url, "data": data, "ops_host": ops_host, "ops_port": ops_port})
    logs.configure(settings)
    auditor = Auditor(_source(settings), _limits(settings, patience), time.time)
    if watch is not None:
        from runtime import wiring

        asyncio.run(wiring.run_audit(settings, auditor, watch))
        return
    try:
        balance = asyncio.run(_settle(auditor, tell=not as_json))
    except BrokerUnavailable as error:
        streams.tell(f"copydesk: {error}")
        raise typer.Exit(Exit.UNREACHABLE) from None
    _show(balance, as_json=as_json)
    raise typer.Exit(Exit.SOME_FAILED if balance.missing else Exit.OK)


def _source(settings: Settings) -> "Callable[[], AuditSource]":
    url = settings.rabbit_url()
    if url is None:
        from runtime.brokers.embedded.audit import EmbeddedAudit
        from runtime.brokers.embedded.broker import FILE

        return partial(EmbeddedAudit, settings.data / FILE)
    from runtime.brokers.rabbit import RabbitLimits
    from runtime.brokers.rabbit.audit import RabbitAudit

    return partial(RabbitAudit, url, settings.topology(), RabbitLimits())


def _limits(settings: Settings, max_run_s: float | None) -> "AuditLimits":
    from runtime.audit import AuditLimits

    attempts = len(settings.retry_delays_s) + 1
    longest_s = sum(settings.retry_delays_s) + attempts * settings.job_timeout_s
    return AuditLimits(
        max_run_s=longest_s if max_run_s is None else max_run_s,
        hold_s=settings.job_timeout_s * 1.25,  # the deadline of an attempt, plus time to execute the verdict
    )


async def _settle(auditor: "Auditor", *, tell: bool) -> "Balance":
    """Returns the final balance. A worker may hold an overdue job, which no queue counts: it is checked again."""
    async with aclosing(auditor.settle()) as balances:
        balance = await anext(balances)
        if tell and auditor.is_unsure:
            streams.tell("some overdue documents may be in progress: checking again")
        async for later in balances:
            balance = later
    return balance


def _show(balance: "Balance", *, as_json: bool) -> None:
    if as_json:
        streams.put(orjson.dumps(balance, option=orjson.OPT_NON_STR_KEYS).decode())
        return
    from rich.console import Console
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(justify="right")
    for state, meaning in _MEANINGS.items():
        table.add_row(f"{getattr(balance, state):,}", state.replace("_", " "), meaning)
    table.add_row()
    for queue, count in balance.queues.items():
        table.add_row(f"{count:,}", queue)
    console = Console()
    console.print(table)
    console.print(f"accepted since {balance.since or 'ever: nothing'}", highlight=False)
    for run in balance.missing_ids:
        streams.put(f"may be missing: {run}")
