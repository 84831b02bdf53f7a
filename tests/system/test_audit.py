"""`copydesk audit` and `copydesk topology --check` as an operator runs them."""

import asyncio
import json
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import aio_pika
import aiohttp
import pytest

from tests.system.processes import Process, copydesk, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 5


async def post(api: str, count: int) -> list[str]:
    async with aiohttp.ClientSession(api) as http:
        ids = []
        for number in range(count):
            async with http.post("/v1/documents", json={"text": f"{TEXT}\n\nEdition {number}."}) as response:
                assert response.status == 202, await response.text()
                ids.append((await response.json())["id"])
    return ids


def audit(*options: str, settings: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
    done = copydesk("audit", "--json", *options, settings=settings)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


async def audited(*options: str, settings: dict[str, str] | None = None, **wanted: int) -> tuple[int, dict[str, Any]]:
    """Audits until the balance is as wanted."""
    while True:
        code, balance = await asyncio.to_thread(audit, *options, settings=settings)
        if all(balance[name] == count for name, count in wanted.items()):
            return code, balance
        await asyncio.sleep(0.2)


def up(data: Path, *, slots: int = 1, **settings: str) -> AbstractContextManager[Process]:
    arguments = ("up", "--port", "0", "--ops-port", "0", "--data", str(data), "--slots", str(slots))
    return running(*arguments, settings=settings)


async def metrics(process: Process) -> str:
    url = process.wait_for_urls("ops")["ops"]
    async with aiohttp.ClientSession(url) as http, http.get("/metrics") as response:
        return await response.text()


async def shown(process: Process, line: str) -> None:
    """Waits until the metrics of a process have this line."""
    while line not in (await metrics(process)).splitlines():  # noqa: ASYNC110 - another process tells it only when asked
        await asyncio.sleep(0.2)


async def test_the_embedded_brokers_books_balance_while_it_runs_and_after(tmp_path: Path) -> None:
    data = ("--data", str(tmp_path))
    with up(tmp_path) as process:
        await post(process.wait_for_urls("api")["api"], 5)
        assert (await audited(*data, decided=5))[0] == 0
        await shown(process, 'copydesk_queue_depth{queue="copydesk.intake.interactive"} 0.0')
        assert process.stop() == 0
    code, balance = audit(*data)
    assert (code, balance["accepted"], balance["decided"], balance["missing"]) == (0, 5, 5, 0)
    table = copydesk("audit", *data)
    assert table.returncode == 0
    assert b"5  accepted" in table.stdout


async def test_a_folder_without_books_is_named(tmp_path: Path) -> None:
    done = copydesk("audit", "--data", str(tmp_path / "none"))
    assert done.returncode == 3
    assert str(tmp_path / "none") in done.stderr.decode()


async def test_a_watch_keeps_the_gauges(tmp_path: Path) -> None:
    with up(tmp_path) as process:
        await post(process.wait_for_urls("api")["api"], 2)
        with running("audit", "--data", str(tmp_path), "--watch", "1", "--ops-port", "0") as watch:
            await shown(watch, 'copydesk_audit_runs{state="decided"} 2.0')
            await post(process.wait_for_urls("api")["api"], 1)
            await shown(watch, 'copydesk_audit_runs{state="decided"} 3.0')
            await shown(watch, 'copydesk_audit_runs{state="missing"} 0.0')
            assert watch.stop() == 0


@pytest.mark.rabbit
async def test_documents_that_are_taken_from_a_queue_are_missed(amqp_url: str) -> None:
    settings = {"COPYDESK_AMQP_URL": amqp_url, "COPYDESK_JOB_TIMEOUT_S": "2"}
    with running("serve", "--port", "0", "--ops-port", "0", settings=settings) as serve:
        api = serve.wait_for_urls("api")["api"]
        await post(api, 3)
        with running("work", "--slots", "1", "--ops-port", "0", settings=settings):
            assert (await audited(settings=settings, decided=3))[0] == 0
        ids = await post(api, 4)
        code, balance = audit("--patience", "0", settings=settings)
        assert (code, balance["in_flight"], balance["queues"]["copydesk.intake.interactive"]) == (0, 4, 4)
        await shown(serve, 'copydesk_queue_depth{queue="copydesk.intake.interactive"} 4.0')
        await take(settings["COPYDESK_AMQP_URL"], 1)
        with running("work", "--slots", "1", "--ops-port", "0", settings=settings):
            assert (await audited(settings=settings, decided=6))[0] == 0
        code, balance = audit("--patience", "0", settings=settings)
        assert (code, balance["missing"], balance["in_flight"]) == (1, 1, 0)
        assert balance["missing_ids"] == [f"{ids[0]}.1"]


async def take(url: str, count: int) -> None:
    """Takes jobs away, as nobody should."""
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue("copydesk.intake.interactive")
        for _ in range(count):
            await queue.get(no_ack=True)


@pytest.mark.rabbit
async def test_topology_says_what_is_not_as_it_should_be(amqp_url: str) -> None:
    settings = {"COPYDESK_AMQP_URL": amqp_url}
    missing = copydesk("topology", "--check", settings=settings)
    assert missing.returncode == 1
    assert b"queue copydesk.lost: is missing. Run `copydesk topology`" in missing.stdout
    assert copydesk("topology", settings=settings).returncode == 0
    assert copydesk("topology", "--check", settings=settings).returncode == 0
    otherwise = {**settings, "COPYDESK_DELIVERY_LIMIT": "7"}
    for arguments in (("topology", "--check"), ("topology",)):
        done = copydesk(*arguments, settings=otherwise)
        assert done.returncode == 1
        assert b"queue copydesk.intake.bulk: x-delivery-limit is 20 instead of 7" in done.stdout
