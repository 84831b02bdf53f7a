"""The modules that commands load, seen from outside: a process that parses no pages loads no parser and no model."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.system.processes import Process, copydesk, running
from tests.system.test_rabbit import ready

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

READERS = {"babel", "dateparser", "ftfy", "htmldate", "lxml", "numpy", "py3langid", "trafilatura"}
DATABASES = {"alembic", "asyncpg", "sqlalchemy"}
SHOW_IMPORTS = {"PYTHONPROFILEIMPORTTIME": "1"}
_IMPORT = re.compile(r"^import time: +\d+ \| +\d+ \| +([\w.]+)", re.MULTILINE)


def packages(printed: str) -> set[str]:
    """Returns the packages that a process imported, by the lines of Python's import profile."""
    found = {name.partition(".")[0] for name in _IMPORT.findall(printed)}
    assert {"runtime", "typer"} <= found, "there is no profile"
    return found


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Process]:
    with running("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path)) as process:
        yield process


def test_help_loads_no_client_no_server_and_no_reader() -> None:
    done = copydesk("--help", settings=SHOW_IMPORTS)
    assert done.returncode == 0
    assert (
        packages(done.stderr.decode()) & (READERS | DATABASES | {"aiohttp", "aio_pika", "prometheus_client"}) == set()
    )


def test_commands_that_ask_a_server_load_no_reader_and_no_database(up: Process, tmp_path: Path) -> None:
    api = up.wait_for_urls("api")["api"]
    commands = (
        ("submit", "--url", api, "-"),
        ("tail", "--url", api, "--after", "oldest", "--count", "1"),
        ("dead", "list", "--url", api),
        ("audit", "--data", str(tmp_path)),
    )
    for command in commands:
        done = copydesk(*command, settings=SHOW_IMPORTS, stdin=b"The ferry sails again on Monday.")
        printed = done.stderr.decode()
        assert done.returncode == 0, printed
        assert packages(printed) & (READERS | DATABASES) == set(), command


@pytest.mark.rabbit
async def test_serve_loads_no_reader_and_without_a_ledger_no_database(amqp_url: str) -> None:
    settings = {"COPYDESK_AMQP_URL": amqp_url, **SHOW_IMPORTS}
    with running("serve", "--port", "0", "--ops-port", "0", settings=settings) as serve:
        await ready(serve.wait_for_urls("ops")["ops"])
        assert serve.stop() == 0
        assert packages("\n".join(str(entry["event"]) for entry in serve.log)) & (READERS | DATABASES) == set()
