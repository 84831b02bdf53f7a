"""`dead`: lists, shows, retries and drops the dead letters of a server."""

import asyncio
from base64 import b64decode
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import orjson
import typer

from contract.reasons import Reason
from runtime.cli import checks, streams
from runtime.cli.exits import Exit
from runtime.cli.options import DEFAULT_URL, ApiKey, AsJson, Url
from runtime.cli.retrier import SHORT_PATIENCE_S, Refused, Unavailable
from runtime.errors import StartError

if TYPE_CHECKING:
    from runtime.cli.client import Client

_PAGE = 1000  # letters in one request: the most that the server allows (`service.dead_list.MAX_LIMIT`)


class Order(StrEnum):
    """The order of a list, by time of burial."""

    NEWEST = "newest"
    OLDEST = "oldest"


Ids = Annotated[
    list[str] | None,
    typer.Argument(parser=checks.letter_id, metavar="ID...", help="Ids, or their first 8 characters or more."),
]
OneReason = Annotated[
    Reason | None, typer.Option("--reason", metavar="REASON", help="Only letters that failed for this reason.")
]
Everything = Annotated[bool, typer.Option("--all", help="All dead letters.")]
Limit = Annotated[int, typer.Option(min=1, help="Maximum number of letters.")]
Ordered = Annotated[Order, typer.Option("--order", help="Which letters come first, by time of burial.")]
Body = Annotated[bool, typer.Option("--body", help="Print only the bytes of the buried message.")]

app = typer.Typer(name="dead", help="List, show, retry or drop dead letters (buried documents).", no_args_is_help=True)


def register(parent: typer.Typer) -> None:
    """Adds the commands of this module to `parent`."""
    parent.add_typer(app)


@app.command("list")
def list_letters(
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    reason: OneReason = None,
    order: Ordered = Order.NEWEST,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List dead letters.

    On a terminal each takes two lines. In a pipe it is one line: id, reason, time of burial, run, kind, size, URL.
    """

    async def command(client: "Client") -> Exit:
        from rich.console import Console

        from runtime.cli.dead_tables import entry, line

        params = {"order": order.value, **_filter(reason)}
        letters = [letter async for letter in _letters(client, params, limit)]
        console = Console()
        if console.is_terminal and not as_json:
            for letter in letters:
                console.print(entry(letter, console.width), soft_wrap=True)
            if not letters:
                streams.tell("no dead letters")
            return Exit.OK
        for letter in letters:
            streams.put(orjson.dumps(letter).decode() if as_json else line(letter))
        return Exit.OK

    _run(url, api_key, command)


@app.command()
def show(
    letter_id: Annotated[
        str, typer.Argument(parser=checks.letter_id, metavar="ID", help="Id, or its first 8 characters or more.")
    ],
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    body: Body = False,
    as_json: AsJson = False,
) -> None:
    """Show everything known about one dead letter. Its content is shown only with --body."""

    async def command(client: "Client") -> Exit:
        from rich.console import Console

        from runtime.cli.dead_tables import details

        letter = await client.dead_letter(letter_id, body=body)
        console = Console()
        if as_json:
            streams.put(orjson.dumps(letter).decode())
        elif body:
            streams.put_bytes(b64decode(letter["body"]))
        elif console.is_terminal:
            streams.put(letter["id"])  # outside the frame, which may be narrower than the id
            console.print(details(letter))
        else:
            streams.put(orjson.dumps(letter, option=orjson.OPT_INDENT_2).decode())
        return Exit.OK

    _run(url, api_key, command)


@app.command()
def retry(
    ids: Ids = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    reason: OneReason = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Retry dead letters: put each document back into its queue as its next run, and remove the letter."""
    _handle(_retried, "retried", ids, reason, url, api_key, everything=everything, as_json=as_json)


@app.command()
def drop(
    ids: Ids = None,
    url: Url = DEFAULT_URL,
    api_key: ApiKey = None,
    reason: OneReason = None,
    everything: Everything = False,
    as_json: AsJson = False,
) -> None:
    """Drop dead letters. They cannot be restored."""
    _handle(_dropped, "dropped", ids, reason, url, api_key, everything=everything, as_json=as_json)


_Call = Callable[["Client", str | None, Mapping[str, str]], Coroutine[Any, Any, dict[str, Any]]]


def _handle(
    call: _Call,
    done: str,
    ids: list[str] | None,
    reason: Reason | None,
    url: str,
    api_key: str | None,
    *,
    everything: bool,
    as_json: bool,
) -> None:
    if (bool(ids), reason is not None, everything).count(True) != 1:
        raise StartError("give exactly one of ids, --reason and --all")

    async def command(client: "Client") -> Exit:
        if ids:
            return max([await _one(call, client, done, letter_id, as_json=as_json) for letter_id in ids])
        params = {"all": "true"} if everything else _filter(reason)
        return await _many(call, client, done, params, as_json=as_json)

    _run(url, api_key, command)


async def _retried(client: "Client", letter_id: str | None, params: Mapping[str, str]) -> dict[str, Any]:
    return await client.retry_dead(letter_id, params)


async def _dropped(client: "Client", letter_id: str | None, params: Mapping[str, str]) -> dict[str, Any]:
    return await client.drop_dead(letter_id, params)


async def _one(call: _Call, client: "Client", done: str, letter_id: str, *, as_json: bool) -> Exit:
    try:
        answer = await call(client, letter_id, {})
    except Refused as refusal:
        streams.tell(f"refused\t{letter_id}\t{refusal}")
        return Exit.SOME_FAILED
    streams.put(orjson.dumps({"id": answer["id"], done: 1}).decode() if as_json else f"{done}\t{answer['id']}")
    return Exit.OK


async def _many(call: _Call, client: "Client", done: str, params: Mapping[str, str], *, as_json: bool) -> Exit:
    """Makes one call only: a loop would never end for documents that fail again at once."""
    answer = await call(client, None, params)
    streams.put(orjson.dumps(answer).decode() if as_json else f"{done}\t{answer[done]}")
    kept = answer.get("kept", 0)
    if kept:
        streams.tell(f"kept\t{kept}\tcannot be retried, because they hold no job: drop them")
    if answer["more"]:
        streams.tell("more letters are left: run the command again")
    return Exit.SOME_FAILED if kept or answer["more"] else Exit.OK


async def _letters(client: "Client", params: Mapping[str, str], limit: int) -> AsyncIterator[dict[str, Any]]:
    page: dict[str, Any] = {"next": ""}
    while limit > 0 and page["next"] is not None:
        after = {"after": page["next"]} if page["next"] else {}
        page = await client.dead_letters({**params, **after, "limit": str(min(limit, _PAGE))})
        for letter in page["letters"]:
            yield letter
        limit -= len(page["letters"])
    if not page.get("complete", True):
        streams.tell("copydesk: there are more than one look reaches")


def _filter(reason: Reason | None) -> dict[str, str]:
    return {} if reason is None else {"reason": reason.value}


def _run(url: str, api_key: str | None, command: Callable[["Client"], Coroutine[Any, Any, Exit]]) -> None:
    from runtime.cli.client import connect

    async def connected() -> Exit:
        async with connect(url, api_key, SHORT_PATIENCE_S) as client:
            return await command(client)

    try:
        outcome = asyncio.run(connected())
    except Unavailable as lost:
        streams.tell(f"copydesk: {lost}")
        outcome = Exit.UNREACHABLE
    except Refused as refusal:
        streams.tell(f"copydesk: refused: {refusal}")
        outcome = Exit.SOME_FAILED
    raise typer.Exit(outcome)
