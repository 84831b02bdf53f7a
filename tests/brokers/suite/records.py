"""The records that the ledger is made of: acceptances, attempts and events, followed in batches."""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import aclosing
from itertools import chain
from typing import Any, cast

import pytest

from contract.broker import Broker, LogEntry, UnknownOffset
from contract.codec import decode_acceptances, decode_attempts, decode_event
from contract.streams import Stream, Streams
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.handlers import Recorder, retry_once
from tests.brokers.suite.steps import consume_until, decide_new, put_all

Batches = list[Sequence[LogEntry]]


async def follow(broker: Broker, stream: Stream, until: Callable[[Batches], bool], after: int = -1) -> list[LogEntry]:
    """Follows a stream until `until` returns True."""
    batches: Batches = []
    async with aclosing(cast("Streams", broker).follow(stream, after)) as following:
        async for batch in following:
            batches.append(batch)
            if until(batches):
                break
    return list(chain.from_iterable(batches))


def at_least(count: int) -> Callable[[Batches], bool]:
    return lambda batches: sum(map(len, batches)) >= count


def to_the_end(batches: Batches) -> bool:
    """Returns True for an empty batch: all entries were yielded."""
    return not batches[-1]


def decoded(entries: Sequence[LogEntry], decode: Callable[[bytes], list[Any]]) -> list[Any]:
    return [record for entry in entries for record in decode(entry.body)]


class Records:
    """What `follow` yields."""

    async def test_an_acceptance_says_what_was_submitted_and_by_whom(self, backend: Backend) -> None:
        job = samples.job()
        async with backend.broker() as broker:
            await broker.put(job)
            (record,) = decoded(await follow(broker, Stream.ACCEPTED, at_least(1)), decode_acceptances)
        assert (record.id, record.lane, record.kind, record.labels) == (job.event_id, job.lane, job.kind, job.labels)
        assert record.owner == job.owner == "newsroom"

    async def test_the_acceptance_of_each_of_many_jobs_is_on_record(self, backend: Backend) -> None:
        jobs = samples.jobs(70)
        async with backend.broker() as broker:
            await broker.put_many(jobs)
            records = decoded(await follow(broker, Stream.ACCEPTED, at_least_records(70)), decode_acceptances)
        assert sorted(record.id for record in records) == sorted(job.event_id for job in jobs)

    async def test_a_retry_is_on_record_with_its_reason_and_the_next_try(self, backend: Backend) -> None:
        job, recorder = samples.job(), Recorder(2, retry_once(backend.delays_s[0]))
        async with backend.broker() as broker:
            await broker.put(job)
            await consume_until(broker, recorder)
            (record,) = decoded(await follow(broker, Stream.ATTEMPTS, at_least(1)), decode_attempts)
        expected = samples.again(job).history[-1]
        assert (record.id, record.attempt, record.reason) == (job.event_id, 1, expected.reason)
        assert record.detail == expected.detail
        assert record.at < record.next_at

    async def test_following_begins_at_the_given_position_and_skips_nothing(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            ids = await decide_new(broker, 5)
            whole = await follow(broker, Stream.LOG, to_the_end)
            rest = await follow(broker, Stream.LOG, to_the_end, after=whole[1].offset)
        assert [decode_event(entry.body).subject for entry in whole] == ids
        assert rest == whole[2:]

    async def test_following_continues_with_new_entries(self, backend: Backend) -> None:
        async with backend.broker() as broker, asyncio.TaskGroup() as group:
            follower = group.create_task(follow(broker, Stream.ACCEPTED, at_least_records(60)))
            jobs = samples.jobs(60)
            await put_all(broker, jobs)
            records = decoded(await follower, decode_acceptances)
        assert {record.id for record in records} == {job.event_id for job in jobs}

    @pytest.mark.parametrize("stream", Stream)
    async def test_an_empty_record_has_an_end(self, backend: Backend, stream: Stream) -> None:
        async with backend.broker() as broker:
            assert await follow(broker, stream, to_the_end) == []

    async def test_a_place_beyond_the_end_is_no_place(self, backend: Backend) -> None:
        async with backend.broker() as broker:
            await decide_new(broker, 1)
            with pytest.raises(UnknownOffset):
                await follow(broker, Stream.LOG, at_least(1), after=1_000)

    async def test_each_of_many_retries_is_on_record(self, backend: Backend) -> None:
        jobs = samples.jobs(12)
        recorder = Recorder(2 * len(jobs), retry_once(backend.delays_s[0]))
        async with backend.broker() as broker:
            await put_all(broker, jobs)
            await consume_until(broker, recorder)
            records = decoded(await follow(broker, Stream.ATTEMPTS, at_least_attempts(len(jobs))), decode_attempts)
        assert {record.id for record in records} == {job.event_id for job in jobs}


def at_least_records(count: int) -> Callable[[Batches], bool]:
    return lambda batches: len(decoded(list(chain.from_iterable(batches)), decode_acceptances)) >= count


def at_least_attempts(count: int) -> Callable[[Batches], bool]:
    return lambda batches: len(decoded(list(chain.from_iterable(batches)), decode_attempts)) >= count
