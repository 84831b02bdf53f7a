"""Fixtures that many tests share."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.rabbit_node import RabbitNode

settings.register_profile("copydesk", deadline=None)  # how long an example takes depends on the machine
settings.load_profile("copydesk")


@pytest.fixture(scope="session")
def rabbit_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """A running RabbitMQ node for the whole run, started at first use. Who kills it starts it again."""
    node = RabbitNode(tmp_path_factory.mktemp("rabbit"))
    try:
        node.start()
        yield node
    finally:
        node.close()
