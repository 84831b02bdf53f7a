"""Runs the test suites side by side. `python -m tests.suites` runs all of them, as `make test` does.

Most of the time of a test goes into waiting: for brokers and processes to start, for timeouts, for retries. So several
suites share the cores. Each suite is a pytest process with its own time limits: a suite that hangs ends alone, and the
others go on. The output of a suite is printed when the suite ends. pytest's closing lines come last, first those of the
suites that passed, then those of the suites that failed.
"""

import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from tempfile import TemporaryFile

AT_ONCE = 4  # chosen for two cores: a third of the time of a test is waiting
SUITE_TIMEOUT_S = 2700  # pytest's own session_timeout ends a suite before; this is for a pytest that hangs at its end

PATIENTLY = ("-o", "faulthandler_timeout=900")  # one fault may take minutes, and starts many processes
FAULTS = "faults"
SYSTEM = "system and not (rabbit or faults)"
SYSTEM_ON_RABBIT = "system and rabbit and not faults"
BROKERS = "(rabbit or postgres) and not (system or faults)"
PROCESSES = "processes and not (rabbit or postgres or system or faults)"
UNIT = "not (processes or rabbit or postgres or system or faults)"
_WORKER_FAULTS = "tests/faults/test_worker.py"  # about half of the time of all faults
_ROBUST = "tests/workers/test_robust.py"  # its time goes into one parser child
_LONG = (
    *("tests/canaries", "tests/fuzz"),
    *(f"tests/system/test_{name}.py" for name in ("ledger", "processes", "streams")),
)  # about half of the time of the system tests without RabbitMQ
_REPLICAS = (
    "tests/canaries",
    *(f"tests/system/test_{name}.py" for name in ("api_keys", "audit", "document_acts", "ledger")),
)  # they start several servers and a database each: about half of the time of the system tests on RabbitMQ
_WORKERS, _API = ("tests/workers", "tests/seeds"), ("tests/service", "tests/fuzz")  # a third of the unit tests each


@dataclass(frozen=True, slots=True)
class Suite:
    """A part of the tests: its name, and the arguments that select it."""

    name: str
    arguments: tuple[str, ...]


# The longest first. Every test is in exactly one of them: its marks choose a kind, its file or folder a part of it.
SUITES = (
    Suite("system on RabbitMQ: replicas", ("-m", SYSTEM_ON_RABBIT, *_REPLICAS)),
    Suite("system on RabbitMQ", ("-m", SYSTEM_ON_RABBIT, *(f"--ignore={path}" for path in _REPLICAS))),
    Suite("brokers and databases", ("-m", BROKERS)),
    Suite("faults of brokers", (*PATIENTLY, "-m", FAULTS, f"--ignore={_WORKER_FAULTS}")),
    Suite("system: long ones", ("-m", SYSTEM, *_LONG)),
    Suite("system", ("-m", SYSTEM, *(f"--ignore={path}" for path in _LONG))),
    Suite("faults of workers", (*PATIENTLY, "-m", FAULTS, _WORKER_FAULTS)),
    Suite("processes", ("-m", PROCESSES, f"--ignore={_ROBUST}")),
    Suite("processes: robust", ("-m", PROCESSES, _ROBUST)),
    Suite("unit: workers", ("-m", UNIT, *_WORKERS)),
    Suite("unit: API", ("-m", UNIT, *_API)),
    Suite("unit: the rest", ("-m", UNIT, *(f"--ignore={folder}" for folder in (*_WORKERS, *_API)))),
)


@dataclass(frozen=True, slots=True)
class Ended:
    """A suite that ended with exit code `code`, after `seconds`."""

    suite: Suite
    code: int
    output: str
    seconds: float

    @property
    def closing_line(self) -> str:
        """The last line that pytest printed."""
        return next((line for line in reversed(self.output.splitlines()) if line.strip()), "pytest printed nothing")


def run(suite: Suite) -> Ended:
    """Runs `suite` to its end, and prints its output."""
    began = time.monotonic()
    command = [sys.executable, "-m", "pytest", "--durations=10", *suite.arguments]
    with TemporaryFile() as printed:  # not a pipe: a process that a dead pytest left behind would keep it open
        try:
            code = subprocess.run(
                command, stdout=printed, stderr=subprocess.STDOUT, timeout=SUITE_TIMEOUT_S, check=False
            ).returncode
        except subprocess.TimeoutExpired:
            code = 1
            printed.write(f"\nno end within {SUITE_TIMEOUT_S} s\n".encode())
        printed.seek(0)
        output = printed.read().decode(errors="replace")
    ended = Ended(suite, code, output, time.monotonic() - began)
    _print(f"----- {suite.name}: exit code {code} after {ended.seconds:.0f} s\n{output}")
    return ended


def main(suites: Sequence[Suite] = SUITES) -> int:
    """Runs `suites`, prints their closing lines, and returns 0 if all passed, else 1."""
    _print(f"{len(suites)} suites, {AT_ONCE} at once: the output of each is printed when it ends")
    with ThreadPoolExecutor(AT_ONCE) as pool:
        results = list(pool.map(run, suites))
    for ended in sorted(results, key=lambda ended: ended.code != 0):
        _print(f"{ended.suite.name}:\n{ended.closing_line}")
    return int(any(ended.code for ended in results))


def _print(text: str) -> None:
    print(text, flush=True)  # noqa: T201 - this is a program that prints


if __name__ == "__main__":
    chosen = tuple(sys.argv[1:])
    sys.exit(main([suite for suite in SUITES if suite.name.startswith(chosen or "")]))
