"""The suite on the embedded broker, and the promises of this broker alone."""

import asyncio
import resource
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from contract.broker import Broker, BrokerFull, BrokerUnavailable, Delivery, UnknownOffset
from contract.capacity import Capacity
from contract.codec import decode_job, encode
from contract.dead import Handled
from contract.job import Job, Kind, Lane
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.streams import Stream
from contract.verdicts import Bury, Defer, Publish, Retry, Verdict
from runtime.brokers.embedded import EmbeddedBroker, EmbeddedLimits, FolderError, FolderInUseError, tables
from runtime.brokers.embedded.disk import DiskRefused
from tests.brokers import samples
from tests.brokers.suite import (
    BrokerSuite,
    DeadLetter,
    Gate,
    Recorder,
    assert_nothing_waits,
    bury_many,
    consume_until,
    consuming,
    crash_holding,
    decide_new,
    everything,
    put_all,
    subjects,
    take,
)
from tests.workers.test_worker import worker
from workers.failures import Failed


class EmbeddedBackend:
    """A data folder."""

    delays_s: Sequence[float] = (0.2, 0.6)
    delivery_limit = 2

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.metrics = Metrics(CollectorRegistry())

    def broker(self, **kwargs: Any) -> AbstractAsyncContextManager[Broker]:  # noqa: ANN401 - as in the suite
        options = {
            "limits": EmbeddedLimits(give_back_delay_s=0.05, disk_pause_s=0.02, preview_wait_s=5.0),
            "delivery_limit": self.delivery_limit,
            "metrics": self.metrics,
        }
        return EmbeddedBroker(self.folder, **{**options, **kwargs})

    def unheld_bytes(self, _slots: int) -> int:
        return 0

    async def crash(self, broker: Broker) -> None:
        assert isinstance(broker, EmbeddedBroker)
        await broker._scope.aclose()  # the file has only committed changes, and no more follow

    async def inject(self, body: bytes, message_id: str | None) -> None:
        async with self.broker():
            pass  # makes the file
        message = tables.Message(message_id=message_id, lane=Lane.INTERACTIVE, due=0.0, body=body)
        with closing(self.connect()) as db, db:
            tables.insert(db, message)

    async def dead(self) -> list[DeadLetter]:
        with closing(self.connect()) as db:
            rows = db.execute("SELECT body, cause, message_id FROM dead ORDER BY seq")
            return [DeadLetter(*row) for row in rows]

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.folder / "copydesk.db")

    async def until_refused(self, count: int) -> None:
        """Waits until the disk has refused that many commits more than now."""
        goal = (self.sample("copydesk_disk_refusals_total") or 0) + count
        while (self.sample("copydesk_disk_refusals_total") or 0) < goal:  # noqa: ASYNC110 - a counter
            await asyncio.sleep(0.01)

    def sample(self, name: str, **labels: str) -> float | None:
        return self.metrics.registry.get_sample_value(name, labels)


@pytest.fixture
def backend(tmp_path: Path) -> EmbeddedBackend:
    return EmbeddedBackend(tmp_path / "data")


class TestEmbedded(BrokerSuite):
    """The suite."""


@contextmanager
def full_disk(free_bytes: int = 0) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Lets no file of this process grow beyond `free_bytes`, as a full disk would not.

    Yields what is logged: pytest keeps that in a file.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with capture_logs() as logs:
        resource.setrlimit(resource.RLIMIT_FSIZE, (free_bytes, hard))
        try:
            yield logs
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# the folder


async def test_a_second_broker_on_a_folder_is_refused_by_name(backend: EmbeddedBackend) -> None:
    async with backend.broker():
        with pytest.raises(FolderInUseError, match=str(backend.folder)):
            async with backend.broker():
                pass
    async with backend.broker() as broker:
        assert await broker.ready()


async def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(FolderError, match=f"data folder {tmp_path}"):
        async with EmbeddedBackend(tmp_path / "data").broker():
            pass


