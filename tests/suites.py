"""Runs the test suites side by side. `python -m tests.suites` runs all of them, as `make test` does.

Most of the time of a test goes into waiting: for brokers and processes to start, for timeouts, for retries. So several
suites share the cores. Each suite is a pytest process with its own time limits: a suite that hangs ends alone, and the
others go on. The output of a suite is printed when the suite ends. pytest's closing lines come last, first those of the
suites that passed, then those of the suites that failed.
"""

import os
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
FOLDERS = {
    FAULTS: ("tests/faults",),
    SYSTEM: ("tests/canaries", "tests/deploy/test_wheel.py", "tests/fuzz", "tests/system"),
    SYSTEM_ON_RABBIT: ("tests/canaries", "tests/system"),
    BROKERS: ("tests/brokers", "tests/runtime/ledger"),
    PROCESSES: (
        *("tests/brokers/test_embedded_crashes.py", "tests/clients", "tests/forking", "tests/runtime"),
        *(f"tests/deploy/test_{name}.py" for name in ("chart", "compose", "systemd")),
        *("tests/service/test_docs_files.py", "tests/test_suites.py"),
        *("tests/workers/children/test_pool_end.py", "tests/workers/test_light.py", "tests/workers/test_robust.py"),
    ),
    UNIT: (
        *("tests/brokers", "tests/clients", "tests/contract", "tests/deploy", "tests/fuzz", "tests/runtime"),
        *("tests/seeds", "tests/service", "tests/workers"),
        *(f"tests/test_{name}.py" for name in ("constants", "decisions", "documents", "suites")),
    ),
}
"""Where the tests of each kind are. pytest imports no other files for them, which takes it up to eight seconds."""

_WORKER_FAULTS = tuple(
    f"tests/faults/test_{name}.py" for name in ("ledger", "webhooks", "worker")
)  # about half of the time of all faults
_ROBUST = ("tests/workers/test_robust.py",)  # its time goes into one parser child
_LONG = (
    *("tests/canaries", "tests/fuzz"),
    *(f"tests/system/test_{name}.py" for name in ("ledger", "processes", "streams")),
)  # about half of the time of the system tests without RabbitMQ
_REPLICAS = (
    "tests/canaries",
    *(f"tests/system/test_{name}.py" for name in ("api_keys", "audit", "document_acts", "ledger")),
)  # they start several servers and a database each: about half of the time of the system tests on RabbitMQ
_ALERTS = ("tests/system/test_alerts.py",)  # three minutes, nearly all of it waiting for Prometheus
_API = ("tests/service",)  # a quarter of the CPU time of the unit tests, as each of the next two and the rest
_DELIVERY = (
    *("tests/fuzz", "tests/workers/deliver", "tests/workers/fetch", "tests/workers/children"),
    "tests/workers/test_duplicates.py",
)
_READING = ("tests/workers", "tests/seeds")  # without those


@dataclass(frozen=True, slots=True)
class Suite:
    """A part of the tests: its name, and the arguments that select it."""

    name: str
    arguments: tuple[str, ...]


def _part(name: str, kind: str, *paths: str, but: Sequence[str] = ()) -> Suite:
    """The tests of `kind` in `paths`, without those in the paths `but`."""
    inside = (path for path in but if path.startswith(tuple(f"{folder}/" for folder in paths)))
    return Suite(name, (*_options(kind), *paths, *(f"--ignore={path}" for path in inside)))


def _rest(name: str, kind: str, *but: str) -> Suite:
    """All tests of `kind` but those in the paths `but`."""
    return _part(name, kind, *(path for path in FOLDERS[kind] if path not in but), but=but)


def _options(kind: str) -> tuple[str, ...]:
    return (*(PATIENTLY if kind == FAULTS else ()), "-m", kind)


# The longest first. Every test is in exactly one of them: its marks choose a kind, its file or folder a part of it.
SUITES = (
    _rest("system on RabbitMQ", SYSTEM_ON_RABBIT, *_REPLICAS, *_ALERTS),
    _rest("brokers and databases", BROKERS),
    _rest("system", SYSTEM, *_LONG),
    _rest("faults of brokers", FAULTS, *_WORKER_FAULTS),
    _part("system on RabbitMQ: replicas", SYSTEM_ON_RABBIT, *_REPLICAS),
    _part("system: long ones", SYSTEM, *_LONG),
    _part("system on RabbitMQ: alerts", SYSTEM_ON_RABBIT, *_ALERTS),
    _part("faults of workers and ledgers", FAULTS, *_WORKER_FAULTS),
    _rest("processes", PROCESSES, *_ROBUST),
    _rest("unit: the rest", UNIT, *_API, *_DELIVERY, *_READING),
    _part("unit: API", UNIT, *_API),
    _part("processes: robust", PROCESSES, *_ROBUST),
    _part("unit: fetching and delivery", UNIT, *_DELIVERY),
    _part("unit: reading", UNIT, *_READING, but=_DELIVERY),
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
    env = os.environ | {"PYTHONDONTWRITEBYTECODE": ""}  # as of images: hundreds of interpreters would compile the code
    with TemporaryFile() as printed:  # not a pipe: a process that a dead pytest left behind would keep it open
        try:
            code = subprocess.run(
                command, env=env, stdout=printed, stderr=subprocess.STDOUT, timeout=SUITE_TIMEOUT_S, check=False
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
