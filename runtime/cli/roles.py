"""`up`, `serve` and `work`: start the processes of the service."""

import asyncio
import sys
from collections.abc import Callable
from functools import partial
from shutil import which
from typing import NoReturn

import typer

from runtime import logs
from runtime.cli import streams
from runtime.cli.exits import Exit
from runtime.cli.options import AmqpUrl, Data, Host, OpsHost, OpsPort, Port, Processes, Slots
from runtime.errors import StartError
from runtime.settings import Settings, load


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
    """Start API, worker, recorder and webhooks in one process, on the embedded broker. Ctrl-C stops it cleanly."""
    settings = load(
        {"host": host, "port": port, "ops_host": ops_host, "ops_port": ops_port, "data": data, "slots": slots}
    )
    if settings.amqp_url is not None:
        raise StartError(
            "up runs the embedded broker: with COPYDESK_AMQP_URL set, use copydesk serve and copydesk work"
        )
    if settings.processes > 1:
        raise StartError(
            "up runs everything in one process, the only one that may open the embedded broker: "
            "for several, use RabbitMQ and copydesk serve --processes"
        )
    run_process(settings, serve=True, work=True, record=True, deliver=True, ready=partial(_greet, settings))


def serve(
    amqp_url: AmqpUrl = None,
    host: Host = None,
    port: Port = None,
    ops_host: OpsHost = None,
    ops_port: OpsPort = None,
    processes: Processes = None,
) -> None:
    """Serve the HTTP API: accept documents, stream events. Needs RabbitMQ."""
    given = {"amqp_url": amqp_url, "host": host, "port": port, "ops_host": ops_host, "ops_port": ops_port}
    settings = load(given | {"processes": processes})
    need_rabbit(settings, "serve")
    if settings.processes == 1:
        run_process(settings, serve=True)
    from runtime.cli.supervisor import supervise

    logs.configure(settings)
    raise typer.Exit(asyncio.run(supervise(settings)))


def work(amqp_url: AmqpUrl = None, slots: Slots = None, ops_host: OpsHost = None, ops_port: OpsPort = None) -> None:
    """Process the queued documents: fetch, extract, normalise, publish. Needs RabbitMQ."""
    settings = load({"amqp_url": amqp_url, "slots": slots, "ops_host": ops_host, "ops_port": ops_port})
    need_rabbit(settings, "work")
    run_process(settings, work=True)


def need_rabbit(settings: Settings, command: str) -> None:
    """Checks that the URL of RabbitMQ is set.

    Raises:
        StartError: the URL is not set.
    """
    if settings.amqp_url is None:
        raise StartError(f"{command} needs RabbitMQ: set COPYDESK_AMQP_URL, or use copydesk up on a single machine")


def run_process(
    settings: Settings,
    *,
    serve: bool = False,
    work: bool = False,
    record: bool = False,
    deliver: bool = False,
    ready: Callable[[], None] = lambda: None,
) -> NoReturn:
    """Runs these roles until a signal stops the process, and exits with its exit code."""
    from runtime import wiring

    logs.configure(settings)
    running = wiring.run(settings, serve=serve, work=work, record=record, deliver=deliver, ready=ready)
    finished = asyncio.run(running)
    raise typer.Exit(Exit.OK if finished else Exit.STOPPED_EARLY)


def _greet(settings: Settings) -> None:
    """Prints first steps if standard error is a terminal."""
    if not sys.stderr.isatty() or settings.port == 0:  # with port 0 the actual port is in the log
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
