"""The sample for Alertmanager; test_alerts.py runs it."""

import subprocess

import pytest

from tests.system.alertmanager_server import CONFIGURATION, named_alerts
from tests.system.prometheus_server import alerts, program

pytestmark = pytest.mark.system


def test_alertmanager_takes_the_sample() -> None:
    done = subprocess.run(
        [program("amtool"), "check-config", str(CONFIGURATION)], check=False, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(("severity", "receiver"), [("critical", "pager"), ("warning", "team")])
def test_the_pager_hears_of_critical_alerts_alone(severity: str, receiver: str) -> None:
    call = [program("amtool"), "config", "routes", "test", f"--config.file={CONFIGURATION}", f"severity={severity}"]
    assert subprocess.run(call, check=True, capture_output=True, text=True).stdout.split() == [receiver]


def test_it_names_alerts_that_there_are() -> None:
    assert named_alerts() <= {rule["alert"] for rule in alerts()}
