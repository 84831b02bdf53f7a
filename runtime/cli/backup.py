"""`backup` and `restore`: copies broker and ledger into a folder, and from there into an empty installation."""

from collections.abc import Coroutine
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import orjson
import typer

from runtime import logs
from runtime.backup.manifest import Part
from runtime.cli import streams
from runtime.cli.databases import asked
from runtime.cli.exits import Exit
from runtime.cli.options import AmqpUrl, AsJson, Data, LedgerUrl
from runtime.settings import load

if TYPE_CHECKING:
    from runtime.backup.manifest import Manifest
    from runtime.backup.restoring import Restored

T = TypeVar("T")

NewFolder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that is not there yet, or empty.")]
Folder = Annotated[Path, typer.Argument(metavar="FOLDER", help="A folder that copydesk backup filled.")]
Only = Annotated[Part | None, typer.Option(help="Restore this part alone: the other one is still there.")]
Check = Annotated[bool, typer.Option("--check", help="Compare all files with their checksums, and restore nothing.")]


def register(app: typer.Typer) -> None:
    """Adds the commands of this module to `app`."""
    app.command()(backup)
    app.command()(restore)


def backup(
    folder: NewFolder,
    amqp_url: AmqpUrl = None,
    ledger_url: LedgerUrl = None,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Copy broker and ledger into a folder, while processes run. It holds all texts and the secrets of webhooks.

    Copies RabbitMQ and the ledger's database if their URLs are set, else the data folder.
    """
    from runtime.backup.saving import save

    settings = load({"amqp_url": amqp_url, "ledger_url": ledger_url, "data": data})
    logs.silence()
    _tell(_reached(save(settings, folder)), as_json=as_json)


def restore(
    folder: Folder,
    amqp_url: AmqpUrl = None,
    ledger_url: LedgerUrl = None,
    data: Data = None,
    only: Only = None,
    check: Check = False,
    as_json: AsJson = False,
) -> None:
    """Fill an empty broker and an empty ledger from a backup. No process of Copydesk may run meanwhile.

    The exit code is 1 if documents without a verdict are to be posted again; their ids are printed.
    """
    from runtime.backup.folder import opened
    from runtime.backup.restoring import restore as restored

    settings = load({"amqp_url": amqp_url, "ledger_url": ledger_url, "data": data})
    logs.silence()
    if check:
        _tell(opened(folder), as_json=as_json)
        return
    _tell_restored(_reached(restored(settings, folder, only)), as_json=as_json)


def _reached(done: Coroutine[Any, Any, T]) -> T:
    """Returns what `done` returns; ends the command if broker or database cannot be reached."""
    from contract.broker import BrokerUnavailable

    try:
        return asked(done)
    except BrokerUnavailable as error:
        streams.tell(f"copydesk: {error}")
        raise typer.Exit(Exit.UNREACHABLE) from None


def _tell(manifest: "Manifest", *, as_json: bool) -> None:
    if as_json:
        streams.put(orjson.dumps(manifest).decode())
        return
    size = sum(file.bytes for file in manifest.files.values())
    streams.put(f"{len(manifest.files)} files, {size:,} bytes, of {manifest.made_at}")
    streams.put(f"broker: {manifest.broker}; ledger: {manifest.ledger or 'none'}")
    for stream, record in manifest.records.items():
        until = "" if record.last is None else f", up to offset {record.last}"
        streams.put(f"{stream}: {record.entries:,} entries{until}")


def _tell_restored(restored: "Restored", *, as_json: bool) -> None:
    if as_json:
        streams.put(orjson.dumps(restored).decode())
    else:
        _tell(restored.manifest, as_json=False)
        streams.put(f"{restored.again:,} documents without a verdict wait in their queues again")
        for run in restored.lost:
            streams.put(f"post again: {run.rpartition('.')[0]}")
    if restored.lost:
        raise typer.Exit(Exit.SOME_FAILED)
