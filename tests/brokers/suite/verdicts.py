"""The effects of verdicts: events and dead letters."""

from contract.codec import encode
from contract.reasons import Reason
from contract.verdicts import Bury, Publish
from tests.brokers import samples
from tests.brokers.suite.backend import Backend, DeadLetter
from tests.brokers.suite.handlers import Recorder
from tests.brokers.suite.steps import assert_nothing_waits, consume_until, decide_new, subjects, take


class Verdicts:
    """Events and dead letters."""

    async def test_published_is_in_the_log_and_gone_from_the_queue(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            (document_id,) = await decide_new(broker)
        async with backend.broker() as broker:
            assert subjects(await take(broker, 1)) == [document_id]
            await assert_nothing_waits(broker)

    async def test_the_log_keeps_bytes_and_routing_key(self, backend: Backend) -> None:
        job = samples.job()
        event = samples.processed(job, host="news.example.org")
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, Recorder(1, lambda _: Publish(event)))
            (entry,) = await take(broker, 1)
        assert entry.body == encode(event)
        assert entry.routing_key == "processed.en.org.example.news"

    async def test_buried_is_in_the_log_and_among_the_dead(self, backend: Backend) -> None:
        job = samples.job()
        event = samples.failed(job.id, Reason.PARSER_CRASH)
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, Recorder(1, lambda _: Bury(event, "signal 11")))
            (entry,) = await take(broker, 1)
            await assert_nothing_waits(broker)
        assert (entry.routing_key, entry.body) == (event.routing_key, encode(event))
        assert await backend.dead() == [DeadLetter(encode(job), "signal 11", job.id)]

    async def test_burying_without_an_event_writes_no_log(self, backend: Backend) -> None:
        await backend.inject(b"\xfe nothing", None)
        async with backend.broker() as broker:
            await consume_until(broker, Recorder(1, lambda _: Bury(None, "undecodable")))
            (document_id,) = await decide_new(broker)
            assert subjects(await take(broker, 1)) == [document_id]
        assert await backend.dead() == [DeadLetter(b"\xfe nothing", "undecodable", None)]
