"""Fixtures that many tests share."""

import gc
import os
import signal
import subprocess
from collections.abc import Iterator
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from _pytest.mark.expression import Expression, ExpressionMatcher
from hypothesis import settings
from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase

from contract.label_values import VALUES, is_value
from contract.metrics import Metrics
from tests.postgres_cluster import PostgresCluster, running_postgres
from tests.rabbit_node import RabbitNode, running_node
from tests.suites import FOLDERS

ROOT = Path(__file__).parents[1]
KINDS = {kind: Expression.compile(kind) for kind in FOLDERS}

ALLOCATED = 10_000
"""New objects before a collection. With Python's 700, collections take 1.9 s of 15.8 s of CPU time, with these 0.7 s
(time.thread_time in gc.callbacks; 500 tests of the API)."""

BEYOND_UNIT = {"processes", "rabbit", "postgres", "system", "faults"}
"""Marks of the tests that `make unit` leaves out."""

# The examples of property tests are the same in each run, so that a change is what makes a test fail; `make fuzz` makes
# up others. How long an example takes depends on the machine.
settings.register_profile("copydesk", deadline=None, derandomize="COPYDESK_TEST_RANDOM" not in os.environ)
settings.load_profile("copydesk")

# A shell starts what runs in the background with SIGINT ignored, and children inherit that: Ctrl-C would do nothing.
signal.signal(signal.SIGINT, signal.default_int_handler)


# What is loaded is never garbage, and much: to look through it again and again takes a sixth of the time of unit tests.
gc.disable()


def pytest_collection_finish() -> None:
    """Leaves everything that is loaded by now out of garbage collections, and has fewer of them."""
    gc.freeze()
    gc.set_threshold(ALLOCATED)
    gc.enable()


def has_marks(marks: set[str]) -> ExpressionMatcher:
    """Returns what evaluates an expression of `-m` for a test with `marks`."""

    def matches(name: str, /, **_: str | int | bool | None) -> bool:
        return name in marks

    return matches


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Stops where a test is in no suite, because its suite does not look into its file."""
    for item in items:
        marks = has_marks({mark.name for mark in item.iter_markers()})
        (kind,) = (kind for kind, expression in KINDS.items() if expression.evaluate(marks))
        if item.path.is_relative_to(ROOT) and not any(item.path.is_relative_to(ROOT / path) for path in FOLDERS[kind]):
            where = item.path.relative_to(ROOT)
            raise pytest.UsageError(f"{item.name} is in no suite: tests/suites.py does not name {where} for {kind!r}")


@pytest.fixture(scope="session")
def rabbit_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitNode]:
    """A running RabbitMQ node for the whole run, started at first use. A test that kills it starts it again."""
    with running_node(tmp_path_factory.mktemp("rabbit")) as node:
        yield node


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresCluster]:
    """A running PostgreSQL for the whole run, started at first use. A test that kills it starts it again."""
    with running_postgres() as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def tests_that_start_programs_have_a_mark(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Fails a test of `make unit` that starts a program, as an interpreter or a database. Parser children are few."""
    if BEYOND_UNIT & {mark.name for mark in request.node.iter_markers()}:
        yield
        return
    started: list[Any] = []
    construct = subprocess.Popen.__init__

    @wraps(construct)
    def watched(self: Any, *arguments: Any, **options: Any) -> None:  # noqa: ANN401 - as Popen has them
        started.append((arguments, options))
        construct(self, *arguments, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", watched)
    yield
    assert started == [], f"a test that starts a program has one of the marks {sorted(BEYOND_UNIT)}"


@pytest.fixture(autouse=True)
def label_values_are_in_the_contract(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Fails a test in whose metrics a label has a value that `contract.label_values` does not have."""
    made: list[Metrics] = []
    construct = Metrics.__init__

    def watched(self: Metrics, registry: CollectorRegistry) -> None:
        construct(self, registry)
        made.append(self)

    monkeypatch.setattr(Metrics, "__init__", watched)
    yield
    assert [stray for metrics in made for stray in strays(metrics)] == []


def strays(metrics: Metrics) -> Iterator[tuple[str, str, str]]:
    """Yields metric, label and value where the contract does not have the value."""
    for metric in vars(metrics).values():
        if not isinstance(metric, MetricWrapperBase):
            continue
        for family in metric.collect():
            for sample in family.samples:
                for label in metric._labelnames:
                    if not is_value(VALUES[family.name][label], sample.labels[label]):
                        yield family.name, label, sample.labels[label]
