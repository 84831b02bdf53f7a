"""`doctor`: examines what Copydesk needs, and says what is wrong, why it matters, and how to mend it."""

import asyncio
from typing import Annotated

import orjson
import typer

from runtime import logs
from runtime.cli import checks, streams
from runtime.cli.exits import Exit
from runtime.cli.options import AmqpUrl, AsJson, Data, LedgerUrl
from runtime.doctor import examine
from runtime.doctor.finding import Finding, Level
from runtime.settings import Settings, load

Fetch = Annotated[
    str | None,
    typer.Option(
        "--fetch",
        parser=checks.webhook_url,
        metavar="URL",
        help="Fetch this page, too, as a worker does; keep nothing.",
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the command of this module to `app`."""
    app.command()(doctor)


def doctor(
    amqp_url: AmqpUrl = None,
    ledger_url: LedgerUrl = None,
    data: Data = None,
    fetch: Fetch = None,
    as_json: AsJson = False,
) -> None:
    """Examine broker, ledger and this machine with these settings. Changes nothing. The exit code is 1 at an error."""
    settings = load({"amqp_url": amqp_url, "ledger_url": ledger_url, "data": data})
    logs.silence()
    worst = asyncio.run(_show(settings, fetch, as_json=as_json))
    raise typer.Exit(Exit.SOME_FAILED if worst is Level.ERROR else Exit.OK)


async def _show(settings: Settings, fetch: str | None, *, as_json: bool) -> Level:
    """Prints each finding when it is there, and returns the worst level."""
    levels = [Level.OK]
    async for finding in examine(settings, fetch):
        streams.put(orjson.dumps(finding).decode() if as_json else _told(finding))
        levels.append(finding.level)
    return max(levels, key=list(Level).index)


def _told(finding: Finding) -> str:
    lines = [f"{finding.level:8}{finding.part}: {finding.found}"]
    if finding.why:
        lines += [f"        why: {finding.why}", f"        do: {finding.remedy}"]
    return "\n".join(lines)