async def test_a_file_that_is_no_database_is_reported_and_not_changed(backend: EmbeddedBackend) -> None:
    backend.folder.mkdir()
    (backend.folder / "copydesk.db").write_bytes(b"precious" * 1000)
    with pytest.raises(BrokerUnavailable, match=r"copydesk\.db"):
        async with backend.broker():
            pass
    assert (backend.folder / "copydesk.db").read_bytes() == b"precious" * 1000


async def test_tables_of_another_version_are_refused(backend: EmbeddedBackend) -> None:
    async with backend.broker():
        pass
    with closing(backend.connect()) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(BrokerUnavailable, match="version 99"):
        async with backend.broker():
            pass


async def test_a_closed_broker_says_so(backend: EmbeddedBackend) -> None:
    async with backend.broker() as broker:
        await broker.put(samples.job())
    assert not await broker.ready()
    with pytest.raises(BrokerUnavailable):
        await broker.put(samples.job())


async def test_closing_ends_readers_and_consumers(backend: EmbeddedBackend) -> None:
    async with asyncio.TaskGroup() as group:
        async with backend.broker() as broker:
            await decide_new(broker)
            consumer = group.create_task(
                _outcome(broker.consume(Recorder(1), capacity=Capacity(slots=2), stop=asyncio.Event()))
            )
            reader = group.create_task(_outcome(take(broker, 2)))
            await asyncio.sleep(0.05)  # both wait by now
        assert isinstance(await consumer, BrokerUnavailable)
        assert isinstance(await reader, BrokerUnavailable)


# limits


async def test_a_lane_at_its_limit_of_jobs_refuses(backend: EmbeddedBackend) -> None:
    async with backend.broker(limits=EmbeddedLimits(max_jobs=2)) as broker:
        await put_all(broker, samples.jobs(2, Lane.BULK))
        with pytest.raises(BrokerFull):
            await broker.put(samples.job(Lane.BULK))
        await broker.put(samples.job())
        await consume_until(broker, Recorder(3))
        await broker.put(samples.job(Lane.BULK))


async def test_a_lane_at_its_limit_of_bytes_refuses(backend: EmbeddedBackend) -> None:
    job = samples.job()
    async with backend.broker(limits=EmbeddedLimits(max_bytes=2 * len(encode(job)))) as broker:
        await put_all(broker, [job, job])
        with pytest.raises(BrokerFull):
            await broker.put(job)
    async with backend.broker(limits=EmbeddedLimits(max_bytes=3 * len(encode(job)))) as broker:
        await broker.put(job)
        with pytest.raises(BrokerFull):
            await broker.put(job)


async def test_a_refusal_leaves_puts_of_the_same_commit_alone(backend: EmbeddedBackend) -> None:
    async with backend.broker(limits=EmbeddedLimits(max_jobs=5)) as broker:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_outcome(broker.put(samples.job()))) for _ in range(12)]
        outcomes = [task.result() for task in tasks]
        recorder = Recorder(5)
        await consume_until(broker, recorder)
    assert outcomes.count(None) == 5
    assert sum(isinstance(outcome, BrokerFull) for outcome in outcomes) == 7


async def test_an_operation_that_raises_leaves_nothing_behind(backend: EmbeddedBackend) -> None:
    def insert_and_raise(db: sqlite3.Connection) -> None:
        tables.insert(db, tables.Message(message_id=None, lane=Lane.BULK, due=0.0, body=b""))
        raise LookupError

    job, recorder = samples.job(), Recorder(1)
    async with EmbeddedBroker(backend.folder, metrics=backend.metrics) as broker:
        async with asyncio.TaskGroup() as group:
            group.create_task(broker.put(job))
            outcome = group.create_task(_outcome(broker._store.run(insert_and_raise)))
        assert isinstance(outcome.result(), LookupError)
        await consume_until(broker, recorder)
    assert recorder.ids == [job.id]


async def test_a_retry_is_never_refused(backend: EmbeddedBackend) -> None:
    job, seen = samples.job(), asyncio.Event()

    async def retry(_: Delivery) -> Verdict:
        seen.set()
        return Retry(samples.again(job), 3600, Reason.SERVER_ERROR)

    stop = asyncio.Event()
    async with backend.broker(limits=EmbeddedLimits(max_jobs=1)) as broker, asyncio.TaskGroup() as group:
        await broker.put(job)
        group.create_task(broker.consume(retry, capacity=Capacity(slots=1), stop=stop))
        await seen.wait()
        stop.set()
    assert backend.sample("copydesk_published_total", to="retry") == 1


