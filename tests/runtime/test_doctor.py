"""What `copydesk doctor` finds on this machine, and in the clock of a database."""

import asyncio
import resource
import socket
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import AsyncMock

import pytest
from aiohttp import web

from runtime.doctor import ledger, machine, reach, readers
from runtime.doctor.finding import Finding, Level
from runtime.ledger.progress import LogProgress, Reader
from runtime.settings import Settings, load

LOCAL = {"fetch_allow_networks": "127.0.0.0/8"}


def settings_of(**given: object) -> Settings:
    return load({"parsers": 2, **given}, environ={})


def found(part: str, settings: Settings, cgroup: Path = machine.CGROUP) -> Finding:
    (finding,) = (one for one in machine.examine(settings, cgroup) if one.part == part)
    return finding


@pytest.mark.parametrize(
    ("limit", "level"), [("2147483648", Level.WARNING), ("2684354560", Level.OK), ("max", Level.OK), (None, Level.OK)]
)
def test_a_container_has_memory_for_a_worker_or_not(tmp_path: Path, limit: str | None, level: Level) -> None:
    """Two parsers take up to 1.83 GB, what is held 0.54 GB, and the worker 0.12 GB."""
    if limit is not None:
        (tmp_path / "memory.max").write_text(f"{limit}\n")
    finding = found("memory", settings_of(), tmp_path)
    assert finding.level is level
    assert bool(finding.remedy) is (level is Level.WARNING)
    smaller = settings_of(parsers=1, max_in_flight_bytes=400_000_000)
    assert found("memory", smaller, tmp_path).level is Level.OK


def test_too_few_open_files_for_the_settings() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert found("files", settings_of(max_connections=10)).level is Level.OK
    finding = found("files", settings_of(max_connections=hard))
    assert finding.level is Level.WARNING
    assert "COPYDESK_MAX_CONNECTIONS" in finding.remedy


def test_a_file_in_place_of_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    finding = found("data", settings_of(data=tmp_path / "file" / "data"))
    assert finding.level is Level.ERROR
    assert str(tmp_path / "file") in finding.found


def test_a_disk_with_little_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert found("disk", settings_of(data=tmp_path / "data")).level is Level.OK
    monkeypatch.setattr(machine, "_FREE_BYTES", 10**18)
    assert found("disk", settings_of(data=tmp_path / "data")).level is Level.WARNING


@pytest.mark.parametrize(("ahead_s", "word"), [(30, "ahead of"), (-30, "behind"), (1, "apart")])
def test_a_clock_that_differs(ahead_s: float, word: str) -> None:
    now = datetime(2026, 11, 29, 12, tzinfo=UTC)
    finding = ledger._clock(now, now + timedelta(seconds=ahead_s))
    assert word in finding.found
    assert (finding.level is Level.WARNING) is (abs(ahead_s) > 2)


NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.mark.parametrize(("behind_s", "level"), [(None, Level.OK), (-1, Level.OK), (59, Level.OK), (61, Level.WARNING)])
def test_a_ledger_that_is_behind(behind_s: float | None, level: Level) -> None:
    recorded_at = None if behind_s is None else NOW - timedelta(seconds=behind_s)
    assert readers.recording(LogProgress(recorded_at, ()), NOW).level is level


@pytest.mark.parametrize(
    ("offset", "oldest", "newest", "level"),
    [
        (-1, 0, 99, Level.OK),  # retention has not begun
        (0, 1, 99, Level.OK),  # nor here: the embedded broker counts from 1
        (97, 100, 199, Level.ERROR),
        (98, 100, 199, Level.WARNING),  # RabbitMQ may have taken the offset 99 for itself
        (99, 100, 199, Level.WARNING),
        (118, 100, 199, Level.WARNING),
        (119, 100, 199, Level.OK),
        (199, 100, 199, Level.OK),
        (-1, 100, 199, Level.WARNING),  # it begins with the oldest there is
    ],
)
def test_a_reader_that_retention_comes_near(offset: int, oldest: int, newest: int, level: Level) -> None:
    reader = Reader("the consumer archive of ann", offset)
    (finding,) = readers.retention([Reader("the recorder", newest), reader], oldest, newest)
    assert finding.level is level
    assert (reader.name in finding.found) is (level is not Level.OK)


async def test_localhost_is_this_machine_or_not(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (await reach.names()).level is Level.OK
    loop = asyncio.get_running_loop()
    for answer, found in (([(0, 0, 0, "", ("192.0.2.7", 0))], "192.0.2.7"), (socket.gaierror(2, "no"), "not resolve")):
        monkeypatch.setattr(loop, "getaddrinfo", AsyncMock(side_effect=[answer]))
        finding = await reach.names()
        assert (finding.level, found in finding.found) == (Level.WARNING, True)


@pytest.mark.parametrize(
    ("url", "more", "found", "setting"),
    [
        ("http://nowhere.invalid/", {}, "dns_error", "COPYDESK_FETCH_NAMESERVERS"),
        ("http://127.0.0.1:{port}/", {}, "blocked_address", "COPYDESK_FETCH_ALLOW_NETWORKS"),
        ("http://127.0.0.1:{silent}/", LOCAL, "no answer within 1 s", "COPYDESK_FETCH_PROXY"),
        ("http://127.0.0.1:{closed}/", LOCAL, "connect_error", "COPYDESK_FETCH_PROXY"),
        ("http://127.0.0.1:{port}/", LOCAL, "can be fetched", ""),
        ("http://127.0.0.1:{port}/none", LOCAL, "the site answers: not_found", ""),
    ],
)
async def test_a_site_is_reached_or_it_is_said_why_not(
    url: str, more: dict[str, str], found: str, setting: str, unused_tcp_port: int
) -> None:
    app = web.Application()
    app.router.add_get("/", _answer)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        ports = {"port": runner.addresses[0][1], "silent": silent.getsockname()[1], "closed": unused_tcp_port}
        finding = await reach.site(settings_of(**more, fetch_robots=False), url.format(**ports), timeout_s=1)
    await runner.cleanup()
    assert found in finding.found
    assert (finding.level is Level.ERROR) is bool(setting)
    assert setting in finding.remedy


async def _answer(_: web.Request) -> web.Response:
    return web.Response(text="<p>A page.</p>", content_type="text/html")
