"""`record` and `ledger`: writes the state of every document into a database."""

import typer

from runtime.cli import streams
from runtime.cli.databases import asked, loaded, url_of
from runtime.cli.options import AmqpUrl, Data, LedgerUrl, OpsHost, OpsPort
from runtime.cli.roles import need_rabbit, run_process
from runtime.errors import StartError
from runtime.settings import load

ledger = typer.Typer(help="Create, upgrade or empty the database of the ledger.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `app`."""
    app.command()(record)
    app.add_typer(ledger, name="ledger")


def record(
    amqp_url: AmqpUrl = None, ledger_url: LedgerUrl = None, ops_host: OpsHost = None, ops_port: OpsPort = None
) -> None:
    """Record the state of every document: copy the broker's records into a database. Needs RabbitMQ.

    You can run several: one records, the others stand by.
    """
    settings = load({"amqp_url": amqp_url, "ledger_url": ledger_url, "ops_host": ops_host, "ops_port": ops_port})
    need_rabbit(settings, "record")
    if settings.ledger_url is None:
        raise StartError("record needs a database: set COPYDESK_LEDGER_URL, then run copydesk ledger upgrade once")
    run_process(settings, record=True)


@ledger.command()
def upgrade(ledger_url: LedgerUrl = None, data: Data = None) -> None:
    """Create the tables, or upgrade them. Run it before you start serve and record of a new version."""
    from runtime.ledger import schema

    before = asked(schema.upgrade(url_of(loaded(ledger_url, data))))
    done = "already at" if before == schema.VERSION else f"upgraded from {before} to" if before else "created at"
    streams.put(f"the ledger's tables are {done} version {schema.VERSION}")


@ledger.command()
def rebuild(ledger_url: LedgerUrl = None, data: Data = None) -> None:
    """Delete all rows but API keys. The recorder then starts again with the oldest entries of the broker's records.

    Documents whose records the broker no longer holds are lost to the ledger. You need not stop running recorders.
    """
    from runtime.ledger import schema

    asked(schema.rebuild(url_of(loaded(ledger_url, data))))
    streams.put("the ledger is empty: copydesk record or copydesk up fills it again")
