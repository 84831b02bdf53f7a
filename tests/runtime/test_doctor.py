"""What `copydesk doctor` finds on this machine, and in the clock of a database."""

import resource
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from runtime.doctor import ledger, machine
from runtime.doctor.finding import Finding, Level
from runtime.settings import Settings, load


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
