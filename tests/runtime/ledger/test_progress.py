"""How far the readers of the log have come, as `copydesk doctor` sees it."""

from datetime import UTC, datetime

from sqlalchemy import insert, update
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.consumers import Consumer
from contract.ledger import RECORDING_MARGIN_S
from contract.streams import Stream
from runtime.ledger.consumers import SqlConsumerBook
from runtime.ledger.progress import LogProgress, Reader, log_progress
from runtime.ledger.tables import places, recorder

NOW = datetime(2026, 11, 29, tzinfo=UTC)


async def test_everybody_who_reads_the_log_is_named(engine: AsyncEngine) -> None:
    assert await log_progress(engine) == LogProgress(None, [])
    await SqlConsumerBook(engine).add(Consumer(owner="ann", name="archive", offset=7, created_at=NOW), at_most=9)
    async with engine.begin() as connection:
        for stream, place in ((Stream.LOG, 9), (Stream.ACCEPTED, 4)):
            await connection.execute(insert(places).values(stream=stream, place=place))
        await connection.execute(update(recorder).values(recorded_ms=(NOW.timestamp() - RECORDING_MARGIN_S) * 1000))
    assert await log_progress(engine) == LogProgress(
        NOW, [Reader("the recorder", 9), Reader("the consumer archive of ann", 7)]
    )
