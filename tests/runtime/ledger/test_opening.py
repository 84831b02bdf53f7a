"""Faults of the ledger's database that end `serve` and `record` at the start, in one line, and faults that do not."""

import os
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from contract.metrics import Metrics
from contract.tracing import OFF
from runtime.errors import StartError
from runtime.ledger import opening, schema
from runtime.ledger.database import ledger_url
from runtime.settings import load
from tests.ledger_model import empty_ledger
from tests.postgres_cluster import PASSWORD, PostgresCluster
from tests.rabbit_node import free_ports
from tests.runtime.ledger.records import Records

# As who may read every file, but has no right to write those that deny it: root has by default.
UNPRIVILEGED = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override") if os.getuid() == 0 else ()


Opened = Callable[[str], Awaitable[None]]


async def asked(url: str) -> None:
    async with opening.open_ledger(url):
        return


async def recorded(url: str) -> None:
    settings = load({"ledger_url": url})
    async with opening.open_recorder(settings, Records(), Metrics(CollectorRegistry()), OFF):
        return


async def refusal(opened: Opened, url: str) -> str:
    with pytest.raises(StartError) as caught:
        await opened(url)
    message = str(caught.value)
    assert "\n" not in message
    assert PASSWORD not in message
    return message


def execute(url: str, statement: str) -> None:
    subprocess.run(["psql", "--quiet", url, "-c", statement], check=True)


@pytest.mark.parametrize("opened", [asked, recorded])
async def test_a_file_that_is_no_database_is_refused(opened: Opened, tmp_path: Path) -> None:
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff" * 5000)
    message = await refusal(opened, f"sqlite:///{tmp_path / 'photo.jpg'}")
    assert "no SQLite database, or damaged: name another one, or delete it" in message


async def test_the_own_file_of_up_may_be_deleted_and_no_other_advice_is_given(tmp_path: Path) -> None:
    own = tmp_path / "ledger.db"
    own.write_bytes(b"\xff\xd8\xff" * 5000)
    with pytest.raises(StartError) as caught:
        await opening.make_own(load({"data": tmp_path}))
    cause = "DatabaseError: file is not a database"
    remedy = "you may delete it: it is rebuilt, but for API keys, consumers, webhooks, replays and callbacks"
    assert str(caught.value) == f"the ledger {own} cannot be used ({cause}); {remedy}"


@pytest.mark.parametrize("opened", [asked, recorded])
async def test_a_file_that_is_not_there_is_refused(opened: Opened, tmp_path: Path) -> None:
    message = await refusal(opened, f"sqlite:///{tmp_path / 'ledger.db'}")
    assert "run copydesk ledger upgrade" in message


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with the tables."""
    copied = tmp_path / "ledger.db"
    copied.write_bytes(empty_ledger())
    return copied


async def test_a_damaged_file_is_refused(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\x00" * 100_000)
    assert "damaged" in await refusal(recorded, f"sqlite:///{path}")


@pytest.mark.processes
def test_a_file_that_may_not_be_written_is_refused_by_record(path: Path) -> None:
    path.chmod(0o444)
    code = f"""
import asyncio
from tests.runtime.ledger.test_opening import recorded, refusal
print(asyncio.run(refusal(recorded, "sqlite:///{path}")))
"""
    done = subprocess.run([*UNPRIVILEGED, sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "may not be written: change their owner or mode" in done.stdout, done.stderr


@pytest.mark.postgres
@pytest.mark.parametrize("opened", [asked, recorded])
async def test_a_wrong_password_is_refused(opened: Opened, cluster: PostgresCluster) -> None:
    message = await refusal(opened, cluster.database().replace(PASSWORD, "wrong"))
    assert "refuses the user or the password: correct them in COPYDESK_LEDGER_URL" in message


@pytest.mark.postgres
@pytest.mark.parametrize("opened", [asked, recorded])
async def test_a_database_that_is_not_there_is_refused(opened: Opened, cluster: PostgresCluster) -> None:
    assert "there is no such database: make it with createdb" in await refusal(opened, cluster.url("nowhere"))


@pytest.mark.postgres
async def test_a_user_that_may_only_read_can_be_asked_and_not_recorded_into(cluster: PostgresCluster) -> None:
    url = cluster.database()
    await schema.upgrade(ledger_url(url))
    role = f"reader{url.rpartition('ledger')[2]}"
    execute(url, f"CREATE ROLE {role} LOGIN PASSWORD '{PASSWORD}'")
    execute(url, f"GRANT pg_read_all_data TO {role}")
    as_reader = url.replace("copydesk:", f"{role}:")
    await asked(as_reader)
    assert "the user may not use the tables: make it their owner" in await refusal(recorded, as_reader)


@pytest.mark.parametrize("opened", [asked, recorded])
async def test_an_unavailable_server_is_logged_and_does_not_prevent_the_start(opened: Opened) -> None:
    (port,) = free_ports(1)
    with capture_logs() as logs:
        await opened(f"postgresql://copydesk:{PASSWORD}@127.0.0.1:{port}/ledger")
    assert [entry["event"] for entry in logs] == ["ledger_unavailable"]
    assert PASSWORD not in str(logs)
