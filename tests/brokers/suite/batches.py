"""The ends of batches, in the record of acceptances, and the announcement that a batch is completed."""

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from contract.accepted import Accepted
from contract.batches import BatchClosed, BatchCounts, BatchSink, CompletedBatch
from contract.codec import decode_acceptances, encode
from contract.events import batch_completed
from contract.streams import Stream
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.handlers import Recorder
from tests.brokers.suite.records import at_least, decoded, follow, to_the_end
from tests.brokers.suite.steps import consume_until

if TYPE_CHECKING:
    from contract.requests import RequestSink

CLOSED = BatchClosed(closed_batch="5b6d7e8f-0a1b-5c3d-8e5f-6a7b8c9d0e1f", at=samples.NOW, owner="desk", name="import")


class Batches:
    """What a broker does for batches."""

    async def test_the_end_of_a_batch_is_on_record_where_it_was_confirmed(self, backend: Backend) -> None:
        first, second = (replace(job, batch="import") for job in samples.jobs(2))
        async with backend.broker() as broker:
            await broker.put(first)
            await cast("BatchSink", broker).close_batch(CLOSED)
            await broker.put(second)
        async with backend.broker() as broker:
            entries = decoded(await follow(broker, Stream.ACCEPTED, at_least(3)), decode_acceptances)
        assert [entry.batch if isinstance(entry, Accepted) else entry for entry in entries] == [
            "import",
            CLOSED,
            "import",
        ]

    async def test_a_worker_gets_no_more_and_no_less_than_the_documents(self, backend: Backend) -> None:
        job, recorder = replace(samples.job(), batch="import"), Recorder(1)
        async with backend.broker() as broker:
            await cast("BatchSink", broker).close_batch(CLOSED)
            await broker.put(job)
            await consume_until(broker, recorder)
        assert recorder.jobs == [job]

    async def test_a_completed_batch_is_announced_in_the_log(self, backend: Backend) -> None:
        counts = BatchCounts(accepted=2, processed=1, failed=1, erased=0)
        event = batch_completed(
            CompletedBatch(id="b", name="import", closed=samples.NOW, completed=samples.NOW, counts=counts)
        )
        async with backend.broker() as broker:
            await cast("RequestSink", broker).announce(event)
            entries = await follow(broker, Stream.LOG, to_the_end)
        assert [(entry.routing_key, entry.body) for entry in entries] == [("batch.completed", encode(event))]
