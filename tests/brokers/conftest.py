"""The RabbitMQ of these tests, empty for each of them."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.brokers.rabbit_backend import RabbitBackend
from tests.rabbit_node import RabbitNode


@pytest.fixture
async def rabbit(rabbit_node: RabbitNode) -> AsyncIterator[RabbitBackend]:
    backend = RabbitBackend(rabbit_node.url)
    await backend.clear()  # queues that other tests declared with other arguments on the shared node
    yield backend
    await backend.clear()


@pytest.fixture
def mortal_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """A separate node for tests that kill it.

    The shared node would not survive: if queues are deleted while RabbitMQ 3.10 starts again, as `clear` does, it may
    lose its supervisor of dead lettering, and after that every channel.
    """
    node = RabbitNode(tmp_path_factory.mktemp("mortal"))
    try:
        node.start()
        yield node
    finally:
        node.close()


@pytest.fixture
def mortal_rabbit(mortal_node: RabbitNode) -> RabbitBackend:
    return RabbitBackend(mortal_node.url)
