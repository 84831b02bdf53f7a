import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from contract.broker import BrokerUnavailable, QueueDepth
from contract.job import Lane
from contract.ledger import LedgerUnavailable
from contract.topology import DELAYED, INTAKE_RETRY, lane_queue, retry_queue
from tests.service.conftest import NOW, RunningApi, StartApi, problem
from tests.service.ledgers import BrokenLedger

INTERACTIVE, BULK = lane_queue(Lane.INTERACTIVE), lane_queue(Lane.BULK)


class KnownPace:
    """A ledger with fixed figures: 1.5 interactive and 2 bulk documents a second; bulk has waited for 90 s."""

    async def decided_since(self, since: datetime) -> dict[Lane, int]:
        seconds = round((NOW - since).total_seconds())
        return {Lane.INTERACTIVE: 3 * seconds // 2, Lane.BULK: 2 * seconds}

    async def waiting_since(self, lane: Lane) -> datetime | None:
        return NOW - timedelta(seconds=90) if lane is Lane.BULK else None


async def figures(api: RunningApi) -> dict[str, Any]:
    response = await api.client.get("/v1/capacity")
    assert response.status == 200, await response.text()
    answer: dict[str, Any] = await response.json()
    return answer


def queues(interactive: QueueDepth, bulk: QueueDepth, **more: int) -> dict[str, QueueDepth]:
    return {INTERACTIVE: interactive, BULK: bulk} | {name: QueueDepth(count) for name, count in more.items()}


async def test_where_nothing_waits_a_document_waits_for_nothing(api: RunningApi) -> None:
    nothing = {"depth": 0, "oldest_s": 0.0, "decided_per_s": None, "expected_wait_s": 0.0}
    assert await figures(api) == {
        "at": "2024-10-19T08:30:00.000Z",
        "window_s": 120.0,
        "lanes": {"interactive": nothing, "bulk": nothing},
        "retrying": 0,
    }


async def test_a_bulk_document_waits_for_all_others_and_an_interactive_one_for_those_of_its_lane(
    start_api: StartApi,
) -> None:
    api = await start_api(ledger=KnownPace())
    api.broker.queues = queues(QueueDepth(7), QueueDepth(700))
    lanes = (await figures(api))["lanes"]
    assert lanes["interactive"] == {"depth": 7, "oldest_s": None, "decided_per_s": 1.5, "expected_wait_s": 2.0}
    assert lanes["bulk"] == {"depth": 700, "oldest_s": 90.0, "decided_per_s": 2.0, "expected_wait_s": 202.0}


async def test_what_the_broker_tells_of_ages_goes_before_what_the_ledger_tells(start_api: StartApi) -> None:
    api = await start_api(ledger=KnownPace())
    api.broker.queues = queues(QueueDepth(1, 0.25), QueueDepth(1, 80.0))
    lanes = (await figures(api))["lanes"]
    assert (lanes["interactive"]["oldest_s"], lanes["bulk"]["oldest_s"]) == (0.25, 80.0)


@pytest.mark.parametrize(
    ("queue_depths", "count"), [({DELAYED: 4}, 4), ({INTAKE_RETRY: 1, retry_queue(10): 2, retry_queue(60): 3}, 6)]
)
async def test_what_waits_for_another_attempt_is_counted(
    api: RunningApi, queue_depths: dict[str, int], count: int
) -> None:
    api.broker.queues = queues(QueueDepth(0), QueueDepth(0), **queue_depths)
    assert (await figures(api))["retrying"] == count


@pytest.mark.parametrize("failure", [LedgerUnavailable(), None], ids=["away", "hangs"])
async def test_without_a_ledger_that_answers_there_are_fewer_figures(
    start_api: StartApi, failure: Exception | None
) -> None:
    api = await start_api(ledger=BrokenLedger(failure))
    api.broker.queues = queues(QueueDepth(0), QueueDepth(5))
    bulk = (await figures(api))["lanes"]["bulk"]
    assert bulk == {"depth": 5, "oldest_s": None, "decided_per_s": None, "expected_wait_s": None}


async def test_many_who_ask_at_one_moment_share_one_look(api: RunningApi) -> None:
    await asyncio.gather(*(figures(api) for _ in range(20)))
    assert api.broker.looks == 1


async def test_a_broker_that_came_back_is_seen(api: RunningApi) -> None:
    api.broker.refusal = BrokerUnavailable()
    response = await api.client.get("/v1/capacity")
    assert (await problem(response))["type"] == "/problems/broker-unavailable"
    api.broker.refusal = None
    async with asyncio.timeout(60):
        while (await api.client.get("/v1/capacity")).status != 200:  # noqa: ASYNC110 - it is asked again in a second
            await asyncio.sleep(0.1)
