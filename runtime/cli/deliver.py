"""`deliver`: pushes events to webhooks."""

import typer

from runtime.cli.options import AmqpUrl, LedgerUrl, OpsHost, OpsPort
from runtime.cli.roles import need_rabbit, run_process
from runtime.errors import StartError
from runtime.settings import load


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `app`."""
    app.command()(deliver)


def deliver(
    amqp_url: AmqpUrl = None, ledger_url: LedgerUrl = None, ops_host: OpsHost = None, ops_port: OpsPort = None
) -> None:
    """Push events to webhooks. Needs RabbitMQ, and the database of the ledger, which keeps the webhooks.

    You can run several: they share the webhooks.
    """
    settings = load({"amqp_url": amqp_url, "ledger_url": ledger_url, "ops_host": ops_host, "ops_port": ops_port})
    need_rabbit(settings, "deliver")
    if settings.ledger_url is None:
        raise StartError("deliver needs a database: set COPYDESK_LEDGER_URL, then run copydesk ledger upgrade once")
    run_process(settings, deliver=True)
