"""The audit of the embedded broker's folder, also when another one takes its place between two looks."""

import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from contract.broker import BrokerUnavailable
from contract.metrics import Metrics
from runtime.audit import AuditLimits, Balance
from runtime.auditor import Auditor
from runtime.brokers.embedded import EmbeddedBroker
from runtime.brokers.embedded.audit import EmbeddedAudit
from runtime.brokers.embedded.broker import FILE
from tests.brokers import samples
from tests.brokers.suite import Recorder, consume_until, put_all

Fill = Callable[[int, int], Awaitable[None]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def fill(folder: Path) -> Fill:
    async def fill(decided: int, waiting: int) -> None:
        """Has so many new documents decided, and then so many accepted that nobody takes."""
        async with EmbeddedBroker(folder, metrics=Metrics(CollectorRegistry())) as broker:
            await put_all(broker, samples.jobs(decided))
            if decided:
                await consume_until(broker, Recorder(decided))
            await put_all(broker, samples.jobs(waiting))

    return fill


def auditor(folder: Path) -> Auditor:
    return Auditor(lambda: EmbeddedAudit(folder / FILE), AuditLimits(max_run_s=0, hold_s=0), time.time)


def counts(balance: Balance) -> tuple[int, int, int, int]:
    return balance.accepted, balance.decided, balance.in_flight, balance.missing


async def test_an_auditor_reads_on_from_where_it_was(folder: Path, fill: Fill) -> None:
    audit = auditor(folder)
    await fill(2, 1)
    with capture_logs() as logs:
        assert counts(await audit.balance()) == (3, 2, 1, 0)
        assert counts(await audit.balance()) == (3, 2, 1, 0)
    assert logs == []


@pytest.mark.parametrize(
    ("before", "after"),
    [((3, 1), (1, 1)), ((1, 1), (4, 2)), ((2, 1), (2, 1)), ((0, 2), (0, 5)), ((0, 5), (0, 1))],
    ids=["fewer", "more", "as many", "more without a verdict", "fewer without a verdict"],
)
async def test_another_folder_in_the_place_of_the_first_is_audited_from_its_beginning(
    folder: Path, fill: Fill, before: tuple[int, int], after: tuple[int, int]
) -> None:
    audit = auditor(folder)
    await fill(*before)
    assert counts(await audit.balance()) == (sum(before), *before, 0)
    shutil.rmtree(folder)
    with pytest.raises(BrokerUnavailable):
        await audit.balance()
    await fill(*after)
    with capture_logs() as logs:
        assert counts(await audit.balance()) == (sum(after), *after, 0)
    assert [entry["event"] for entry in logs] == ["audit_begins_anew"]
