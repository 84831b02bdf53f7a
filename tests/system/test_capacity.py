"""GET /v1/capacity of whole Copydesks: what waits, for how long, and what was decided lately."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.postgres_cluster import PostgresCluster
from tests.rabbit_node import RabbitNode
from tests.system.ledger_stacks import KINDS, SETTINGS, Stack, accepted, opened, until, until_all
from tests.system.processes import INSTALLED, copydesk, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

DOCUMENTS = 12
WINDOW_S = 120


@pytest.fixture(params=KINDS)
def stack(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Stack]:
    with opened(request, tmp_path) as stack:
        yield stack


async def interactive(http: aiohttp.ClientSession, api: str) -> dict[str, Any]:
    """Returns the figures of the interactive lane."""
    async with http.get(f"{api}/v1/capacity") as response:
        assert response.status == 200, await response.text()
        figures: dict[str, Any] = (await response.json())["lanes"]["interactive"]
    return figures


async def test_what_is_decided_gives_the_pace(stack: Stack) -> None:
    async with aiohttp.ClientSession() as http:
        ids = {await accepted(http, stack.api, number) for number in range(DOCUMENTS)}
        await until_all(stack.api, ids, "processed")

        async def is_told() -> bool:
            return bool((await interactive(http, stack.api))["decided_per_s"] == DOCUMENTS / WINDOW_S)

        await until(is_told)
        figures = await interactive(http, stack.api)
        assert (figures["depth"], figures["oldest_s"], figures["expected_wait_s"]) == (0, 0.0, 0.0)


@pytest.mark.rabbit
async def test_on_rabbitmq_the_ledger_tells_for_how_long_the_first_waits(
    rabbit_node: RabbitNode, cluster: PostgresCluster
) -> None:
    """Nobody works here: what is posted waits."""
    url = cluster.database()
    upgraded = copydesk("ledger", "upgrade", settings={"COPYDESK_LEDGER_URL": url}, program=INSTALLED)
    assert upgraded.returncode == 0, upgraded.stderr
    with rabbit_node.vhost("waiting") as amqp_url, ExitStack() as roles:
        settings = SETTINGS | {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_LEDGER_URL": url}
        roles.enter_context(running("record", "--ops-port", "0", settings=settings))
        serve = roles.enter_context(running("serve", "--port", "0", "--ops-port", "0", settings=settings))
        api = serve.wait_for_urls("api")["api"]
        async with aiohttp.ClientSession() as http:
            for number in range(3):
                await accepted(http, api, number)

            async def is_old() -> bool:
                figures = await interactive(http, api)
                return bool(figures["depth"] == 3 and (figures["oldest_s"] or 0) > 2)

            await until(is_old)
            figures = await interactive(http, api)
            assert (figures["decided_per_s"], figures["expected_wait_s"]) == (0.0, None)
