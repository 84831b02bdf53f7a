"""deploy/systemd/ against the command line, and as systemd itself reads it."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.deploy.roles import DEFAULTS, ROLES, fault_of

FOLDER = Path(__file__).parents[2] / "deploy" / "systemd"
COMMON = FOLDER / "copydesk-.service.d" / "10-common.conf"
SERVICES = sorted(FOLDER.glob("*.service"))
INSTALLED = "/opt/copydesk/bin/copydesk"
EXPOSURE = 15  # a tenth of a point each: version 252 of systemd says 1.2 of 10, and versions differ a little


def settings(unit: Path, name: str) -> list[str]:
    """Returns the values of a setting in a unit file, in their order."""
    return re.findall(rf"^{name}=(.*)$", unit.read_text(), re.MULTILINE)


def command_of(unit: Path) -> list[str]:
    program, *words = shlex.split(settings(unit, "ExecStart")[0])
    assert program == INSTALLED
    return words


def variables() -> dict[str, str]:
    """Returns the variables of the example, those that are commented out, too."""
    lines = re.findall(r"^#?(COPYDESK_\w+)=(.*)$", (FOLDER / "copydesk.env").read_text(), re.MULTILINE)
    return dict(lines)


@pytest.fixture
def units(tmp_path: Path) -> Path:
    """A folder of the units, whose program is that of the tests."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "units"))
    program = str(Path(sys.executable).with_name("copydesk"))
    for unit in folder.glob("*.service"):
        unit.write_text(unit.read_text().replace(INSTALLED, program))
    return folder


def systemd(program: str, *arguments: str, units: Path) -> subprocess.CompletedProcess[str]:
    found = shutil.which(program)
    assert found, f"{program} is missing: apt-get install systemd"
    return subprocess.run(
        [found, *arguments],
        env={"SYSTEMD_UNIT_PATH": f"{units}:", "PATH": "/usr/sbin:/usr/bin"},
        check=False,
        capture_output=True,
        text=True,
    )


def test_every_role_has_a_unit_that_the_target_starts() -> None:
    names = {command_of(unit)[0]: unit.stem for unit in SERVICES}
    assert names == {role: f"copydesk-{role}" for role in [*ROLES, "ledger", "up"]}
    parts = {unit.stem for unit in SERVICES if settings(unit, "WantedBy") == ["copydesk.target"]}
    assert parts == {f"copydesk-{role}" for role in ROLES}
    assert parts == {unit.stem for unit in SERVICES if settings(unit, "PartOf") == ["copydesk.target"]}


def test_every_command_would_start_with_the_variables_of_the_example() -> None:
    given = variables()
    embedded = {name: value for name, value in given.items() if not name.endswith("_URL")}
    faults = {
        unit.name: fault_of(command_of(unit), embedded if unit.stem == "copydesk-up" else given) for unit in SERVICES
    }
    assert set(faults.values()) == {None}, faults


def test_roles_on_one_machine_have_different_ops_ports() -> None:
    words = [command_of(unit) for unit in SERVICES if "--ops-port" in command_of(unit)]
    ports = [command[command.index("--ops-port") + 1] for command in words]
    assert sorted(ports) == [str(DEFAULTS.ops_port + place) for place in range(len(ROLES))]


def test_systemd_kills_later_than_copydesk_ends() -> None:
    assert settings(COMMON, "KillMode") == ["mixed"]
    (seconds,) = settings(COMMON, "TimeoutStopSec")
    assert float(seconds) >= DEFAULTS.shutdown_timeout_s + 5


def test_no_unit_repeats_what_all_have() -> None:
    common = set(re.findall(r"^(\w+)=", COMMON.read_text(), re.MULTILINE))
    assert [
        unit.name
        for unit in SERVICES
        if common & set(re.findall(r"^(\w+)=", unit.read_text().partition("[Service]")[2], re.MULTILINE))
    ] == []


@pytest.mark.processes
def test_systemd_passes_the_units(units: Path) -> None:
    files = sorted(str(path) for path in units.iterdir() if path.suffix in {".service", ".target"})
    done = systemd("systemd-analyze", "verify", "--man=no", *files, units=units)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.processes
def test_services_may_do_little(units: Path) -> None:
    arguments = ("security", "--offline=true", f"--threshold={EXPOSURE}", "--no-pager")
    done = systemd("systemd-analyze", *arguments, *(unit.name for unit in SERVICES), units=units)
    assert done.returncode == 0, done.stdout[-4000:]
    (units / COMMON.relative_to(FOLDER)).unlink()
    assert systemd("systemd-analyze", *arguments, SERVICES[0].name, units=units).returncode != 0


@pytest.mark.processes
def test_the_user_and_its_folder_are_made(units: Path, tmp_path: Path) -> None:
    (tmp_path / "root" / "etc").mkdir(parents=True)
    for program, *arguments in (
        ("systemd-sysusers", str(FOLDER / "sysusers.conf")),
        ("systemd-tmpfiles", "--create", str(FOLDER / "tmpfiles.conf")),
    ):
        done = systemd(program, f"--root={tmp_path / 'root'}", *arguments, units=units)
        assert done.returncode == 0, done.stderr
    assert re.search(r"^copydesk:.*:/usr/sbin/nologin$", (tmp_path / "root/etc/passwd").read_text(), re.MULTILINE)
    assert (tmp_path / "root/etc/copydesk").stat().st_mode & 0o777 == 0o700
    assert settings(COMMON, "User") == settings(COMMON, "Group") == ["copydesk"]
