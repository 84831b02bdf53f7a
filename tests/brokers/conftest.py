"""The RabbitMQ of these tests, empty for each of them."""

from collections.abc import AsyncIterator

import pytest

from tests.brokers.rabbit_backend import RabbitBackend
from tests.rabbit_node import RabbitNode


@pytest.fixture
async def rabbit(rabbit_node: RabbitNode) -> AsyncIterator[RabbitBackend]:
    backend = RabbitBackend(rabbit_node.url)
    yield backend
    await backend.clear()
