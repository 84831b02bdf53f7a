import subprocess
import sys

SCRIPT = """
import structlog
from runtime import logs, settings
logs.configure(settings.load({"log_format": "json"}, {}))
for _ in range(3):
    structlog.get_logger().warning("delivery_given_back", detail="x" * 10_000)
print("still there")
"""


def run(stderr: str) -> str:
    with open(stderr, "w") as log:  # noqa: PTH123 - a device
        return subprocess.run(
            [sys.executable, "-c", SCRIPT], stdout=subprocess.PIPE, stderr=log, text=True, check=False
        ).stdout


def test_a_log_that_takes_no_more_lines_ends_nothing() -> None:
    assert run("/dev/full") == run("/dev/null") == "still there\n"
