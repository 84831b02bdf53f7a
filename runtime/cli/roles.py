"""`up`, `serve` and `work`: the processes."""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shutil import which
from typing import Annotated

import typer

from runtime import logs
from runtime.cli import checks, streams
from runtime.cli.exits import Exit
from runtime.cli.options import default_of
from runtime.errors import StartError
from runtime.settings import Settings, load

Host = Annotated[
    str | None,
    typer.Option(
        envvar="COPYDESK_HOST",
        parser=checks.listen_host,
        metavar="HOST",
        help="Address of the API.",
        show_default=default_of("host"),
    ),
]
Port = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        metavar="PORT",
        help="Port of the API; COPYDESK_PORT.",
        show_default=default_of("port"),
    ),
]
OpsHost = Annotated[
    str | None,
    typer.Option(
        envvar="COPYDESK_OPS_HOST",
        parser=checks.listen_host,
        metavar="HOST",
        help="Address of /metrics and health.",
        show_default=default_of("ops_host"),
    ),
]
OpsPort = Annotated[
    int | None,
    typer.Option(
        min=0,
        max=65535,
        metavar="PORT",
        help="Port of /metrics and health; COPYDESK_OPS_PORT.",
        show_default=default_of("ops_port"),
    ),
]
Data = Annotated[
    Path | None,
    typer.Option(
        envvar="COPYDESK_DATA",
        file_okay=False,
        metavar="FOLDER",
        help="Folder of the embedded broker.",
        show_default=default_of("data"),
    ),
]
AmqpUrl = Annotated[
    str | None,
    typer.Option(
        envvar="COPYDESK_AMQP_URL",
        parser=checks.amqp_url,
        metavar="URL",
        help="RabbitMQ, as amqp://user:password@host:5672/vhost.",
    ),
]
Slots = Annotated[
    int | None,
    typer.Option(
        envvar="COPYDESK_SLOTS",
        min=1,
        metavar="COUNT",
        help="Documents in hand at once.",
        show_default=default_of("slots"),
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `app`."""
    app.command()(up)
    app.command()(serve)
    app.command()(work)


def up(
    host: Host = None,
    port: Port = None,
    ops_host: OpsHost = None,
    ops_port: OpsPort = None,
    data: Data = None,
    slots: Slots = None,
) -> None:
    """Start everything on this machine: API, worker and recorder on the embedded broker. Ctrl-C stops it cleanly."""
    settings = load(
        {"host": host, "port": port, "ops_host": ops_host, "ops_port": ops_port, "data": data, "slots": slots}
    )
    if settings.amqp_url is not None:
        raise StartError(
            "up runs the embedded broker: with COPYDESK_AMQP_URL set, use copydesk serve and copydesk work"
        )
    run_process(settings, serve=True, work=True, record=True, ready=partial(_greet, settings))


def serve(
    amqp_url: AmqpUrl = None,
    host: Host = None,
    port: Port = None,
    ops_host: OpsHost = None,
    ops_port: OpsPort = None,
) -> None:
    """Serve the API: documents come in, events go out. Needs RabbitMQ."""
    settings = load({"amqp_url": amqp_url, "host": host, "port": port, "ops_host": ops_host, "ops_port": ops_port})
    need_rabbit(settings, "serve")
    run_process(settings, serve=True)


def work(amqp_url: AmqpUrl = None, slots: Slots = None, ops_host: OpsHost = None, ops_port: OpsPort = None) -> None:
    """Work through the queues: fetch, extract, normalise, publish. Needs RabbitMQ."""
    settings = load({"amqp_url": amqp_url, "slots": slots, "ops_host": ops_host, "ops_port": ops_port})
    need_rabbit(settings, "work")
    run_process(settings, work=True)


def need_rabbit(settings: Settings, command: str) -> None:
    """Returns if RabbitMQ's URL is set.

    Raises:
        StartError: it is not.
    """
    if settings.amqp_url is None:
        raise StartError(f"{command} needs RabbitMQ: set COPYDESK_AMQP_URL, or use copydesk up for one machine")


def run_process(
    settings: Settings,
    *,
    serve: bool = False,
    work: bool = False,
    record: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Runs these roles until the process is told to stop, and ends it with its exit code."""
    from runtime import wiring

    logs.configure(settings)
    finished = asyncio.run(wiring.run(settings, serve=serve, work=work, record=record, ready=ready))
    raise typer.Exit(Exit.OK if finished else Exit.STOPPED_EARLY)


def _greet(settings: Settings) -> None:
    """Tells a person at a terminal what to try first."""
    if not sys.stderr.isatty() or settings.port == 0:  # port 0: whoever asks for any port reads the log
        return
    copydesk = "copydesk" if which("copydesk") else sys.argv[0]
    where = "" if (settings.host, settings.port) == ("127.0.0.1", 8080) else f" --url {_address(settings)}"
    streams.tell(
        "Ready. Try in another terminal, and stop here with Ctrl-C:\n"
        f"  echo 'The ferry sails again on Monday.' | {copydesk} submit{where} -\n"
        f"  {copydesk} tail{where}"
    )


def _address(settings: Settings) -> str:
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - not listened on
    return f"http://{f'[{host}]' if ':' in host else host}:{settings.port}"
