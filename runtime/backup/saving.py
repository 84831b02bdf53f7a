"""Writes a backup: first the ledger, then the records, and the log last.

A document that was accepted before the record of acceptances was read has its verdict in the log, or had none yet.
"""

from contextlib import aclosing
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from contract.streams import Stream
from contract.timestamps import rfc3339
from contract.topology import Topology
from runtime.backup import folder as files
from runtime.backup import sqlite
from runtime.backup.entries import EntryWriter
from runtime.backup.folder import BackupError
from runtime.backup.manifest import BrokerKind, LedgerKind, Manifest, SavedRecord
from runtime.compressed import writing
from runtime.settings import Settings

_IN_ORDER = (Stream.ACCEPTED, Stream.ATTEMPTS, Stream.REQUESTS, Stream.LOG)


async def save(settings: Settings, folder: Path) -> Manifest:
    """Writes broker and ledger of these settings into the new folder `folder`, while processes may run.

    Raises:
        StartError: the folder is not empty, or what is to be saved cannot be used.
        BrokerUnavailable: RabbitMQ cannot be reached.
        LedgerUnavailable: the database cannot be asked.
    """
    made_at = rfc3339(datetime.now(UTC))
    url = settings.rabbit_url()
    if url is None and not (settings.data / files.BROKER_FILE).is_file():
        raise BackupError(f"there is no {settings.data / files.BROKER_FILE}: give --data of copydesk up, or --amqp-url")
    files.prepare(folder)
    ledger, ledger_version, tables = await _save_ledger(settings, folder)
    if url is None:
        sqlite.copy(settings.data / files.BROKER_FILE, folder / files.BROKER_FILE)
        kind, records = BrokerKind.EMBEDDED, dict[str, SavedRecord]()
    else:
        kind, records = BrokerKind.RABBITMQ, await _save_records(url, folder)
        _save_definitions(settings.topology(), folder)
    manifest = Manifest(
        copydesk=version("copydesk"),
        made_at=made_at,
        broker=kind,
        ledger=ledger,
        ledger_version=ledger_version,
        records=records,
        tables=tables,
        files=files.saved_files(folder),
    )
    files.finish(folder, manifest)
    return manifest


async def _save_ledger(settings: Settings, folder: Path) -> tuple[LedgerKind | None, str | None, dict[str, list[str]]]:
    url = settings.ledger()
    if url is None:
        return None, None, {}
    from runtime.ledger import copies, schema  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed
    from runtime.ledger.database import ledger_url, open_engine  # noqa: PLC0415 - as above

    where = ledger_url(url)
    if where.get_backend_name() != "sqlite":
        saved = await copies.save(where, lambda table: folder / files.table_file(table))
        return LedgerKind.POSTGRESQL, schema.VERSION, {table: list(columns) for table, columns in saved.items()}
    file = Path(str(where.database))
    if settings.ledger_url is None and not _is_there(file):
        return None, None, {}  # the embedded broker's ledger is rebuilt where it was deleted
    sqlite.copy(file, folder / files.LEDGER_FILE)
    engine = open_engine(where)
    try:
        return LedgerKind.SQLITE, await schema.version_of(engine), {}
    finally:
        await engine.dispose()


def _is_there(file: Path) -> bool:
    return file.exists()


async def _save_records(url: str, folder: Path) -> dict[str, SavedRecord]:
    from runtime.brokers.rabbit import copies  # noqa: PLC0415 - loads aio-pika, which is not always needed

    saved: dict[str, SavedRecord] = {}
    for stream in _IN_ORDER:
        with writing(folder / files.record_file(stream)) as file:
            writer = EntryWriter(file)
            async with aclosing(copies.entries(url, stream)) as entries:
                async for entry in entries:
                    writer.add(entry)
        saved[str(stream)] = writer.saved
    return saved


def _save_definitions(topology: Topology, folder: Path) -> None:
    from runtime.brokers.rabbit import definitions  # noqa: PLC0415 - as above

    (folder / files.DEFINITIONS_FILE).write_bytes(definitions.encoded(topology))
