"""The broker suite on RabbitMQ."""

import pytest

from tests.brokers.rabbit_backend import RabbitBackend
from tests.brokers.suite import BrokerSuite

pytestmark = pytest.mark.rabbit


class TestRabbitBroker(BrokerSuite):
    @pytest.fixture
    async def backend(self, rabbit: RabbitBackend) -> RabbitBackend:
        return rabbit
