"""Each alert fires when what it is about happens, and resolves when it is over: on real processes, at a hurried pace.

The tests share one Copydesk and follow one another: each leaves it in order. `make test` runs those that take seconds,
`make operations` all of them.
"""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import aiohttp
import pytest

from contract.topology import ACCEPTED, ATTEMPTS, DEAD, LOG, REQUESTS
from tests.forking.command import COPYDESK
from tests.system.boards import Query, boards, queries, variables, without_data
from tests.system.causes import (
    accepted,
    channel,
    consumer,
    large,
    load,
    make_small_log,
    make_unbounded,
    restore,
    site,
    stored,
    webhook,
)
from tests.system.mixed_load import mixed_load
from tests.system.pictures import take
from tests.system.processes import Process, running
from tests.system.prometheus_server import alerts, answer, linted, prometheus, until
from tests.system.watched import FACTOR, INTAKE_DOCUMENTS, TEXT, Alerts, Watched, watched

WHOLE = "COPYDESK_TEST_OPERATIONS" in os.environ
PICTURES = os.environ.get("COPYDESK_TEST_PICTURES")  # the folder for pictures of panels: make pictures
LOADED_S = 75  # before pictures are taken; chosen: more than they show
WITHIN_S = 900 if WHOLE else 150  # a range of 6 hours is 6 minutes here, and leaves nothing behind for as long
pytestmark = [pytest.mark.system, pytest.mark.rabbit, pytest.mark.timeout(WITHIN_S + 120)]
takes_minutes = pytest.mark.skipif(not WHOLE, reason="takes minutes: make operations")

SMALL, LARGE = "64m", "4g"  # sizes of a file system in memory: less and more than the alert's 1 GiB
MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$0" && shift && exec "$@"'
ENTER = ("unshare", "--map-root-user", "--mount")


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    with watched(tmp_path_factory.mktemp("watched")) as desk:
        yield desk


@pytest.fixture
def alert(desk: Watched) -> Alerts:
    desk.start_missing()  # a test before may have failed
    return Alerts(desk.prometheus)


async def test_nothing_fires_while_all_is_well(desk: Watched, alert: Alerts) -> None:
    await accepted(desk, 3)
    async with aiohttp.ClientSession(desk.prometheus) as http:
        await until(http, 'sum(copydesk_decided_seconds_count{kind="text",lane="interactive"})', 3)
        await until(http, "sum(copydesk_notified_seconds_count)", 3)
    quiet_s = 0
    async with asyncio.timeout(90):
        while quiet_s < 8:  # longer than most alerts wait; on a busy machine a scrape may fail at first
            firing = {one["alertname"] for one in await alert.firing()}
            # A machine that is busy with other tests takes longer than a second for some of the first documents.
            quiet_s = 0 if any("Burns" not in name for name in firing) else quiet_s + 1
            await asyncio.sleep(1)


async def test_every_role_passes_the_linter(desk: Watched) -> None:
    for address in desk.targets()["copydesk"]:
        async with aiohttp.ClientSession(f"http://{address}") as http, http.get("/metrics") as response:
            text = await response.text()
        assert f'version="{version("copydesk")}"' in text
        assert await asyncio.to_thread(linted, text) == ""


async def test_a_queue_without_bounds_and_sessions_that_flap(desk: Watched, alert: Alerts) -> None:
    await make_unbounded(desk, ATTEMPTS)
    for _ in range(7):
        desk.node.evaluate('rabbit_networking:close_all_connections("a test").')
        await asyncio.sleep(1)
    await alert.fires("CopydeskSessionsFlap")
    await alert.fires("CopydeskQueueUnbounded", queue=ATTEMPTS, bound="max_age")
    await restore(desk, ATTEMPTS)
    desk.node.evaluate('rabbit_networking:close_all_connections("a test").')
    await alert.resolves("CopydeskQueueUnbounded", "CopydeskSessionsFlap")


async def test_webhooks_that_fail_and_one_that_is_gone(desk: Watched, alert: Alerts) -> None:
    async with site(500) as (url, statuses), webhook(desk, f"{url}/ordered", ordered=True):
        async with site(410) as (gone, _), webhook(desk, f"{gone}/gone"):
            await accepted(desk, 2)
            await alert.fires("CopydeskWebhookDisabled", cause="gone")
        await alert.fires("CopydeskWebhookFails")
        if WHOLE:
            await alert.fires("CopydeskWebhooksBehind", within_s=120)
        statuses[0] = 204
        await alert.resolves("CopydeskWebhookFails", "CopydeskWebhooksBehind")
        async with aiohttp.ClientSession(desk.prometheus) as http:
            await until(http, "sum(copydesk_webhook_delay_seconds_count) >= bool 2", 1)
    if WHOLE:
        await alert.resolves("CopydeskWebhookDisabled", within_s=120)


