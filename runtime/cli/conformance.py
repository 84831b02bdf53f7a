"""`conformance`: tells whether a subscriber of yours is right."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from runtime.cli import checks, streams
from runtime.cli.exits import Exit
from runtime.cli.options import AmqpUrl
from runtime.errors import StartError
from runtime.settings import load

if TYPE_CHECKING:
    from runtime.conformance.course import Finding

E = TypeVar("E", bound=Exception)

_PATIENCE_S = 30.0  # chosen: an interpreter starts and reconnects in that time, also on a busy machine

Command = Annotated[
    list[str],
    typer.Argument(metavar="COMMAND...", help="Starts the subscriber; {url} stands for the URL to connect to."),
]
StartedElsewhere = Annotated[
    list[str] | None,
    typer.Argument(metavar="[COMMAND...]", help="Starts the receiver. Without it only its answers are looked at."),
]
Queue = Annotated[
    str, typer.Option(parser=checks.queue, metavar="QUEUE", help="The queue that the subscriber consumes from.")
]
Patience = Annotated[
    float, typer.Option(min=0, metavar="SECONDS", help="For how long to wait for the subscriber to do something.")
]
ServedPort = Annotated[
    int,
    typer.Option(min=0, max=65535, metavar="PORT", help="Port to serve events on; 0 is any that is free."),
]
Target = Annotated[str, typer.Option("--url", parser=checks.webhook_url, metavar="URL", help="URL of the receiver.")]
Secret = Annotated[
    str,
    typer.Option(
        parser=checks.webhook_secret,
        metavar="SECRET",
        envvar="WEBHOOK_SECRET",
        help="The secret that the receiver checks signatures with: whsec_ and bytes in base64.",
    ),
]

_OF_A_PROGRAM = {"allow_interspersed_args": False}  # what follows the first word is the program's own

conformance = typer.Typer(
    help="Tell whether a subscriber is right: send it repeats, runs in another order, unknown fields, the largest "
    "event, later versions, failures and erasures, cut it off and kill it.\n\nThe subscriber prints a line for each "
    "event that it acts on, with the document's id in it. This prints a line for each thing that it looked at. The "
    "exit code is 1 if something is wrong. Use a broker for tests: the events are not real.",
    no_args_is_help=True,
)


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `app`."""
    conformance.command(context_settings=_OF_A_PROGRAM)(amqp)
    conformance.command(context_settings=_OF_A_PROGRAM)(sse)
    conformance.command(context_settings=_OF_A_PROGRAM)(webhook)
    app.add_typer(conformance, name="conformance")


def amqp(command: Command, queue: Queue, amqp_url: AmqpUrl = None, patience: Patience = _PATIENCE_S) -> None:
    """Look at a subscriber on RabbitMQ. Its queue must be empty: what is in it after the check is removed."""
    from contract.broker import QueueExclusive
    from runtime.conformance.amqp import NoConsumer, check

    settings = load({"amqp_url": amqp_url})
    if settings.amqp_url is None:
        raise StartError("conformance amqp needs RabbitMQ: set COPYDESK_AMQP_URL, or use --amqp-url")
    url = settings.amqp_url.get_secret_value()
    if not url.startswith("amqp:"):
        raise StartError("conformance amqp cuts connections, so it needs a broker without TLS: amqp://")
    absent: Absent = {
        NoConsumer: f"the subscriber does not consume from the queue {queue}",
        QueueExclusive: f"the queue {queue} is exclusive to the subscriber's connection: its events are lost "
        "when the connection is. Declare it durable and not exclusive",
    }
    _run(lambda tell: check(url, queue, command, patience, tell), absent)


def sse(command: Command, listen_port: ServedPort = 0, patience: Patience = _PATIENCE_S) -> None:
    """Look at a subscriber over HTTP, which reads {url}/v1/events as server-sent events."""
    from runtime.conformance.sse import NotConnected, check

    absent: Absent = {NotConnected: "the subscriber does not ask for /v1/events"}
    _run(lambda tell: check(listen_port, command, patience, tell), absent)


def webhook(target: Target, secret: Secret, command: StartedElsewhere = None, patience: Patience = _PATIENCE_S) -> None:
    """Look at a receiver of webhooks."""
    from runtime.conformance.webhook import NotListening, check

    absent: Absent = {NotListening: "nothing accepts connections at the URL"}
    _run(lambda tell: check(target, secret, command or [], patience, tell), absent)


Tell = Callable[["Finding"], None]
Absent = Mapping[type[Exception], str]


def _run(check: Callable[[Tell], Coroutine[Any, Any, None]], absent: Absent) -> None:
    """Runs a check, and prints what is found as it is found.

    Args:
        check: raises one of `absent` where there is no subscriber that it can look at.
        absent: what that means, in words.
    """
    from contract.broker import BrokerUnavailable

    faults = 0

    def tell(finding: "Finding") -> None:
        nonlocal faults
        faults += finding.fault is not None
        verdict = "ok" if finding.fault is None else f"wrong: {finding.fault}"
        streams.put(f"{finding.name}\t{finding.rule}\t{verdict}")

    code = Exit.OK
    try:
        asyncio.run(check(tell))
    except* BrokerUnavailable:
        code = Exit.UNREACHABLE
        streams.tell("copydesk: the broker cannot be reached, or refuses")
    except* tuple(absent) as errors:
        code = Exit.UNREACHABLE
        streams.tell(f"copydesk: {absent[type(_first(errors))]}")
    except* OSError as errors:
        code = Exit.USAGE
        streams.tell(f"copydesk: the subscriber cannot be started: {_first(errors).strerror}")
    if code or faults:
        raise typer.Exit(code or Exit.SOME_FAILED)


def _first(errors: BaseExceptionGroup[E]) -> E:
    error = errors.exceptions[0]
    return _first(error) if isinstance(error, BaseExceptionGroup) else error
