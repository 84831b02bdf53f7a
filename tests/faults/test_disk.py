"""The disk of the embedded broker is full for a while. The file system is real, and seen by that process alone."""

import asyncio
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.balance import counted, event_stream
from tests.faults.deployment import wait_until_ready
from tests.faults.load import Client, recovery_s, tiny, within
from tests.forking.command import COPYDESK
from tests.system.processes import Process

pytestmark = [pytest.mark.faults, pytest.mark.timeout(800)]

SMALL, LARGE = "4m", "500m"
FILLS = 200  # documents of some 4 KiB
WITHIN_S = 300
MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$0" && shift && exec "$@"'
ENTER = ("unshare", "--map-root-user", "--mount")


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Process]:
    if shutil.which("unshare") is None or subprocess.run([*ENTER, "true"], capture_output=True, check=False).returncode:
        pytest.skip("needs user namespaces, to mount a small file system")
    program = (*ENTER, "sh", "-c", MOUNT, str(tmp_path), SMALL, COPYDESK)
    arguments = ("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path), "--slots", "2")
    process = Process(*arguments, program=program)
    try:
        wait_until_ready(process)
        yield process
    finally:
        process.close()
        print(*process.log[-20:], sep="\n")  # noqa: T201 - pytest shows it where the test failed


def make_room(process: Process, folder: Path) -> None:
    inside = ("nsenter", "-t", str(process.pid), "--user", "--mount", "--preserve-credentials")
    subprocess.run([*inside, "mount", "-o", f"remount,size={LARGE}", "tmpfs", str(folder)], check=True)


def fill(process: Process, folder: Path) -> None:
    """Fills the rest of the process's file system."""
    with Path(f"/proc/{process.pid}/root{folder}/ballast").open("wb", buffering=0) as ballast, suppress(OSError):
        while True:
            ballast.write(bytes(4096))


async def test_disk_full(up: Process, tmp_path: Path) -> None:
    api = up.wait_for_urls("api")["api"]
    client = Client(lambda: api)
    submissions = [tiny(number) | {"text": tiny(number)["text"] * 16} for number in range(FILLS)]
    async with within(WITHIN_S, client), asyncio.TaskGroup() as group:
        posting = group.create_task(client.post_all(submissions))
        await client.until_accepted(FILLS // 8)
        await asyncio.to_thread(fill, up, tmp_path)
        await client.until_refused(30)
        await asyncio.sleep(3)
        assert up.returncode is None, "the process ended"
        await asyncio.to_thread(make_room, up, tmp_path)
        async with event_stream(lambda: api) as events:
            seconds = await recovery_s(client, events.until_decided)
            await posting
            await events.until_decided(client.accepted)
        row = counted("embedded broker's disk full", client.accepted, events, events, seconds)
    assert row.lost == row.differing == 0
    assert client.answers.keys() == {202, 503}
    assert client.slowest_s < 8  # 4 s, and a busy machine