@takes_minutes
async def test_a_subscriber_whose_queue_is_full(desk: Watched, alert: Alerts) -> None:
    async with channel(desk) as opened:
        queue = await opened.declare_queue("full", arguments={"x-max-length": 1, "x-overflow": "reject-publish"})
        await queue.bind("copydesk.documents", "#")
        await accepted(desk, 4)
        await alert.fires("CopydeskSubscriberFull")
        await queue.delete(if_unused=False, if_empty=False)
    await alert.resolves("CopydeskSubscriberFull")


async def test_the_disk_of_rabbitmq_is_nearly_full(desk: Watched, alert: Alerts) -> None:
    before = int(desk.node.value("rabbit_disk_monitor:get_disk_free_limit()"))
    free = int(desk.node.value("rabbit_disk_monitor:get_disk_free()"))
    nearly_full = {"alertname": "CopydeskBrokerDiskNearlyFull"}
    desk.node.evaluate(f"rabbit_disk_monitor:set_disk_free_limit({free * 7 // 10}).")
    await alert.fires("CopydeskBrokerDiskNearlyFull")
    await desk.alertmanager.hears("pager", "firing", nearly_full)
    desk.node.evaluate(f"rabbit_disk_monitor:set_disk_free_limit({before}).")
    await alert.resolves("CopydeskBrokerDiskNearlyFull")
    await desk.alertmanager.hears("pager", "resolved", nearly_full)


async def test_who_has_silenced_an_alert_does_not_hear_of_it_until_the_silence_ends(
    desk: Watched, alert: Alerts
) -> None:
    manager, wanted = desk.alertmanager, {"alertname": "CopydeskQueueUnbounded", "queue": REQUESTS}
    silence = await manager.amtool("add", **wanted)
    await make_unbounded(desk, REQUESTS)
    desk.node.evaluate('rabbit_networking:close_all_connections("a test").')
    await alert.fires("CopydeskQueueUnbounded", queue=REQUESTS)
    await manager.suppresses("silencedBy", wanted)
    assert REQUESTS in await manager.amtool("query")
    assert not manager.heard("firing", wanted)
    await manager.amtool("expire", silence)
    await manager.hears("team", "firing", wanted)
    await restore(desk, REQUESTS)
    desk.node.evaluate('rabbit_networking:close_all_connections("a test").')
    await alert.resolves("CopydeskQueueUnbounded", "CopydeskSessionsFlap")


async def test_no_worker_and_an_intake_that_fills_up(desk: Watched, alert: Alerts) -> None:
    await asyncio.to_thread(desk.kill, "work")
    async with load(desk, every_s=0.5):
        await alert.fires("CopydeskDown")
        await alert.fires("CopydeskRoleGone", role="work")
        await alert.fires("CopydeskNobodyWorks", queue="copydesk.intake.interactive")
        await alert.fires("CopydeskIntakeFillsUp", queue="copydesk.intake.interactive")
        await alert.fires("CopydeskIntakeNearlyFull", queue="copydesk.intake.interactive")
        await alert.fires("CopydeskRefusesForLackOfBroker", reason="intake_full")
        await alert.fires("CopydeskAcceptanceBurnsFast")
    if WHOLE:
        await alert.fires("CopydeskDocumentsWaitLong", lane="interactive", within_s=420)
    await asyncio.to_thread(desk.start, "work")
    if WHOLE:
        await alert.fires("CopydeskDecisionBurnsFast")
        await alert.fires("CopydeskDecisionBurnsSlowly")
        await alert.fires("CopydeskAcceptanceBurnsSlowly")
    await alert.resolves(
        "CopydeskDown",
        "CopydeskRoleGone",
        "CopydeskNobodyWorks",
        "CopydeskIntakeFillsUp",
        "CopydeskIntakeNearlyFull",
        "CopydeskRefusesForLackOfBroker",
        "CopydeskDocumentsWaitLong",
    )


