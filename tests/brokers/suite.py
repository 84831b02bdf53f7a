"""What every broker must do: one set of tests, run unchanged against each implementation.

A broker's test module derives a class from `BrokerSuite` and gives it a `backend` fixture. The suite never has more
than one broker open on a backend's storage.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest

from contract.broker import Broker, BrokerError, Delivery, Handler, LogEntry
from contract.codec import decode_event, decode_job, encode
from contract.dead import DeadLetter as Letter
from contract.dead import Handled
from contract.events import FailedEvent
from contract.job import Job, Lane
from contract.reasons import Reason
from contract.verdicts import Bury, Defer, Publish, Retry, Verdict
from tests.brokers import samples

_EARLY_S = 0.02  # timers may fire this much before their time


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A buried message."""

    body: bytes
    cause: str
    message_id: str | None


class Backend(Protocol):
    """One broker's storage, and what the suite must do to it from outside.

    `delays_s` are two delays that a retry may ask for, the second at least 0.3 s longer; both short, for quick tests.
    `delivery_limit` is how many deliveries a job gets beyond the first.
    """

    delays_s: Sequence[float]
    delivery_limit: int

    def broker(self, **kwargs: Any) -> AbstractAsyncContextManager[Broker]:  # noqa: ANN401 - each broker has its own
        """Opens a new broker on the same storage, as a new process would."""

    async def crash(self, broker: Broker) -> None:
        """Ends `broker` as kill -9 would: nothing more is acked, nothing given back politely.

        What still runs on it may raise `BrokerError` or is cancelled by the suite. Leaving its context is harmless.
        """

    async def inject(self, body: bytes, message_id: str | None) -> None:
        """Puts raw bytes into the interactive intake queue. No broker is open."""

    async def dead(self) -> list[DeadLetter]:
        """Returns the dead letters, oldest first, and leaves them there."""


Decide = Callable[[Delivery], Verdict]


def publish(delivery: Delivery) -> Verdict:
    return Publish(samples.processed(decode_job(delivery.body)))


class Recorder:
    """A handler that keeps what it was given and when, and tells when the `expected` number is through."""

    def __init__(self, expected: int, decide: Decide = publish) -> None:
        self.seen: list[Delivery] = []
        self.times: list[float] = []
        self.done = asyncio.Event()
        self._expected = expected
        self._decide = decide

    async def __call__(self, delivery: Delivery) -> Verdict:
        self.seen.append(delivery)
        self.times.append(asyncio.get_running_loop().time())
        if len(self.seen) == self._expected:
            self.done.set()
        return self._decide(delivery)

    @property
    def jobs(self) -> list[Job]:
        return [decode_job(delivery.body) for delivery in self.seen]

    @property
    def ids(self) -> list[str | None]:
        return [delivery.message_id for delivery in self.seen]


class Gate:
    """A handler that holds what it was given until opened, and tells when `expected` are in hand."""

    def __init__(self, expected: int) -> None:
        self.held: list[Delivery] = []
        self.full = asyncio.Event()
        self.opened = asyncio.Event()
        self._expected = expected

    async def __call__(self, delivery: Delivery) -> Verdict:
        self.held.append(delivery)
        if len(self.held) == self._expected:
            self.full.set()
        await self.opened.wait()
        return publish(delivery)


