"""The wheel: all that the packages hold is in it, and Copydesk runs from it, away from the checkout."""

import re
import subprocess
import sys
import zipfile
from importlib.metadata import version
from pathlib import Path

import aiohttp
import pytest

from tests.system.processes import ROOT, running

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]

PACKAGES = ("contract", "runtime", "service", "workers")
BUNDLE = "service/docs/swagger-ui-bundle.js"
START = "from runtime.cli import main; main()"
TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 5


def build(folder: Path) -> Path:
    """Builds the wheel as `make wheel` does, and returns it."""
    command = [str(Path(sys.executable).with_name("hatchling")), "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path) -> Path:
    """A folder with the content of the wheel. The libraries are those of the tests."""
    folder = wheel.parent / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def python(unpacked: Path) -> tuple[str, ...]:
    """Returns the start of a command that runs Python in the wheel's folder, which is the first place of imports."""
    return ("env", "-C", str(unpacked), f"PYTHONPATH={unpacked}", sys.executable, "-P", "-c")


def test_the_wheel_has_every_file_of_the_packages(wheel: Path) -> None:
    files = {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
        (points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert archive.read(points).decode() == "[console_scripts]\ncopydesk = runtime.cli:main\n"
    assert packed == files
    kinds = {".npz", ".css", ".js", ".html"}
    assert {Path(name).suffix for name in packed} >= kinds
    assert any(name.startswith("runtime/ledger/migrations/versions/v0001") for name in packed)


def test_the_same_checkout_gives_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    assert build(tmp_path).read_bytes() == wheel.read_bytes()


def test_the_command_runs_from_the_wheel(unpacked: Path) -> None:
    say = "import runtime, runtime.cli; print(runtime.__file__); runtime.cli.main()"
    done = subprocess.run([*python(unpacked), say, "--version"], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [str(unpacked / "runtime" / "__init__.py"), f"copydesk {version('copydesk')}"]


async def test_one_machine_needs_no_more_than_the_wheel(unpacked: Path, tmp_path: Path) -> None:
    """Migrations, models and the page at /docs are what is not code."""
    program = (*python(unpacked), START)
    arguments = ("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path))
    with running(*arguments, program=program) as process:
        api = process.wait_for_urls("api")["api"]
        async with aiohttp.ClientSession(api) as http:
            async with http.post("/v1/documents", json={"text": TEXT}, headers={"Prefer": "wait=30"}) as response:
                event = await response.json()
                assert (response.status, event["type"]) == (200, "copydesk.document.processed.v1")
            async with http.get("/docs/swagger-ui-bundle.js") as response:
                assert (response.status, len(await response.read())) == (200, (ROOT / BUNDLE).stat().st_size)
        assert process.stop() == 0


def test_every_dependency_has_a_version_in_the_lock(wheel: Path) -> None:
    """`make wheel` writes the constraints from it."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        needed = set(re.findall(r"^Requires-Dist: ([\w.-]+)", archive.read(name).decode(), re.MULTILINE))
    locked = set(re.findall(r"^([\w.-]+)==", (ROOT / "requirements.lock").read_text(), re.MULTILINE))
    assert needed <= locked