async def test_the_broker_is_killed(desk: Watched, alert: Alerts) -> None:
    desk.node.settle()
    desk.node.kill()
    async with load(desk):
        await alert.fires("CopydeskBrokerDown")
        await alert.fires("CopydeskRefusesForLackOfBroker", reason="broker_unavailable")
        await alert.fires("CopydeskAuditStandsStill")
        await desk.alertmanager.hears("pager", "firing", {"alertname": "CopydeskBrokerDown"})
        refuses = {"alertname": "CopydeskRefusesForLackOfBroker", "reason": "broker_unavailable"}
        await desk.alertmanager.suppresses("inhibitedBy", refuses)
        assert not desk.alertmanager.heard("firing", refuses)
        await asyncio.to_thread(desk.node.start)
        await alert.resolves("CopydeskBrokerDown", "CopydeskRefusesForLackOfBroker", "CopydeskAuditStandsStill")


async def test_every_panel_of_the_dashboards_has_data(desk: Watched, alert: Alerts, tmp_path: Path) -> None:
    async with mixed_load(desk), aiohttp.ClientSession(desk.prometheus) as http:
        await until(http, 'sum(copydesk_verdicts_total{reason="processed"}) > bool 5', 1)
        desk.node.evaluate('rabbit_networking:close_all_connections("a test").')  # some panels count lost sessions,
        desk.signal_parsers(signal.SIGKILL)  # others replaced parsers
        asked = list(queries(await variables(http)))
        assert {query.board for query in asked} == set(boards())
        missing = await without_data(http, asked, within_s=120)
        assert missing == [], await told_of(desk, http, missing)
        if PICTURES:
            await asyncio.sleep(LOADED_S)
            await take(desk.prometheus, asked, tmp_path, Path(PICTURES))
    await alert.resolves("CopydeskSubscriberFull", "CopydeskWebhookFails", "CopydeskSessionsFlap", within_s=120)


async def told_of(desk: Watched, http: aiohttp.ClientSession, missing: list[Query]) -> str:
    """Returns what a person needs to find out why queries have no data: answers, scrapes, and the ends of the logs."""
    scrapes = ("up", "min_over_time(up[90s])", "max_over_time(scrape_duration_seconds[90s])")
    asked = [*(query.expression for query in missing), *scrapes]
    lines = [f"{one}: {await answer(http, '/api/v1/query', query=one)}" for one in asked]
    lines += [f"{name}: {entry}" for name, process in desk.processes.items() for entry in process.log[-20:]]
    return "\n".join(lines)


@takes_minutes
async def test_a_document_is_lost_and_posted_again(desk: Watched, alert: Alerts) -> None:
    body = {"text": f"{TEXT} It was never decided."}
    await asyncio.to_thread(desk.kill, "work")
    await stored(desk, body, key="lost")
    async with channel(desk) as opened:
        assert (await (await opened.get_queue("copydesk.intake.interactive")).purge()).message_count == 1
    await asyncio.to_thread(desk.start, "work")
    await alert.fires("CopydeskDocumentsMissing")
    await stored(desk, body, key="lost")
    await alert.resolves("CopydeskDocumentsMissing")


@takes_minutes
async def test_a_defect_and_dead_letters(desk: Watched, alert: Alerts) -> None:
    await asyncio.to_thread(desk.kill, "work")
    broken = (sys.executable, "-m", "tests.system.with_defect")
    await asyncio.to_thread(desk.start, "work", broken, COPYDESK_RETRY_DELAYS_S="0.1")
    await accepted(desk, 15)
    await alert.fires("CopydeskDefects", reason="internal_error")
    await alert.fires("CopydeskDocumentsBuried", reason="internal_error")
    await alert.fires("CopydeskDeadLettersWait", within_s=120)
    await asyncio.to_thread(desk.kill, "work")
    await asyncio.to_thread(desk.start, "work")
    async with channel(desk) as opened:
        assert (await opened.get_queue(DEAD)).declaration_result.message_count == 15
    async with (
        aiohttp.ClientSession(desk.api) as http,
        http.post("/v1/dead/retry", params={"all": "true"}) as response,
    ):
        assert (await response.json())["retried"] == 15
    await alert.resolves("CopydeskDefects", "CopydeskDocumentsBuried", "CopydeskDeadLettersWait")


