"""Looking at dead letters, retrying and dropping them."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from contract.codec import decode_event, encode
from contract.dead import Handled
from contract.job import Lane
from contract.reasons import Reason
from contract.verdicts import Bury
from tests.brokers import samples
from tests.brokers.suite.backend import Backend
from tests.brokers.suite.dead_steps import bury, bury_as_crashed, bury_many, everything, until_dead
from tests.brokers.suite.handlers import Recorder
from tests.brokers.suite.steps import assert_nothing_waits, consume_until, consuming, take


class DeadLetters:
    """Dead letters, as an operator handles them."""

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

    async def test_a_look_shows_the_letters_that_the_filter_selects(self, backend: Backend) -> None:
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

    async def test_a_retry_takes_the_selected_letters_and_leaves_the_others_in_order(self, backend: Backend) -> None:
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
        async with backend.broker() as broker, consuming(broker, Recorder(0, bury_as_crashed)):
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

    async def test_a_letter_without_a_job_is_shown_and_dropped_but_not_retried(self, backend: Backend) -> None:
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
