"""The record of acceptances on RabbitMQ, and the audit that is computed from it."""

import asyncio
import time
from typing import cast

import aio_pika
import pytest

from contract.batches import BatchClosed, BatchSink
from contract.broker import BrokerError, BrokerUnavailable, UnknownOffset
from contract.job import Lane
from contract.labels import SessionRole
from contract.topology import ACCEPTED, ATTEMPTS, LOG, PREVIEWS, lane_queue
from runtime.audit import AuditLimits, Balance, Books
from runtime.auditor import Auditor
from runtime.brokers.rabbit.audit import RabbitAudit
from runtime.brokers.rabbit.log import standing
from runtime.brokers.rabbit.session import Session
from tests.brokers import samples
from tests.brokers.rabbit_backend import QUICK, RabbitBackend, declare
from tests.brokers.suite import Recorder, consume_until, put_all

pytestmark = pytest.mark.rabbit


def auditor(rabbit: RabbitBackend) -> Auditor:
    limits = AuditLimits(max_run_s=0, hold_s=0)
    return Auditor(lambda: RabbitAudit(rabbit.url, rabbit.topology, QUICK), limits, time.time)


def counts(balance: Balance) -> tuple[int, int, int, int]:
    return balance.accepted, balance.decided, balance.in_flight, balance.missing