@takes_minutes
async def test_a_site_that_is_down_for_most_documents(desk: Watched, alert: Alerts) -> None:
    async with site(503) as (url, statuses):
        for number in range(INTAKE_DOCUMENTS // 2 + 10):
            await stored(desk, {"url": f"{url}/{number}"})
        await alert.fires("CopydeskMostAttemptsFail")
        await alert.fires("CopydeskRetryBacklog")
        statuses[0] = 200
        await alert.resolves("CopydeskMostAttemptsFail", "CopydeskRetryBacklog", within_s=120)


@takes_minutes
async def test_parsers_that_are_never_idle(desk: Watched, alert: Alerts) -> None:
    await asyncio.to_thread(desk.kill, "work")
    await asyncio.to_thread(desk.start, "work", COPYDESK_MAX_WAITING="0")
    desk.signal_parsers(signal.SIGSTOP)
    await accepted(desk, 35)
    await alert.fires("CopydeskWorkersSaturated", within_s=120)
    desk.signal_parsers(signal.SIGCONT)
    await alert.resolves("CopydeskWorkersSaturated")


@takes_minutes
async def test_a_second_audit(desk: Watched, alert: Alerts) -> None:
    await asyncio.to_thread(desk.start, "audit_again")
    await alert.fires("CopydeskTwoAudits")
    await asyncio.to_thread(desk.kill, "audit_again")
    await alert.resolves("CopydeskTwoAudits")


@takes_minutes
async def test_the_database_of_the_ledger_is_away(desk: Watched, alert: Alerts) -> None:
    await asyncio.to_thread(desk.cluster.kill)
    await alert.fires("CopydeskNobodyRecords")
    await alert.fires("CopydeskLedgerBehind")
    await asyncio.to_thread(desk.cluster.start)
    await alert.resolves("CopydeskNobodyRecords", "CopydeskLedgerBehind")


@takes_minutes
async def test_a_consumer_that_does_not_read_what_a_full_log_removes(desk: Watched, alert: Alerts) -> None:
    await make_small_log(desk)
    async with consumer(desk, "asleep"), asyncio.timeout(WITHIN_S):
        number = 0
        while not any(one["alertname"] == "CopydeskEventsExpireUnread" for one in await alert.firing()):
            await large(desk, number := number + 1)
        await alert.fires("CopydeskEventsExpireUnread", reader="consumer")
        assert not [one for one in await alert.firing() if one.get("reader") not in {None, "consumer"}]
    await alert.resolves("CopydeskEventsExpireUnread")
    await alert.resolves("CopydeskLedgerHasGap", "CopydeskWebhookMissedEvents", within_s=120)


@takes_minutes
async def test_the_log_is_deleted_before_it_was_read(desk: Watched, alert: Alerts) -> None:
    async with site(204) as (url, _), webhook(desk, url):
        await accepted(desk, 3)
        for name in ("record", "deliver", "audit"):
            await asyncio.to_thread(desk.kill, name)
        async with channel(desk) as opened:
            for stream in (LOG, ACCEPTED):  # without its verdicts, what was accepted would count as missing
                await opened.queue_delete(stream)
        desk.node.evaluate('rabbit_networking:close_all_connections("a test").')
        await accepted(desk, 1)
        for name in ("record", "deliver", "audit"):
            await asyncio.to_thread(desk.start, name)
        await alert.fires("CopydeskLedgerHasGap", stream=LOG)
        await alert.fires("CopydeskWebhookMissedEvents")
    await alert.resolves("CopydeskLedgerHasGap", "CopydeskWebhookMissedEvents", within_s=120)
    await alert.resolves("CopydeskDocumentsMissing", "CopydeskDocumentsWaitLong")


@takes_minutes
async def test_every_alert_was_seen_to_fire_and_to_resolve(alert: Alerts) -> None:
    await alert.resolves(*(rule["alert"] for rule in alerts()), within_s=WITHIN_S)
    elsewhere = {"CopydeskDiskNearlyFull"}  # below: another broker
    assert await alert.ever_fired() == {rule["alert"] for rule in alerts()} - elsewhere


def may_mount() -> bool:
    return shutil.which("unshare") is not None and not subprocess.run([*ENTER, "true"], check=False).returncode


def make_room(process: Process, folder: Path) -> None:
    inside = ("nsenter", "-t", str(process.pid), "--user", "--mount", "--preserve-credentials")
    subprocess.run([*inside, "mount", "-o", f"remount,size={LARGE}", "tmpfs", str(folder)], check=True)


async def test_the_disk_of_the_embedded_broker_is_nearly_full(tmp_path: Path) -> None:
    if not await asyncio.to_thread(may_mount):
        pytest.skip("needs user namespaces, to mount a small file system")
    data = tmp_path / "data"
    data.mkdir()
    program = (*ENTER, "sh", "-c", MOUNT, str(data), SMALL, COPYDESK)
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(data), program=program) as process:
        ops = process.wait_for_urls("ops")["ops"].removeprefix("http://")
        with prometheus(tmp_path / "prometheus", {"copydesk": [ops]}, factor=FACTOR) as url:
            alert = Alerts(url)
            await alert.fires("CopydeskDiskNearlyFull", instance=ops)
            await asyncio.to_thread(make_room, process, data)
            await alert.resolves("CopydeskDiskNearlyFull")
