"""Private RabbitMQ nodes, and the scale of the suite."""

import os
from collections.abc import Iterator

import pytest

from tests.rabbit_node import RabbitNode

DOCUMENTS = int(os.environ.get("COPYDESK_TEST_FAULT_DOCUMENTS", "200"))
WITHIN_S = 120 + DOCUMENTS / 10  # on two cores that others use, too: some six times what it takes when they are free
LOAD_S = 12 if DOCUMENTS >= 1000 else 5  # for how long documents come in; what breaks, breaks after the first quarter

KILLS = 20 if DOCUMENTS >= 1000 else 2  # of the leader of the log, each of which takes some ten seconds


@pytest.fixture(scope="session")
def documents() -> int:
    """How many documents go in while something breaks."""
    return DOCUMENTS


@pytest.fixture(scope="session")
def within_s() -> float:
    """How long a test waits for all of them to be decided."""
    return WITHIN_S


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """A running node of a module's own."""
    private = RabbitNode(tmp_path_factory.mktemp("rabbit"))
    try:
        private.start()
        yield private
    finally:
        private.close()