async def test_retried_bulk_jobs_leave_the_last_slot_free_too(backend: EmbeddedBackend) -> None:
    urgent, back, interactive = samples.job(), Gate(1), Recorder(1)

    async def handle(delivery: Delivery) -> Verdict:
        job = decode_job(delivery.body)
        if job.lane is Lane.INTERACTIVE:
            return await interactive(delivery)
        if job.attempt == 1:
            return Retry(samples.again(job), 0.01, Reason.SERVER_ERROR)
        return await back(delivery)

    async with backend.broker() as broker:
        await put_all(broker, samples.jobs(3, Lane.BULK))
        async with consuming(broker, handle, slots=2):
            await back.full.wait()
            await broker.put(urgent)
            await interactive.done.wait()
            assert len(back.held) == 1
            back.opened.set()


async def test_closing_confirms_the_puts_that_are_under_way(backend: EmbeddedBackend) -> None:
    jobs, recorder = samples.jobs(20), Recorder(20)
    async with asyncio.TaskGroup() as group, backend.broker() as broker:
        for job in jobs:
            group.create_task(broker.put(job))
        await asyncio.sleep(0)  # each has asked by now
    async with backend.broker() as broker:
        await consume_until(broker, recorder)
    assert sorted(recorder.ids, key=str) == sorted(job.id for job in jobs)


async def test_an_id_that_waits_already_is_stored_again(backend: EmbeddedBackend) -> None:
    job, recorder = samples.job(), Recorder(2)
    async with backend.broker() as broker:
        await put_all(broker, [job, job])
        await consume_until(broker, recorder)
    assert recorder.jobs == [job, job]


# the log's retention


async def test_the_log_keeps_the_newest_and_never_reuses_an_offset(backend: EmbeddedBackend) -> None:
    async with backend.broker(limits=EmbeddedLimits(max_log_events=2)) as broker:
        ids = await decide_new(broker, 5)
        kept = await take(broker, 2)
        assert subjects(kept) == ids[3:]
        assert await take(broker, 2, after=kept[0].offset - 1) == kept
        with pytest.raises(UnknownOffset):
            await take(broker, 2, after=kept[0].offset - 2)
    async with backend.broker(limits=EmbeddedLimits(max_log_events=1)) as broker:
        await decide_new(broker)
        (entry,) = await take(broker, 1)
    assert entry.offset == kept[1].offset + 1


async def test_a_log_longer_than_a_page_is_read_whole(backend: EmbeddedBackend) -> None:
    jobs = samples.jobs(250)
    async with backend.broker() as broker:
        await put_all(broker, jobs)
        await consume_until(broker, Recorder(250), slots=16)
        entries = await take(broker, 250)
    assert sorted(subjects(entries)) == sorted(job.id for job in jobs)
    assert [entry.offset for entry in entries] == list(range(1, 251))


# faults


async def test_suspects_with_the_fewest_deliveries_go_first(backend: EmbeddedBackend) -> None:
    killer, other = samples.jobs(2)
    async with backend.broker() as broker:
        await broker.put(killer)
        await broker.put(other)
    for _ in range(2):
        await crash_holding(backend, 2)
    (held,) = await crash_holding(backend, 1)
    assert (held.message_id, held.deliveries) == (killer.id, 3)
    recorder = Recorder(2)
    async with backend.broker(delivery_limit=5) as broker:
        await consume_until(broker, recorder)
    assert [(delivery.message_id, delivery.deliveries) for delivery in recorder.seen] == [(other.id, 3), (killer.id, 4)]


async def test_a_waiting_suspect_does_not_delay_other_jobs(backend: EmbeddedBackend) -> None:
    suspect, other = samples.jobs(2)
    async with backend.broker() as broker:
        await broker.put(suspect)
    for _ in range(2):
        await crash_holding(backend, 1)
    recorder = Recorder(1)
    with closing(backend.connect()) as db, db:
        db.execute("UPDATE jobs SET due = due + 3600")
    async with backend.broker() as broker:
        await broker.put(other)
        await consume_until(broker, recorder)
    assert recorder.ids == [other.id]