@asynccontextmanager
async def consuming(broker: Broker, handle: Handler, *, slots: int = 4) -> AsyncIterator[None]:
    """Consumes while the context lasts, then drains."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        group.create_task(broker.consume(handle, slots=slots, stop=stop))
        yield
        stop.set()


async def consume_until(broker: Broker, recorder: Recorder, *, slots: int = 4) -> None:
    async with consuming(broker, recorder, slots=slots):
        await recorder.done.wait()


async def put_all(broker: Broker, jobs: Iterable[Job]) -> None:
    async with asyncio.TaskGroup() as group:
        for job in jobs:
            group.create_task(broker.put(job))


async def decide_new(broker: Broker, count: int = 1, *, host: str = "www.example.com") -> list[str]:
    """Puts `count` jobs one after the other, publishes an event for each, and returns their ids in that order."""
    ids = []
    for _ in range(count):
        job = samples.job()
        await broker.put(job)
        await consume_until(broker, Recorder(1, lambda d: Publish(samples.processed(decode_job(d.body), host=host))))
        ids.append(job.id)
    return ids


async def crash_holding(backend: Backend, count: int = 1) -> list[Delivery]:
    """Lets a consumer die with `count` deliveries in hand, and returns these."""
    gate = Gate(count)
    async with backend.broker() as broker, asyncio.TaskGroup() as group:
        task = group.create_task(_consume_until_crash(broker, gate, slots=count))
        await gate.full.wait()
        await backend.crash(broker)
        task.cancel()
    return gate.held


async def _consume_until_crash(broker: Broker, handle: Handler, *, slots: int) -> None:
    with suppress(BrokerError):
        await broker.consume(handle, slots=slots, stop=asyncio.Event())


async def take(broker: Broker, count: int, after: int | None = -1) -> list[LogEntry]:
    """Returns the next `count` entries of the log above `after`."""
    entries: list[LogEntry] = []
    async with aclosing(broker.read(after)) as stream:
        async for entry in stream:
            entries.append(entry)
            if len(entries) == count:
                break
    return entries


def subjects(entries: Iterable[LogEntry]) -> list[str]:
    return [decode_event(entry.body).subject for entry in entries]


def everything(_: Letter) -> bool:
    return True


async def bury(broker: Broker, job: Job, *, event: FailedEvent | None = None, cause: str = "signal 11") -> None:
    """Puts `job` and buries it."""
    verdict = Bury(event or samples.failed(job.id, Reason.PARSER_CRASH), cause)
    await broker.put(job)
    await consume_until(broker, Recorder(1, lambda _: verdict), slots=1)


async def bury_many(broker: Broker, count: int) -> list[Job]:
    """Puts and buries new jobs, and returns them in the order in which they were buried."""
    jobs, recorder = samples.jobs(count), Recorder(count, _bury)
    for job in jobs:
        await broker.put(job)
    await consume_until(broker, recorder, slots=1)
    assert recorder.ids == [job.id for job in jobs]
    return jobs


async def until_dead(broker: Broker, *, run: int) -> None:
    """Waits until a letter of this run is there."""

    def is_there(letter: Letter) -> bool:
        return letter.job is not None and letter.job.run == run

    while not (await broker.dead(is_there)).letters:  # noqa: ASYNC110 - burying sets no event
        await asyncio.sleep(0.02)


async def assert_nothing_waits(broker: Broker) -> None:
    """Asserts that a job put now is all that there is to consume."""
    fence = samples.job()
    await broker.put(fence)
    recorder = Recorder(1)
    await consume_until(broker, recorder, slots=1)
    assert recorder.ids == [fence.id]


@pytest.mark.timeout(60)
class BrokerSuite:
    """Derive from this, and give it a `backend` fixture that returns a `Backend` with empty storage."""

    # put and consume

    async def test_a_job_is_consumed_as_it_was_put(self, backend: Backend) -> None:
        job = samples.job(content="A “quoted” line,\nand \U0001f4f0.")
        async with backend.broker() as broker:
            await broker.put(job)
            recorder = Recorder(1)
            await consume_until(broker, recorder)
        assert recorder.seen == [Delivery(body=encode(job), message_id=job.id)]
        assert recorder.jobs == [job]

    async def test_a_job_put_while_consuming_is_handed_over(self, backend: Backend) -> None:
        job, recorder = samples.job(), Recorder(1)
        async with backend.broker() as broker, consuming(broker, recorder):
            await broker.put(job)
            await recorder.done.wait()
        assert recorder.ids == [job.id]

    async def test_a_put_survives_closing(self, backend: Backend) -> None:
        jobs, recorder = samples.jobs(3), Recorder(3)
        async with backend.broker() as broker:
            await put_all(broker, jobs)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert set(recorder.ids) == {job.id for job in jobs}

    async def test_a_put_survives_a_crash(self, backend: Backend) -> None:
        jobs, recorder = samples.jobs(3), Recorder(3)
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            await backend.crash(broker)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert set(recorder.ids) == {job.id for job in jobs}

    @pytest.mark.parametrize("message_id", ["0195-some-id", None])
    async def test_bytes_that_are_no_job_are_delivered_as_they_are(
        self, backend: Backend, message_id: str | None
    ) -> None:
        body = b"\xff\x00{not json"
        await backend.inject(body, message_id)
        recorder = Recorder(1, lambda _: Bury(None, "undecodable"))
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert recorder.seen == [Delivery(body=body, message_id=message_id)]

    async def test_many_jobs_are_decided_exactly_once(self, backend: Backend) -> None:
        jobs = [*samples.jobs(150, Lane.BULK), *samples.jobs(150)]
        recorder = Recorder(len(jobs))
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            await consume_until(broker, recorder, slots=8)
            entries = await take(broker, len(jobs))
            await assert_nothing_waits(broker)
        assert sorted(subjects(entries)) == sorted(job.id for job in jobs)
        assert len(recorder.seen) == len(jobs)

    async def test_an_open_broker_is_ready(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            await broker.put(samples.job())
            assert await broker.ready()

    # slots and lanes

    async def test_slots_are_all_used_and_never_more(self, backend: Backend) -> None:
        together, in_hand, most, recorder = asyncio.Barrier(3), 0, 0, Recorder(9)

        async def meet(delivery: Delivery) -> Verdict:
            nonlocal in_hand, most
            in_hand += 1
            most = max(most, in_hand)
            await together.wait()
            await asyncio.sleep(0.02)  # time for one too many to begin
            in_hand -= 1
            return await recorder(delivery)

        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(9))
            async with consuming(broker, meet, slots=3):
                await recorder.done.wait()
        assert most == 3

    async def test_what_is_in_hand_is_not_handed_over_again(self, backend: Backend) -> None:
        held, other = samples.jobs(2)
        gate, recorder = Gate(1), Recorder(1)

        async def handle(delivery: Delivery) -> Verdict:
            return await (gate if delivery.message_id == held.id else recorder)(delivery)

        async with backend.broker() as broker:
            await broker.put(held)
            async with consuming(broker, handle, slots=4):
                await gate.full.wait()
                await broker.put(other)
                await recorder.done.wait()
                gate.opened.set()
            await assert_nothing_waits(broker)
        assert len(gate.held) == 1

    async def test_bulk_never_holds_the_last_slot(self, backend: Backend) -> None:
        bulk, interactive = Gate(2), Recorder(5)

        async def by_lane(delivery: Delivery) -> Verdict:
            lane = decode_job(delivery.body).lane
            return await (bulk if lane is Lane.BULK else interactive)(delivery)

        async with backend.broker() as broker:
            await put_all(broker, samples.jobs(10, Lane.BULK))
            async with consuming(broker, by_lane, slots=3):
                await bulk.full.wait()
                await put_all(broker, samples.jobs(5))
                await interactive.done.wait()
                assert len(bulk.held) == 2
                bulk.opened.set()

    async def test_one_slot_serves_both_lanes(self, backend: Backend) -> None:
        recorder = Recorder(4)
        async with backend.broker() as broker:
            await put_all(broker, [*samples.jobs(2, Lane.BULK), *samples.jobs(2)])
            await consume_until(broker, recorder, slots=1)
        assert sorted(job.lane for job in recorder.jobs) == [Lane.BULK] * 2 + [Lane.INTERACTIVE] * 2

    async def test_an_interactive_job_overtakes_a_bulk_backlog(self, backend: Backend) -> None:
        backlog, urgent = samples.jobs(40, Lane.BULK), samples.job()
        first, recorder = asyncio.Event(), Recorder(41)

        async def slow(delivery: Delivery) -> Verdict:
            verdict = await recorder(delivery)
            first.set()
            await asyncio.sleep(0.01)  # the work that a backlog consists of
            return verdict

        async with backend.broker() as broker:
            await put_all(broker, backlog)
            async with consuming(broker, slow, slots=2):
                await first.wait()
                await broker.put(urgent)
                await recorder.done.wait()
        assert recorder.ids.index(urgent.id) < 30

    @pytest.mark.parametrize("lane", list(Lane))
    async def test_a_retried_job_keeps_its_lane(self, backend: Backend, lane: Lane) -> None:
        recorder = Recorder(2, _retry_once(backend.delays_s[0]))
        async with backend.broker() as broker:
            await broker.put(samples.job(lane))
            await consume_until(broker, recorder)
        assert [job.lane for job in recorder.jobs] == [lane, lane]

    # redelivery

    async def test_a_crash_redelivers_what_was_in_hand(self, backend: Backend) -> None:
        jobs, recorder = samples.jobs(2), Recorder(2)
        async with backend.broker() as broker:
            await put_all(broker, jobs)
        held = await crash_holding(backend, 2)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert {delivery.deliveries for delivery in held} == {1}
        assert {(delivery.message_id, delivery.deliveries) for delivery in recorder.seen} == {
            (job.id, 2) for job in jobs
        }

    async def test_what_a_handler_raises_gives_the_delivery_back(self, backend: Backend) -> None:
        def raise_once(delivery: Delivery) -> Verdict:
            if delivery.deliveries == 1:
                raise RuntimeError("a defect")
            return publish(delivery)

        job, recorder = samples.job(), Recorder(2, raise_once)
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, recorder)
            assert subjects(await take(broker, 1)) == [job.id]
        assert [(delivery.message_id, delivery.deliveries) for delivery in recorder.seen] == [(job.id, 1), (job.id, 2)]

    async def test_a_job_that_no_consumer_survives_arrives_as_lost(self, backend: Backend) -> None:
        poison, others = samples.job(), samples.jobs(3)
        async with backend.broker() as broker:
            await broker.put(poison)
        for _ in range(backend.delivery_limit + 1):
            assert [delivery.lost for delivery in await crash_holding(backend)] == [False]

        recorder = Recorder(4, _bury_what_is_lost)
        async with backend.broker() as broker:
            await put_all(broker, others)
            await consume_until(broker, recorder)
            entries = await take(broker, 4)
            await assert_nothing_waits(broker)
        assert [delivery.message_id for delivery in recorder.seen if delivery.lost] == [poison.id]
        assert sorted(subjects(entries)) == sorted(job.id for job in (poison, *others))
        assert await backend.dead() == [DeadLetter(encode(poison), "worker_lost", poison.id)]

    async def test_a_job_that_no_handler_survives_arrives_as_lost(self, backend: Backend) -> None:
        def raise_or_bury(delivery: Delivery) -> Verdict:
            if not delivery.lost:
                raise RuntimeError("a defect")
            return _bury_what_is_lost(delivery)

        job, recorder = samples.job(), Recorder(backend.delivery_limit + 2, raise_or_bury)
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, recorder)
            assert subjects(await take(broker, 1)) == [job.id]
        assert [delivery.lost for delivery in recorder.seen] == [False] * (backend.delivery_limit + 1) + [True]

    # delays

    async def test_a_retry_comes_back_after_its_delay(self, backend: Backend) -> None:
        job, recorder = samples.job(), Recorder(2, _retry_once(backend.delays_s[0]))
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, recorder)
        assert recorder.jobs == [job, samples.again(job)]
        assert recorder.times[1] - recorder.times[0] >= backend.delays_s[0] - _EARLY_S

    async def test_a_retry_starts_with_fresh_deliveries(self, backend: Backend) -> None:
        recorder = Recorder(2, _retry_once(backend.delays_s[0]))
        async with backend.broker() as broker:
            await broker.put(samples.job())
        await crash_holding(backend)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert [delivery.deliveries for delivery in recorder.seen] == [2, 1]

    async def test_a_retry_survives_a_crash(self, backend: Backend) -> None:
        job = samples.job()
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, Recorder(1, _retry_once(backend.delays_s[0])))
            await backend.crash(broker)
        recorder = Recorder(1)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert recorder.jobs == [samples.again(job)]

    async def test_a_deferred_job_comes_back_as_it_was(self, backend: Backend) -> None:
        delay_s = backend.delays_s[0]
        job = samples.job()
        verdicts: list[Verdict] = [Defer(job, delay_s), Publish(samples.processed(job))]
        recorder = Recorder(2, lambda _: verdicts.pop(0))
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, recorder)
        assert recorder.jobs == [job, job]
        assert recorder.times[1] - recorder.times[0] >= delay_s - _EARLY_S

    async def test_a_long_delay_does_not_hold_up_a_short_one(self, backend: Backend) -> None:
        slow, quick = samples.jobs(2)
        slow_is_delayed, back = asyncio.Event(), Recorder(2)

        async def delay(delivery: Delivery) -> Verdict:
            job = decode_job(delivery.body)
            if job.attempt > 1:
                return await back(delivery)
            if job.id == slow.id:
                slow_is_delayed.set()
                return Retry(samples.again(job), backend.delays_s[1], Reason.SERVER_ERROR)
            await slow_is_delayed.wait()
            return Retry(samples.again(job), backend.delays_s[0], Reason.SERVER_ERROR)

        async with backend.broker() as broker:
            await put_all(broker, [slow, quick])
            async with consuming(broker, delay, slots=2):
                await back.done.wait()
        assert back.ids == [quick.id, slow.id]

    # verdicts

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

    # dead letters

    async def test_a_dead_letter_tells_what_is_known_of_it(self, backend: Backend) -> None:
        job = samples.again(samples.job(Lane.BULK))
        event = samples.failed(job.id, Reason.PARSER_CRASH)
        async with backend.broker() as broker:
            before = datetime.now(UTC)
            await bury(broker, job, event=event, cause="signal 11")
            look = await broker.dead(everything)
            (letter,) = look.letters
            (whole,) = (await broker.dead(everything, bodies=True)).letters
        assert look.complete
        assert (letter.id, letter.reason, letter.cause) == (job.id, Reason.PARSER_CRASH, "signal 11")
        assert (letter.event_id, letter.size) == (event.id, len(encode(job)))
        assert (letter.job, letter.body) == (replace(job, content=None), None)
        assert before - timedelta(seconds=1) < letter.buried_at < datetime.now(UTC)
        assert whole == replace(letter, body=encode(job))

    async def test_there_are_no_dead_letters_at_first(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            look = await broker.dead(everything)
            assert (list(look.letters), look.complete) == ([], True)
            assert await broker.retry_dead(everything) == Handled(done=0)
            assert await broker.drop_dead(everything) == Handled(done=0)

    async def test_looking_leaves_the_dead_letters_as_they_are_and_in_order(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            jobs = await bury_many(broker, 120)
            for _ in range(3):
                look = await broker.dead(everything)
                assert [letter.id for letter in look.letters] == [job.id for job in jobs]
        assert [letter.message_id for letter in await backend.dead()] == [job.id for job in jobs]

    async def test_a_look_shows_what_is_wanted(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            jobs = await bury_many(broker, 3)
            look = await broker.dead(lambda letter: letter.id == jobs[1].id)
        assert [letter.id for letter in look.letters] == [jobs[1].id]

    async def test_a_retry_is_the_next_run_of_the_document_with_its_history(self, backend: Backend) -> None:
        job = samples.again(samples.job(Lane.BULK))
        async with backend.broker() as broker:
            await bury(broker, job, event=samples.failed(job.id, Reason.MEMORY))
            assert await broker.retry_dead(lambda letter: letter.id == job.id) == Handled(done=1)
            recorder = Recorder(1)
            await consume_until(broker, recorder)
            assert (await broker.dead(everything)).letters == []
            assert [decode_event(entry.body).id for entry in await take(broker, 2)] == [f"{job.id}.1", f"{job.id}.2"]
        (again,) = recorder.jobs
        assert replace(again, history=job.history) == replace(job, run=2, attempt=1)
        assert again.history[:-1] == job.history
        assert again.history[-1].reason == Reason.MEMORY

    async def test_a_retry_takes_what_is_wanted_and_leaves_the_others_in_order(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            jobs = await bury_many(broker, 90)
            chosen = {job.id for job in jobs[1::2]}
            assert await broker.retry_dead(lambda letter: letter.id in chosen) == Handled(done=45)
            left = [letter.id for letter in (await broker.dead(everything)).letters]
            recorder = Recorder(45)
            await consume_until(broker, recorder)
            await assert_nothing_waits(broker)
        assert left == [job.id for job in jobs[::2]]
        assert set(recorder.ids) == chosen
        assert {job.run for job in recorder.jobs} == {2}

    async def test_a_look_shows_the_longest_buried_first_however_often_it_is_taken(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            jobs = await bury_many(broker, 40)
            for _ in range(3):
                left = [letter.id for letter in (await broker.dead(everything)).letters]
                assert left == [job.id for job in jobs]

    async def test_a_document_that_dies_again_is_retried_once_a_call(self, backend: Backend) -> None:
        job = samples.job()
        async with backend.broker() as broker, consuming(broker, Recorder(0, _bury)):
            await broker.put(job)
            await until_dead(broker, run=1)
            assert await broker.retry_dead(everything) == Handled(done=1)
            await until_dead(broker, run=2)
            assert await broker.retry_dead(everything) == Handled(done=1)
            await until_dead(broker, run=3)

    async def test_a_retry_survives_closing(self, backend: Backend) -> None:
        job, recorder = samples.job(), Recorder(1)
        async with backend.broker() as broker:
            await bury(broker, job)
            await broker.retry_dead(everything)
        async with backend.broker() as broker:
            await consume_until(broker, recorder)
        assert [again.event_id for again in recorder.jobs] == [f"{job.id}.2"]

    async def test_what_holds_no_job_is_shown_and_dropped_but_not_retried(self, backend: Backend) -> None:
        await backend.inject(b"\xfe no job", None)
        async with backend.broker() as broker:
            await consume_until(broker, Recorder(1, lambda _: Bury(None, "undecodable: not JSON")))
            (job,) = await bury_many(broker, 1)
            assert await broker.retry_dead(everything) == Handled(done=1, kept=1)
            (letter,) = (await broker.dead(everything, bodies=True)).letters
            (same,) = (await broker.dead(lambda other: other.id == letter.id)).letters
            assert await broker.drop_dead(lambda other: other.id == letter.id) == Handled(done=1)
            assert (await broker.dead(everything)).letters == []
        assert (letter.job, letter.event_id, letter.body) == (None, None, b"\xfe no job")
        assert (letter.reason, letter.cause) == (Reason.UNDECODABLE, "undecodable: not JSON")
        assert letter.id not in {None, job.id}
        assert same == replace(letter, body=None)

    async def test_dropped_letters_are_gone_and_not_retried(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            jobs = await bury_many(broker, 3)
            assert await broker.drop_dead(lambda letter: letter.id != jobs[1].id) == Handled(done=2)
            assert [letter.id for letter in (await broker.dead(everything)).letters] == [jobs[1].id]
        async with backend.broker() as broker:
            assert [letter.id for letter in (await broker.dead(everything)).letters] == [jobs[1].id]
            await assert_nothing_waits(broker)

    async def test_two_retries_at_once_put_each_document_once(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            jobs = await bury_many(broker, 40)
            async with asyncio.TaskGroup() as group:
                calls = [group.create_task(broker.retry_dead(everything)) for _ in range(2)]
            recorder = Recorder(40)
            await consume_until(broker, recorder)
            await assert_nothing_waits(broker)
        assert sum(call.result().done for call in calls) == 40
        assert sorted(recorder.ids, key=str) == sorted(job.id for job in jobs)

    # the log

    async def test_the_log_is_read_from_its_start_and_from_an_offset(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            ids = await decide_new(broker, 4)
            whole = await take(broker, 4)
            rest = await take(broker, 2, after=whole[1].offset)
        assert subjects(whole) == ids
        assert rest == whole[2:]
        assert [entry.offset for entry in whole] == sorted({entry.offset for entry in whole})

    async def test_the_bounds_of_the_log_are_its_oldest_and_newest(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            oldest, newest = await broker.log_bounds()
            assert newest < oldest
            await decide_new(broker, 3)
            entries = await take(broker, 3)
            assert await broker.log_bounds() == (entries[0].offset, entries[-1].offset)

    async def test_offsets_mean_the_same_after_reopening(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            await decide_new(broker, 2)
            before = await take(broker, 2)
        async with backend.broker() as broker:
            (later,) = await decide_new(broker)
            after = await take(broker, 3)
            (new,) = await take(broker, 1, after=before[-1].offset)
        assert after[:2] == before
        assert subjects([new]) == [later]

    async def test_reading_goes_on_with_new_events(self, backend: Backend) -> None:
        async with backend.broker() as broker, asyncio.TaskGroup() as group:
            first = await decide_new(broker)
            reader = group.create_task(take(broker, 3))
            later = await decide_new(broker, 2)
            assert subjects(await reader) == first + later

    async def test_two_readers_each_see_everything(self, backend: Backend) -> None:
        async with backend.broker() as broker, asyncio.TaskGroup() as group:
            first = await decide_new(broker)
            readers = [group.create_task(take(broker, 3)) for _ in range(2)]
            later = await decide_new(broker, 2)
            assert [subjects(await reader) for reader in readers] == [first + later] * 2

    async def test_reading_from_now_leaves_out_what_was(self, backend: Backend) -> None:
        async with backend.broker() as broker, asyncio.TaskGroup() as group:
            old = await decide_new(broker, 2)
            reader, new = group.create_task(take(broker, 2, after=None)), []
            while not reader.done():  # when a reader has begun to follow cannot be seen from outside
                new += await decide_new(broker)
            begin, following = subjects(await reader)
        assert begin in new
        assert following == new[new.index(begin) + 1]
        assert begin not in old

    # the end

    async def test_a_drain_finishes_what_is_in_hand_and_takes_no_more(self, backend: Backend) -> None:
        jobs, gate, stop = samples.jobs(6), Gate(2), asyncio.Event()
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            async with asyncio.TaskGroup() as group:
                group.create_task(broker.consume(gate, slots=2, stop=stop))
                await gate.full.wait()
                stop.set()
                gate.opened.set()
        done, rest = {delivery.message_id for delivery in gate.held}, Recorder(4)
        async with backend.broker() as broker:
            assert set(subjects(await take(broker, 2))) == done
            await consume_until(broker, rest)
            await assert_nothing_waits(broker)
        assert len(done) == len(gate.held) == 2
        assert sorted(rest.ids, key=str) == sorted({job.id for job in jobs} - done)

    async def test_nothing_is_taken_when_told_to_stop_before_the_start(self, backend: Backend) -> None:
        job, none, stop, recorder = samples.job(), Recorder(1), asyncio.Event(), Recorder(1)
        stop.set()
        async with backend.broker() as broker:
            await broker.put(job)
            await broker.consume(none, slots=2, stop=stop)
            await consume_until(broker, recorder)
        assert none.seen == []
        assert recorder.ids == [job.id]

    async def test_cancelling_gives_back_what_is_in_hand(self, backend: Backend) -> None:
        jobs, gate, recorder = samples.jobs(3), Gate(2), Recorder(3)
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            async with asyncio.TaskGroup() as group:
                task = group.create_task(broker.consume(gate, slots=2, stop=asyncio.Event()))
                await gate.full.wait()
                task.cancel()
            await consume_until(broker, recorder)
            entries = await take(broker, 3)
        assert len(gate.held) == 2
        assert set(recorder.ids) == set(subjects(entries)) == {job.id for job in jobs}


def _retry_once(delay_s: float) -> Decide:
    def decide(delivery: Delivery) -> Verdict:
        job = decode_job(delivery.body)
        if job.attempt == 1:
            return Retry(samples.again(job), delay_s, Reason.SERVER_ERROR)
        return publish(delivery)

    return decide


def _bury(delivery: Delivery) -> Verdict:
    job = decode_job(delivery.body)
    return Bury(replace(samples.failed(job.id, Reason.PARSER_CRASH), id=job.event_id), "signal 11")


def _bury_what_is_lost(delivery: Delivery) -> Verdict:
    if not delivery.lost or delivery.message_id is None:
        return publish(delivery)
    return Bury(samples.failed(delivery.message_id, Reason.WORKER_LOST), "worker_lost")
