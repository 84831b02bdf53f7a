"""Puts jobs that come one by one. Those that come while others wait for their confirms are published together."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from contract.broker import BrokerUnavailable, NotPut
from contract.job import Job
from contract.tracing import outside

_AT_ONCE = 2  # batches under way; chosen: while one waits for its confirms, the next one is written
_BATCH = 64  # jobs; chosen: as many as `Publisher.publish_many` publishes with one write

PutMany = Callable[[Sequence[Job]], Awaitable[Sequence[NotPut]]]


class Puts:
    """The puts of one lane, so that a lane whose queue is away holds up no other. Its tasks run in `tasks`.

    A job that comes alone is published at once. The more come, the more share a write, a timeout and a record.
    """

    def __init__(self, put_many: PutMany, tasks: asyncio.TaskGroup) -> None:
        self._put_many = put_many
        self._tasks = tasks
        self._waiting: list[tuple[Job, asyncio.Future[NotPut]]] = []
        self._under_way = 0

    async def put(self, job: Job) -> None:
        """Returns when `job` is stored.

        Raises:
            BrokerError, MessageTooLarge: as `contract.broker.JobSink.put`.
        """
        future: asyncio.Future[NotPut] = asyncio.get_running_loop().create_future()
        self._waiting.append((job, future))
        if self._under_way < _AT_ONCE:
            self._begin()
        outcome = await future
        if outcome is not None:
            raise outcome

    def _begin(self) -> None:
        wanted = [each for each in self._waiting if not each[1].done()]  # not those whose callers have given up
        batch, self._waiting = wanted[:_BATCH], wanted[_BATCH:]
        if batch:
            self._under_way += 1
            self._tasks.create_task(self._run(batch), context=outside())

    async def _run(self, batch: Sequence[tuple[Job, asyncio.Future[NotPut]]]) -> None:
        try:
            outcomes = await self._put_many([job for job, _ in batch])
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                _settle(future, outcome)
        finally:
            for _, future in batch:
                _settle(future, BrokerUnavailable("broken off"))  # the broker is being closed
            self._under_way -= 1
            self._begin()


def _settle(future: asyncio.Future[NotPut], outcome: NotPut) -> None:
    if not future.done():
        future.set_result(outcome)
