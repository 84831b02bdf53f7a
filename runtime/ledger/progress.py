"""How far everybody who reads the log has come, as the ledger has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.ledger import RECORDING_MARGIN_S
from contract.streams import Stream
from runtime.ledger.database import translated
from runtime.ledger.tables import consumers, places, recorder, webhooks
from runtime.ledger.times import maybe_time_of

_MARGIN = timedelta(seconds=RECORDING_MARGIN_S)  # the recorder takes it off what it has read, for clocks that differ


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads the log, and the offset up to which it has; -1 before all."""

    name: str
    offset: int


@dataclass(frozen=True, slots=True)
class LogProgress:
    """The record of acceptances is read up to `recorded_at`, None if it never was. `readers` have read so far."""

    recorded_at: datetime | None
    readers: Sequence[Reader]


async def log_progress(engine: AsyncEngine) -> LogProgress:
    """Returns how far the recorder, the named consumers and the enabled webhooks have come.

    Raises:
        LedgerUnavailable: the database cannot be asked.
    """
    named = select(consumers.c.owner, consumers.c.name, consumers.c.place).order_by(consumers.c.place)
    enabled = select(webhooks.c.id, webhooks.c.place).where(webhooks.c.enabled).order_by(webhooks.c.place)
    with translated():
        async with engine.connect() as connection:
            recorded_ms = (await connection.execute(select(recorder.c.recorded_ms))).scalar()
            recorded = (await connection.execute(select(places.c.place).where(places.c.stream == Stream.LOG))).scalars()
            readers = [Reader("the recorder", place) for place in recorded]
            readers += [
                Reader(f"the consumer {it.name} of {it.owner}" if it.owner else f"the consumer {it.name}", it.place)
                for it in await connection.execute(named)
            ]
            readers += [Reader(f"the webhook {it.id}", it.place) for it in await connection.execute(enabled)]
    recorded_at = maybe_time_of(recorded_ms)
    return LogProgress(recorded_at + _MARGIN if recorded_at else None, readers)
