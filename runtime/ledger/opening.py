"""Opens the parts of the ledger that a process needs, by its settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.ledger import LedgerUnavailable
from contract.metrics import Metrics
from contract.tracing import Tracer
from runtime.errors import StartError
from runtime.ledger import schema
from runtime.ledger.callbacks import SqlCallbacks
from runtime.ledger.consumers import SqlConsumerBook
from runtime.ledger.database import LedgerUnusable, ledger_url, open_engine
from runtime.ledger.deliveries import SqlDeliveries
from runtime.ledger.expiry import ExpiryLimits
from runtime.ledger.keys import SqlKeyBook
from runtime.ledger.queries import SqlLedger
from runtime.ledger.quotas import SqlCounter
from runtime.ledger.recorder import RecordedBroker, Recorder, RecorderLimits
from runtime.ledger.replays import SqlReplays
from runtime.ledger.retention import RetentionLimits
from runtime.ledger.signatures import SqlSignatures
from runtime.ledger.webhooks import SqlWebhookBook
from runtime.settings import LEDGER_FILE, Settings

_WORKER_CONNECTIONS = 2  # chosen: a look takes milliseconds, and a hundred workers are as many as PostgreSQL takes
_CONSUMER_CONNECTIONS = 2  # chosen: a commit takes milliseconds, and few are made at once

log = structlog.get_logger(__name__)


async def make_own(settings: Settings) -> None:
    """Creates or upgrades the ledger in the embedded broker's folder. Does nothing if a ledger URL is set.

    Raises:
        StartError: the file cannot be used.
    """
    url = settings.ledger()
    if settings.ledger_url is not None or url is None:
        return
    try:
        await schema.upgrade(ledger_url(url))
    except LedgerUnavailable as error:
        cause = error.cause if isinstance(error, LedgerUnusable) else error
        raise StartError(
            f"the ledger {settings.data / LEDGER_FILE} cannot be used ({cause}); "
            "you may delete it: it is rebuilt, but for API keys, consumers, webhooks, replays and callbacks"
        ) from None


@asynccontextmanager
async def open_ledger(url: str) -> AsyncIterator[SqlLedger]:
    """Opens the ledger for look-ups. The process starts even if the database is unavailable.

    Raises:
        StartError: its tables are of another version, or it cannot be used until a person repairs it.
    """
    engine = open_engine(ledger_url(url))
    try:
        await _check(engine, writes=False, hint="look-ups answer 503 until it is back")
        yield SqlLedger(engine)
    finally:
        await engine.dispose()


@dataclass(frozen=True, slots=True)
class Keys:
    """The API keys of the ledger. `counter` counts for all replicas; None on SQLite, which one process uses."""

    book: SqlKeyBook
    counter: SqlCounter | None


@asynccontextmanager
async def open_keys(url: str) -> AsyncIterator[Keys]:
    """Opens the API keys of the ledger. The process starts even if the database is unavailable.

    Raises:
        StartError: as `open_ledger`.
    """
    where = ledger_url(url)
    is_shared = where.get_backend_name() != "sqlite"
    engine = open_engine(where, writes=is_shared)  # SQLite would lock the file for each reading
    try:
        await _check(engine, writes=False, hint="API keys of the ledger are refused until it is back")
        yield Keys(SqlKeyBook(engine), SqlCounter(engine) if is_shared else None)
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_consumers(url: str) -> AsyncIterator[SqlConsumerBook]:
    """Opens the named consumers of the ledger. The process starts even if the database is unavailable.

    Raises:
        StartError: as `open_ledger`.
    """
    engine = open_engine(ledger_url(url), most=_CONSUMER_CONNECTIONS)
    try:
        await _check(engine, writes=False, hint="requests for consumers are answered 503 until it is back")
        yield SqlConsumerBook(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_webhooks(url: str) -> AsyncIterator[tuple[SqlWebhookBook, SqlReplays]]:
    """Opens webhooks and replays of the ledger for the API. The process starts even if the database is unavailable.

    Raises:
        StartError: as `open_ledger`.
    """
    engine = open_engine(ledger_url(url))
    try:
        await _check(engine, writes=False, hint="requests about webhooks and replays answer 503 until it is back")
        yield SqlWebhookBook(engine), SqlReplays(engine, engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_deliveries(settings: Settings) -> AsyncIterator[tuple[SqlDeliveries, SqlReplays, SqlCallbacks]]:
    """Opens what the role `deliver` stores. The process starts even if the database is unavailable.

    Raises:
        StartError: as `open_ledger`, or there is no URL.
    """
    url = settings.ledger()
    if url is None:
        raise StartError("deliver needs a database: set COPYDESK_LEDGER_URL")
    where = ledger_url(url)
    reader, writer = open_engine(where), open_engine(where, writes=True)
    try:
        await _check(reader, writes=False, hint="deliveries wait until it is back")
        yield (
            SqlDeliveries(reader, writer, alone=settings.ledger_url is None),
            SqlReplays(reader, writer),
            SqlCallbacks(reader, writer),
        )
    finally:
        await reader.dispose()
        await writer.dispose()


@asynccontextmanager
async def open_signatures(url: str) -> AsyncIterator[SqlSignatures]:
    """Opens the ledger for looks at signatures. Nothing is checked: whoever asks goes on without an answer."""
    engine = open_engine(ledger_url(url), most=_WORKER_CONNECTIONS)
    try:
        yield SqlSignatures(engine)
    finally:
        await engine.dispose()


@asynccontextmanager
async def open_recorder(
    settings: Settings, broker: RecordedBroker, metrics: Metrics, tracer: Tracer
) -> AsyncIterator[Recorder]:
    """Opens the recorder of `broker`. In the embedded broker's folder there can be no other recorder.

    Raises:
        StartError: there is no URL, or it is invalid.
    """
    url = settings.ledger()
    if url is None:
        raise StartError("record needs a database: set COPYDESK_LEDGER_URL")
    retention = RetentionLimits(keep_days=settings.ledger_keep_days, keep_bytes=settings.ledger_keep_bytes)
    where = ledger_url(url)
    engine = open_engine(where, writes=True)
    own_file = where if settings.ledger_url is None else None
    keep = None if settings.amqp_url is None else timedelta(days=settings.log_days)  # the embedded log keeps a number
    limits = RecorderLimits(retention=retention, expiry=ExpiryLimits(keep=keep))
    try:
        await _check(engine, writes=True, hint="it is tried again")
        yield Recorder(broker, engine, metrics=metrics, limits=limits, own_file=own_file, tracer=tracer)
    finally:
        await engine.dispose()


async def _check(engine: AsyncEngine, *, writes: bool, hint: str) -> None:
    """Checks that a database can be used; with `writes`, that it can be written. An unavailable one is only logged."""
    try:
        await schema.check(engine)
        if writes:
            await schema.check_writable(engine)
    except LedgerUnusable as error:
        raise StartError(f"the ledger's database cannot be used: {error}") from None
    except LedgerUnavailable as error:
        log.warning("ledger_unavailable", detail=str(error), hint=hint)
