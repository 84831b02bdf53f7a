"""Handlers that record deliveries, hold them, or return them."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

from contract.broker import Delivery
from contract.codec import decode_job
from contract.job import Job
from contract.reasons import Reason
from contract.verdicts import Publish, Retry, Verdict
from tests.brokers import samples

Decide = Callable[[Delivery], Verdict]


def publish(delivery: Delivery) -> Verdict:
    return Publish(samples.processed(decode_job(delivery.body)))


class Recorder:
    """A handler that records deliveries and their times, and signals when the `expected` number is handled."""

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
    """A handler that holds deliveries until it is opened, and signals when it holds `expected` of them."""

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


class Loner:
    """A handler that fails each job until it is suspect, and then records whether other jobs run beside it."""

    def __init__(self, expected: int) -> None:
        self.published: list[str | None] = []
        self.begun, self.company, self.done = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self._in_hand = 0
        self._expected = expected

    async def __call__(self, delivery: Delivery) -> Verdict:
        self._in_hand += 1
        try:
            return await self._judge(delivery)
        finally:
            self._in_hand -= 1

    async def _judge(self, delivery: Delivery) -> Verdict:
        if self.begun.is_set() and self._in_hand > 1:
            self.company.set()
        if "innocent" not in str(decode_job(delivery.body).content):
            if not delivery.suspect:
                raise RuntimeError("no verdict")
            self.begun.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(0.1):
                    await self.company.wait()
        self.published.append(delivery.message_id)
        if len(self.published) == self._expected:
            self.done.set()
        return publish(delivery)


def retry_once(delay_s: float) -> Decide:
    def decide(delivery: Delivery) -> Verdict:
        job = decode_job(delivery.body)
        if job.attempt == 1:
            return Retry(samples.again(job), delay_s, Reason.SERVER_ERROR)
        return publish(delivery)

    return decide