async def test_a_full_disk_refuses_and_recovers(backend: EmbeddedBackend) -> None:
    before, after = samples.jobs(2)
    async with backend.broker() as broker:
        await broker.put(before)
        with full_disk():
            with pytest.raises(BrokerUnavailable, match="database"):
                await broker.put(samples.job())
            assert not await broker.ready()
        assert await broker.ready()
        await broker.put(after)
        recorder = Recorder(2)
        await consume_until(broker, recorder)
    assert recorder.ids == [before.id, after.id]


async def test_a_full_disk_does_not_affect_readers(backend: EmbeddedBackend) -> None:
    job = samples.job()

    async def followed(broker: EmbeddedBroker) -> list[int]:
        async with aclosing(broker.follow(Stream.ACCEPTED, -1)) as batches:
            return [entry.offset for entry in await anext(batches)]

    async with backend.broker() as broker:
        assert isinstance(broker, EmbeddedBroker)
        await broker.put(job)
        before = (await broker.log_bounds(), await broker.depths(), await broker.dead(everything))
        with full_disk():
            for _ in range(20):  # many at once share a batch with writes that are refused
                puts = asyncio.gather(*(broker.put(one) for one in samples.jobs(20)), return_exceptions=True)
                reads = [
                    asyncio.gather(broker.log_bounds(), broker.depths(), broker.dead(everything), followed(broker))
                    for _ in range(20)
                ]
                assert {type(result) for result in await puts} == {DiskRefused}
                for bounds, depths, dead, offsets in await asyncio.gather(*reads):
                    assert (bounds, depths.keys(), dead) == (before[0], before[1].keys(), before[2])
                    assert len(offsets) == 1


async def test_a_verdict_that_the_disk_refuses_is_carried_out_when_there_is_room(backend: EmbeddedBackend) -> None:
    job = samples.job()

    def decide(_: Delivery) -> Verdict:
        return Publish(samples.processed(samples.job(content="x" * 1_000_000)))

    recorder = Recorder(1, decide)
    async with backend.broker() as broker:
        await broker.put(job)
        async with consuming(broker, recorder, slots=2):
            with full_disk(400_000):
                await backend.until_refused(3)
            (entry,) = await take(broker, 1)
        await assert_nothing_waits(broker)
    assert len(entry.body) > 1_000_000
    assert recorder.ids == [job.id]  # the full disk caused no second delivery


async def test_a_consumer_waits_while_the_disk_is_full_and_goes_on_by_itself(backend: EmbeddedBackend) -> None:
    job, recorder = samples.job(), Recorder(1)
    async with backend.broker() as broker:
        await broker.put(job)
        with full_disk():
            async with asyncio.TaskGroup() as group:
                stop = asyncio.Event()
                consumer = group.create_task(broker.consume(recorder, capacity=Capacity(slots=2), stop=stop))
                await backend.until_refused(3)
                assert not recorder.seen
                stop.set()
                await consumer  # it stops even while it waits
        await consume_until(broker, recorder)
    assert [delivery.deliveries for delivery in recorder.seen] == [1]


async def test_a_delivery_whose_handler_raises_while_the_disk_is_full_comes_back_later(
    backend: EmbeddedBackend,
) -> None:
    begun, recorder = Gate(1), Recorder(1)

    async def raise_first(delivery: Delivery) -> Verdict:
        if delivery.deliveries == 1:
            await begun(delivery)
            raise RuntimeError("a defect")
        return await recorder(delivery)

    async with backend.broker() as broker:
        await broker.put(samples.job())
        async with consuming(broker, raise_first):
            await begun.full.wait()
            with full_disk():
                begun.opened.set()
                await backend.until_refused(3)
            await recorder.done.wait()
    assert [delivery.deliveries for delivery in recorder.seen] == [2]


