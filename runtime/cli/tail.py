"""`tail`: shows the output events as they are published."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import TYPE_CHECKING, Annotated

import orjson
import typer

from runtime.cli import checks, streams
from runtime.cli.exits import Exit
from runtime.cli.options import DEFAULT_URL, ApiKey, AsJson, Excerpt, Url
from runtime.cli.retrier import SHORT_PATIENCE_S, Refused, Unavailable

if TYPE_CHECKING:
    from runtime.cli.event_printer import EventPrinter

Pattern = Annotated[
    str,
    typer.Option(
        parser=checks.topic,
        metavar="PATTERN",
        help="Topic pattern of the routing key: * matches one word, # any number of words.",
    ),
]
Filter = Annotated[
    str | None,
    typer.Option(
        "--filter", parser=checks.event_filter, metavar="FILTER", help='Only events like "language = en and has title".'
    ),
]
After = Annotated[
    str | None,
    typer.Option(parser=checks.offset, metavar="OFFSET|oldest", help="Start after this offset of the log."),
]
Last = Annotated[int, typer.Option(min=0, help="Start with this many existing events.")]
Count = Annotated[int | None, typer.Option(min=1, help="Stop after this many events.")]
Amqp = Annotated[
    str | None,
    typer.Option(
        "--amqp", parser=checks.amqp_url, metavar="URL", help="Subscribe on this RabbitMQ instead; only new events."
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `app`."""
    app.command()(tail)


def tail(
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    pattern: Pattern = "#",
    wanted: Filter = None,
    last: Last = 10,
    after: After = None,
    count: Count = None,
    amqp: Amqp = None,
    as_json: AsJson = False,
    excerpt: Excerpt = False,
) -> None:
    """Show the output events: the last ones, then new ones as they are published, until Ctrl-C or --count."""
    from runtime.cli.event_printer import EventPrinter

    begin = {"last": str(last)} if after is None else {"after": after}
    chosen = {"pattern": pattern} if wanted is None else {"pattern": pattern, "filter": wanted}
    events = _subscribe(amqp, pattern, wanted) if amqp else _stream(url, api_key, chosen | begin)
    printer = EventPrinter(as_json=as_json, excerpt=excerpt)
    raise typer.Exit(asyncio.run(_show(events, printer, count)))


async def _subscribe(amqp_url: str, pattern: str, wanted: str | None) -> AsyncGenerator[bytes, None]:
    from contract.filters import Filter as EventFilter
    from runtime.brokers.rabbit.subscriber import subscribe
    from runtime.settings import load

    chosen = None if wanted is None else EventFilter.parse(wanted)
    url = load({"amqp_url": amqp_url}).rabbit_url() or amqp_url
    async with aclosing(subscribe(url, pattern)) as events:
        async for event in events:
            if chosen is None or chosen.matches(orjson.loads(event)):
                yield event


async def _stream(url: str, api_key: str | None, params: Mapping[str, str]) -> AsyncGenerator[bytes, None]:
    from runtime.cli.client import connect

    async with connect(url, api_key, SHORT_PATIENCE_S) as client, aclosing(client.events(params)) as events:
        async for event in events:
            yield event


async def _show(events: AsyncGenerator[bytes, None], printer: "EventPrinter", count: int | None) -> Exit:
    from contract.broker import BrokerUnavailable

    shown = 0
    try:
        async with streams.stopped_by_closed_pipe(), aclosing(events):
            async for event in events:
                printer.show(event)
                shown += 1
                if shown == count:
                    break
    except (Unavailable, BrokerUnavailable) as lost:
        streams.tell(f"copydesk: {lost}")
        return Exit.UNREACHABLE
    except Refused as refusal:
        streams.tell(f"copydesk: refused: {refusal}")
        return Exit.USAGE
    return Exit.OK
