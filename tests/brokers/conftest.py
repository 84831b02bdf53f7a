"""The RabbitMQ of these tests, empty for each of them."""

import time
from collections.abc import AsyncIterator, Iterator

import pytest

from tests.brokers.rabbit_backend import RabbitBackend
from tests.rabbit_node import MEMORY_LIMIT, RabbitNode, running_node


@pytest.fixture
async def rabbit(rabbit_node: RabbitNode) -> AsyncIterator[RabbitBackend]:
    backend = RabbitBackend(rabbit_node.url)
    await backend.clear()  # queues that other tests declared with other arguments on the shared node
    yield backend
    await backend.clear()


@pytest.fixture(scope="session")
def mortal_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """A separate node for tests that kill it, or fill its memory. They leave it running.

    The shared node would not survive: if queues are deleted while RabbitMQ 3.10 starts again, as `clear` does, it may
    lose its supervisor of dead lettering, and after that every channel.
    """
    with running_node(tmp_path_factory.mktemp("mortal")) as node:
        yield node


@pytest.fixture
def mortal_rabbit(mortal_node: RabbitNode) -> Iterator[RabbitBackend]:
    """A new virtual host of that node, which stays: see above."""
    yield RabbitBackend(mortal_node.add_vhost(f"mortal{time.monotonic_ns()}"))
    mortal_node.limit_memory(MEMORY_LIMIT)