async def test_a_full_disk_and_its_end_are_each_logged_once(backend: EmbeddedBackend) -> None:
    logged: list[str] = []
    async with backend.broker() as broker:
        for _ in range(3):
            with full_disk() as logs:
                for _ in range(20):
                    assert not await broker.ready()
            logged += [entry["event"] for entry in logs]
            with capture_logs() as logs:
                assert await broker.ready()
            logged += [entry["event"] for entry in logs]
    assert logged == ["disk_refuses_writes", "disk_takes_writes_again"]
    assert (backend.sample("copydesk_disk_refusals_total") or 0) >= 60


async def test_a_file_that_is_damaged_ends_the_consumer(backend: EmbeddedBackend) -> None:
    """Waiting does not repair it."""
    async with backend.broker() as broker:
        with closing(backend.connect()) as db:
            db.execute("DROP TABLE jobs")
        with pytest.raises(BrokerUnavailable, match="database"):
            await broker.consume(Recorder(1), capacity=Capacity(slots=2), stop=asyncio.Event())


async def test_a_verdict_that_cannot_be_encoded_gives_the_delivery_back(backend: EmbeddedBackend) -> None:
    def decide(delivery: Delivery) -> Verdict:
        job = decode_job(delivery.body)
        text = "\ud800" if delivery.deliveries == 1 else "clean"
        return Publish(samples.processed(Job(id=job.id, kind=job.kind, lane=job.lane, accepted_at="", content=text)))

    recorder = Recorder(2, decide)
    async with backend.broker() as broker:
        await broker.put(samples.job())
        await consume_until(broker, recorder)
    assert [delivery.deliveries for delivery in recorder.seen] == [1, 2]


async def test_two_consumers_share_without_repeats(backend: EmbeddedBackend) -> None:
    jobs, recorder, stop = samples.jobs(100), Recorder(100), asyncio.Event()
    async with backend.broker() as broker:
        await put_all(broker, jobs)
        async with asyncio.TaskGroup() as group:
            for _ in range(2):
                group.create_task(broker.consume(recorder, capacity=Capacity(slots=3), stop=stop))
            await recorder.done.wait()
            stop.set()
    assert sorted(recorder.ids, key=str) == sorted(job.id for job in jobs)


async def test_a_cancelled_consumer_leaves_its_slots_to_the_next_at_once(backend: EmbeddedBackend) -> None:
    """Even if it is cancelled in the middle of a claim."""
    jobs, recorder = samples.jobs(20), Recorder(20)
    async with backend.broker() as broker:
        await put_all(broker, jobs)
        for turns in range(10):
            async with asyncio.TaskGroup() as group:
                task = group.create_task(broker.consume(Gate(99), capacity=Capacity(slots=4), stop=asyncio.Event()))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
        await consume_until(broker, recorder)
    assert sorted(recorder.ids, key=str) == sorted(job.id for job in jobs)


# counters


async def test_confirmed_messages_are_counted_by_their_destination(backend: EmbeddedBackend) -> None:
    jobs = samples.jobs(5)
    verdicts: dict[str, list[Verdict]] = {
        jobs[0].id: [Publish(samples.processed(jobs[0]))],
        jobs[1].id: [Bury(samples.failed(jobs[1].id, Reason.MEMORY), "memory")],
        jobs[2].id: [Bury(None, "undecodable")],
        jobs[3].id: [
            Retry(samples.again(jobs[3]), 0.01, Reason.RATE_LIMITED),
            Publish(samples.processed(jobs[3])),
        ],
        jobs[4].id: [Defer(jobs[4], 0.01), Publish(samples.processed(jobs[4]))],
    }
    async with backend.broker() as broker:
        await put_all(broker, jobs)
        await consume_until(broker, Recorder(7, lambda delivery: verdicts[delivery.message_id or ""].pop(0)))
    to = {to: backend.sample("copydesk_published_total", to=to) for to in ("intake", "log", "dead", "retry")}
    assert to == {"intake": 5, "log": 4, "dead": 2, "retry": 2}


