"""Reads a backup into an empty installation, whose processes do not run.

The records come first: then it is known where each entry stands, and the ledger's places are moved there.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, aclosing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry

from contract.broker import BrokerUnavailable
from contract.job import Job
from contract.metrics import Metrics
from contract.streams import Stream
from runtime.backup import entries, sqlite
from runtime.backup import folder as files
from runtime.backup.folder import BackupError
from runtime.backup.jobs import undecided
from runtime.backup.manifest import BrokerKind, LedgerKind, Manifest, Part
from runtime.backup.offsets import Offsets, UpTo
from runtime.brokers.embedded.audit import last_offsets
from runtime.brokers.embedded.folder import locked
from runtime.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy import URL

_PUT_AT_ONCE = 100  # jobs; chosen, as many as share a publish timeout without hurry


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What was restored. `again` documents without a verdict were put again.

    `lost` are the runs without a verdict whose content is not kept.
    """

    manifest: Manifest
    again: int = 0
    lost: Sequence[str] = ()


async def restore(settings: Settings, folder: Path, only: Part | None) -> Restored:
    """Fills the empty broker and ledger of these settings from the backup in `folder`.

    Raises:
        StartError: the backup is damaged, or does not fit; a target holds something; or processes run on it.
        BrokerUnavailable: RabbitMQ cannot be reached, or was lost. What it has by then must be removed.
        LedgerUnavailable: the database cannot be asked. The same.
    """
    manifest = files.opened(folder)
    ledger = None if only is Part.BROKER or manifest.ledger is None else _ledger_of(settings, manifest)
    with ExitStack() as stack:
        if settings.amqp_url is None:
            stack.enter_context(locked(settings.data))
        if ledger is not None:
            await _check_ledger(ledger, manifest)
        restored, moves = Restored(manifest=manifest), dict[Stream, Offsets | UpTo]()
        if only is not Part.LEDGER:
            restored, moves = await _restore_broker(settings, folder, manifest)
        if ledger is not None:
            await _restore_ledger(ledger, folder, manifest)
        if moves and (url := settings.ledger()) is not None:
            await _move(_where(url), moves)
    return restored


def _where(url: str) -> "URL":
    from runtime.ledger.database import ledger_url  # noqa: PLC0415 - loads SQLAlchemy, which is not always needed

    return ledger_url(url)


def _file_of(where: "URL") -> Path:
    return Path(str(where.database))


def _ledger_of(settings: Settings, manifest: Manifest) -> "URL":
    """Returns the database to restore into.

    Raises:
        BackupError: there is none, or of the other kind.
    """
    url = settings.ledger()
    if url is None:
        raise BackupError("the backup holds a ledger: set COPYDESK_LEDGER_URL, or restore with --only broker")
    where = _where(url)
    if where.get_backend_name() != manifest.ledger:
        raise BackupError(
            f"the backup's ledger is of {manifest.ledger}, and COPYDESK_LEDGER_URL names another database"
        )
    return where


async def _check_ledger(where: "URL", manifest: Manifest) -> None:
    from runtime.ledger import copies, schema  # noqa: PLC0415 - as above

    version = manifest.ledger_version or ""
    if version > schema.VERSION:
        raise BackupError(f"the ledger's tables are of version {version}: restore with Copydesk {manifest.copydesk}")
    if manifest.ledger is LedgerKind.POSTGRESQL:
        if not await copies.is_empty(where, version):
            raise BackupError(f"the ledger's database is not empty, or has tables of another version than {version}")
    elif _file_of(where).exists():
        raise BackupError(f"{where.database} is there already: move it away")


async def _restore_ledger(where: "URL", folder: Path, manifest: Manifest) -> None:
    from runtime.ledger import copies, schema  # noqa: PLC0415 - as above

    if manifest.ledger is LedgerKind.POSTGRESQL:
        version = manifest.ledger_version or ""
        await copies.restore(where, version, manifest.tables, lambda table: folder / files.table_file(table))
        return
    sqlite.put_in_place(folder / files.LEDGER_FILE, _file_of(where))
    await schema.upgrade(where)


async def _move(where: "URL", moves: Mapping[Stream, Offsets | UpTo]) -> None:
    """Moves the places of a ledger that was restored, or was still there."""
    from runtime.ledger import copies, schema  # noqa: PLC0415 - as above

    if where.get_backend_name() == "sqlite" and not _file_of(where).exists():
        return
    await schema.upgrade(where)
    await copies.move(where, moves)


async def _restore_broker(
    settings: Settings, folder: Path, manifest: Manifest
) -> tuple[Restored, dict[Stream, Offsets | UpTo]]:
    url = settings.rabbit_url()
    if (manifest.broker is BrokerKind.RABBITMQ) is (url is None):
        raise BackupError(f"the backup's broker is {manifest.broker}, and COPYDESK_AMQP_URL says otherwise")
    if url is None:
        target = settings.data / files.BROKER_FILE
        if target.exists():
            raise BackupError(f"{target} is there already: move it away")
        sqlite.put_in_place(folder / files.BROKER_FILE, target)
        return Restored(manifest=manifest), {stream: UpTo(last) for stream, last in last_offsets(target).items()}
    await _declare(url, settings)
    moves: dict[Stream, Offsets | UpTo] = {}
    for stream in Stream:
        moves[stream] = await restore_record(url, stream, folder / files.record_file(stream))
    found = undecided(*(entries.read(folder / files.record_file(it)) for it in (Stream.ACCEPTED, Stream.LOG)))
    await _put(url, settings, found.jobs)
    return Restored(manifest=manifest, again=len(found.jobs), lost=found.lost), moves


async def _declare(url: str, settings: Settings) -> None:
    """Declares the topology. Raises `BackupError` if a record holds something, or the topology differs."""
    from runtime.brokers.rabbit import copies, setup  # noqa: PLC0415 - loads aio-pika, which is not always needed

    try:
        await setup.declare_topology(url, settings.topology())
    except setup.TopologyMismatch as mismatch:
        raise BackupError(f"the broker has another topology: {mismatch}") from None
    for stream in Stream:
        if not await copies.is_empty(url, stream):
            raise BackupError(
                f"{stream} is not empty on the broker: restore to a new virtual host, or delete its queues"
            )


async def restore_record(url: str, stream: Stream, file: Path) -> Offsets:
    """Writes a record, reads it again, and returns where each entry stands."""
    from runtime.brokers.rabbit import copies  # noqa: PLC0415 - as above

    await copies.write(url, stream, entries.read(file))
    offsets, saved = Offsets(), entries.read(file)
    async with aclosing(copies.entries(url, stream)) as found:
        async for entry in found:
            same = next(saved, None)
            if same is None or same.body != entry.body:
                raise BackupError(
                    f"{stream} does not hold what was written: another process writes, or its limits are low"
                )
            offsets.add(same.offset, entry.offset)
    if next(saved, None) is not None:
        raise BackupError(f"{stream} does not hold all that was written: its limits are low")
    return offsets


async def _put(url: str, settings: Settings, jobs: Sequence[Job]) -> None:
    from runtime.brokers.rabbit import RabbitBroker  # noqa: PLC0415 - as above

    if not jobs:
        return
    async with RabbitBroker(url, metrics=Metrics(CollectorRegistry()), topology=settings.topology()) as broker:
        for begin in range(0, len(jobs), _PUT_AT_ONCE):
            for outcome in await broker.put_many(jobs[begin : begin + _PUT_AT_ONCE]):
                if outcome is not None:
                    raise BrokerUnavailable(f"a document was not put again: {outcome}")
