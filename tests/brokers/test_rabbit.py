"""The broker suite on RabbitMQ."""

import asyncio

import pytest

from contract.broker import Delivery
from contract.codec import decode_job
from contract.job import Lane
from contract.reasons import Reason
from contract.verdicts import Retry, Verdict
from tests.brokers import samples
from tests.brokers.rabbit_backend import RabbitBackend
from tests.brokers.suite import BrokerSuite, Gate, Recorder, consuming

pytestmark = pytest.mark.rabbit


class TestRabbitBroker(BrokerSuite):
    @pytest.fixture
    async def backend(self, rabbit: RabbitBackend) -> RabbitBackend:
        return rabbit

    async def test_a_retried_interactive_job_does_not_wait_for_a_slot_of_bulk(self, backend: RabbitBackend) -> None:
        bulk, again = Gate(1), Recorder(1)

        async def by_lane(delivery: Delivery) -> Verdict:
            job = decode_job(delivery.body)
            if job.lane is Lane.BULK:
                return await bulk(delivery)
            if job.attempt == 1:
                return Retry(samples.again(job), backend.delays_s[0], Reason.SERVER_ERROR)
            return await again(delivery)

        async with backend.broker() as broker, consuming(broker, by_lane, slots=2):
            await broker.put(samples.job(Lane.BULK))
            await bulk.full.wait()
            await broker.put(samples.job())
            async with asyncio.timeout(60):
                await again.done.wait()
            bulk.opened.set()
