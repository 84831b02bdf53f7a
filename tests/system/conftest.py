"""Fixtures that several system tests share."""

import time
from collections.abc import Iterator

import pytest

from tests.rabbit_node import RabbitNode


@pytest.fixture
def amqp_url(rabbit_node: RabbitNode) -> Iterator[str]:
    """The URL of a virtual host for one test: what other tests left in their queues is not in it."""
    with rabbit_node.vhost(f"test{time.monotonic_ns()}") as url:
        yield url
