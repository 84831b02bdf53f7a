import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.workers.processes import descendants, is_running, wait_until

pytestmark = pytest.mark.processes

KILLED = """
import asyncio, sys
from prometheus_client import CollectorRegistry
from contract.metrics import Metrics
from tests.workers import hostile
from workers.children.pool import ParserPool, ParserLimits

async def main():
    metrics = Metrics(CollectorRegistry())
    async with ParserPool(hostile.obey, slots=3, limits=ParserLimits(), metrics=metrics) as parser:
        acts = [hostile.Act("spin"), hostile.Act("hang_telling", sys.argv[1]), hostile.Act("hang_in_c")]
        await asyncio.gather(*map(parser.run, acts))

asyncio.run(main())
"""


def test_a_killed_parent_leaves_nothing_behind(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    parent = subprocess.Popen([sys.executable, "-c", KILLED, str(pid_file)])
    try:
        wait_until(pid_file.exists, within_s=30)
        left = descendants(parent.pid)
        assert len(left) == 4  # three children, the fork server
    finally:
        parent.kill()
        parent.wait()
    wait_until(lambda: not any(map(is_running, left)))


def test_only_the_parent_handles_a_keyboard_interrupt(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    parent = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(pid_file)], start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until(pid_file.exists, within_s=30)
        left = descendants(parent.pid)
        os.killpg(parent.pid, signal.SIGINT)
        _, printed = parent.communicate(timeout=60)
    finally:
        parent.kill()
    assert printed.splitlines().count("KeyboardInterrupt") == 1
    wait_until(lambda: not any(map(is_running, left)))