async def test_worker_and_broker_together_count_a_retry_once(backend: EmbeddedBackend) -> None:
    handle = worker(Failed(Reason.RATE_LIMITED), metrics=backend.metrics).handle
    async with backend.broker() as broker:
        await broker.put(replace(samples.job(), kind=Kind.URL, url="https://example.com/"))
        handled = asyncio.Event()

        async def handle_one(delivery: Delivery) -> Verdict:
            handled.set()
            return await handle(delivery)

        async with consuming(broker, handle_one):
            await handled.wait()
    assert backend.sample("copydesk_published_total", to="retry") == 1
    assert backend.sample("copydesk_retries_total", reason="rate_limited") == 1


async def test_a_dead_letter_names_its_event(backend: EmbeddedBackend) -> None:
    job = samples.job()
    async with backend.broker() as broker:
        await broker.put(job)
        await consume_until(broker, Recorder(1, lambda _: Bury(samples.failed(job.id, Reason.MEMORY), "memory")))
    with closing(backend.connect()) as db:
        assert db.execute("SELECT event_id FROM dead").fetchall() == [(job.event_id,)]


async def _outcome(call: Any) -> Exception | None:  # noqa: ANN401 - any awaitable
    try:
        await call
    except Exception as error:  # noqa: BLE001 - the caller looks at it
        return error
    return None


# dead letters


async def test_tables_of_version_1_are_brought_up_to_date_with_their_dead_letters(backend: EmbeddedBackend) -> None:
    async with backend.broker() as broker:
        (job,) = await bury_many(broker, 1)
    with closing(backend.connect()) as db, db:
        db.execute("ALTER TABLE dead DROP COLUMN reason")
        db.execute("DROP TABLE accepted")
        db.execute("DROP TABLE attempts")
        db.execute("DROP TABLE requests")
        db.execute("DROP INDEX jobs_suspect")
        db.execute("UPDATE dead SET cause = 'memory: over the limit'")
        db.execute("PRAGMA user_version = 1")
    async with backend.broker() as broker:
        (letter,) = (await broker.dead(everything)).letters
        await bury_many(broker, 1)
        assert len((await broker.dead(everything)).letters) == 2
    assert (letter.id, letter.reason) == (job.id, Reason.MEMORY)


async def test_a_full_lane_leaves_the_letter_where_it_is(backend: EmbeddedBackend) -> None:
    async with backend.broker() as broker:
        jobs = await bury_many(broker, 3)
    async with backend.broker(limits=EmbeddedLimits(max_jobs=1)) as broker:
        assert await broker.retry_dead(everything) == Handled(done=1, complete=False)
        with pytest.raises(BrokerFull):
            await broker.retry_dead(everything)
        assert [letter.id for letter in (await broker.dead(everything)).letters] == [job.id for job in jobs[1:]]


async def test_a_look_is_bounded(backend: EmbeddedBackend) -> None:
    async with backend.broker() as broker:
        jobs = await bury_many(broker, 4)
    async with backend.broker(limits=EmbeddedLimits(scan_letters=3)) as broker:
        look = await broker.dead(everything)
        assert [letter.id for letter in look.letters] == [job.id for job in jobs[:3]]
        assert not look.complete
        assert await broker.drop_dead(everything) == Handled(done=3, complete=False)
        assert await broker.drop_dead(everything) == Handled(done=1)


async def test_dead_letters_need_an_open_broker(backend: EmbeddedBackend) -> None:
    async with backend.broker() as broker:
        pass
    with pytest.raises(BrokerUnavailable):
        await broker.dead(everything)


async def test_a_dropped_letter_leaves_nothing_in_the_file(backend: EmbeddedBackend) -> None:
    secret = samples.job(content="zweihundertmetertief " * 500)
    async with backend.broker() as broker:
        await put_all(broker, [secret])
        await consume_until(broker, Recorder(1, lambda _: Bury(samples.failed(secret.id, Reason.MEMORY), "memory")))
    file = backend.folder / "copydesk.db"
    assert b"zweihundertmetertief" in file.read_bytes()
    async with backend.broker() as broker:
        assert await broker.drop_dead(everything) == Handled(done=1)
    assert b"zweihundertmetertief" not in file.read_bytes()