async def test_concurrent_puts_are_each_recorded_once_in_few_messages(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        await asyncio.gather(*(broker.put(job) for job in samples.jobs(200)))
    books = Books(AuditLimits(max_run_s=1000, hold_s=0))
    await RabbitAudit(rabbit.url, rabbit.topology, QUICK).update(books)
    assert len(books.undecided) == 200
    session = Session(rabbit.url, SessionRole.READER, QUICK)
    await session.open()
    assert len([entry async for entry in standing(session, ACCEPTED, -1)]) < 100
    await session.aclose()


async def test_an_auditor_reads_on_from_where_it_was(rabbit: RabbitBackend) -> None:
    audit = auditor(rabbit)
    async with rabbit.broker() as broker:
        await put_all(broker, samples.jobs(3))
        await consume_until(broker, Recorder(3))
        assert counts(await audit.balance()) == (3, 3, 0, 0)
        await put_all(broker, samples.jobs(2))
        assert (await audit.balance()).accepted == 5
        await consume_until(broker, Recorder(2))
        assert counts(await audit.balance()) == (5, 5, 0, 0)


async def test_the_end_of_a_batch_is_no_document(rabbit: RabbitBackend) -> None:
    audit = auditor(rabbit)
    async with rabbit.broker() as broker:
        await put_all(broker, samples.jobs(2))
        await cast("BatchSink", broker).close_batch(BatchClosed(closed_batch="b", at=samples.NOW, name="import"))
        await consume_until(broker, Recorder(2))
        assert counts(await audit.balance()) == (2, 2, 0, 0)


async def test_a_refused_document_is_not_on_record(rabbit: RabbitBackend) -> None:
    async with rabbit.channel() as channel:
        await declare(channel, rabbit.topology)
        await channel.queue_delete(lane_queue(Lane.INTERACTIVE))
    async with rabbit.broker() as broker:
        async with rabbit.channel() as channel:
            await broker.put(samples.job())
            await channel.queue_delete(lane_queue(Lane.INTERACTIVE))
        with pytest.raises(BrokerError):
            await broker.put(samples.job())
    books = Books(AuditLimits(max_run_s=1000, hold_s=0))
    async with rabbit.channel() as channel:
        await declare(channel, rabbit.topology)
    await RabbitAudit(rabbit.url, rabbit.topology, QUICK).update(books)
    assert len(books.undecided) == 1


async def test_a_document_that_cannot_be_recorded_is_not_accepted(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        await broker.put(samples.job())
        async with rabbit.channel() as channel:
            await channel.queue_delete(ACCEPTED)
        with pytest.raises(BrokerUnavailable):
            await broker.put(samples.job())


async def test_foreign_messages_in_the_streams_do_not_stop_the_audit(rabbit: RabbitBackend) -> None:
    async with rabbit.broker() as broker:
        await broker.put(samples.job())
        async with rabbit.channel() as channel:
            for stream in (ACCEPTED, LOG):
                await channel.default_exchange.publish(aio_pika.Message(b"?"), stream)
        await consume_until(broker, Recorder(1))
    balance = await auditor(rabbit).balance()
    assert counts(balance) == (1, 1, 0, 0)
    assert balance.unreadable == 1


async def test_previews_and_records_of_attempts_are_no_documents_in_flight(rabbit: RabbitBackend) -> None:
    gone = [samples.job() for _ in range(3)]
    async with rabbit.broker() as broker:
        await put_all(broker, gone)
        async with rabbit.channel() as channel:
            for name in (PREVIEWS, ATTEMPTS):
                await channel.default_exchange.publish(aio_pika.Message(b"?"), name)
            await (await channel.get_queue(lane_queue(Lane.INTERACTIVE))).purge()  # these are lost
            async with asyncio.timeout(60):  # a stream counts a message late
                while not (await channel.get_queue(ATTEMPTS)).declaration_result.message_count:  # noqa: ASYNC110
                    await asyncio.sleep(0.1)
        balance = await auditor(rabbit).balance()
    assert (balance.in_flight, balance.missing) == (0, len(gone))


async def test_a_missing_queue_is_named(rabbit: RabbitBackend) -> None:
    async with rabbit.channel() as channel:
        await declare(channel, rabbit.topology)
        await channel.queue_delete(lane_queue(Lane.BULK))
    with pytest.raises(BrokerUnavailable, match=r"no queue 'copydesk.intake.bulk'.*copydesk topology"):
        await auditor(rabbit).balance()


async def test_an_auditor_whose_place_in_the_log_is_gone_begins_anew(rabbit: RabbitBackend) -> None:
    sources: list[RabbitAudit] = []

    class Once(RabbitAudit):
        async def update(self, books: Books):  # type: ignore[no-untyped-def] # noqa: ANN202 - as its base
            if len(sources) == 1 and self._logged is not None:
                raise UnknownOffset("retention")
            return await super().update(books)

    def make() -> RabbitAudit:
        sources.append(Once(rabbit.url, rabbit.topology, QUICK))
        return sources[-1]

    audit = Auditor(make, AuditLimits(max_run_s=0, hold_s=0), time.time)
    async with rabbit.broker() as broker:
        await broker.put(samples.job())
        await consume_until(broker, Recorder(1))
        for _ in range(2):
            assert counts(await audit.balance()) == (1, 1, 0, 0)
    assert len(sources) == 2


async def made_again(rabbit: RabbitBackend, *streams: str) -> None:
    """Deletes streams, and declares them again."""
    async with rabbit.channel() as channel:
        for stream in streams:
            await channel.queue_delete(stream)
        await declare(channel, rabbit.topology)


async def decided_with(rabbit: RabbitBackend, count: int) -> None:
    """Has so many new documents accepted and decided."""
    async with rabbit.broker() as broker:
        await put_all(broker, samples.jobs(count))
        await consume_until(broker, Recorder(count))


async def test_a_log_that_is_made_again_lacks_the_verdicts_of_before(rabbit: RabbitBackend) -> None:
    await decided_with(rabbit, 3)
    await made_again(rabbit, LOG)
    await decided_with(rabbit, 2)
    assert counts(await auditor(rabbit).balance()) == (5, 2, 0, 3)
    await made_again(rabbit, LOG, ACCEPTED)
    await decided_with(rabbit, 1)
    assert counts(await auditor(rabbit).balance()) == (1, 1, 0, 0)


@pytest.mark.parametrize("later", [1, 3, 5])
async def test_an_auditor_notices_that_the_streams_were_made_again(rabbit: RabbitBackend, later: int) -> None:
    audit = auditor(rabbit)
    await decided_with(rabbit, 3)
    assert counts(await audit.balance()) == (3, 3, 0, 0)
    await made_again(rabbit, LOG, ACCEPTED)
    await decided_with(rabbit, later)
    assert counts(await audit.balance()) == (later, later, 0, 0)
