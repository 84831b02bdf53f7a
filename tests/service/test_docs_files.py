"""The files of the page at /docs are those that README.md names, they are served, and the package has them."""

import re
import subprocess
import sys
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from service.api.about import DOCS_FILES
from tests.service.conftest import RunningApi

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "service" / "docs"
HASHES = dict(re.findall(r"^\| `([\w.-]+)` \| `([0-9a-f]{64})` \|$", (FOLDER / "README.md").read_text(), re.MULTILINE))


def test_files_of_swagger_ui_are_unchanged() -> None:
    assert {"swagger-ui-bundle.js", "swagger-ui.css", "LICENSE", "NOTICE"} <= HASHES.keys()
    assert {name: sha256((FOLDER / name).read_bytes()).hexdigest() for name in HASHES} == HASHES


def test_the_version_is_the_one_that_the_makefile_brings() -> None:
    (version,) = re.findall(r"^VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert f"version {version}," in (FOLDER / "README.md").read_text()


async def test_the_page_names_the_files_that_are_served_and_holds_no_code(api: RunningApi) -> None:
    response = await api.client.get("/docs")
    page = await response.text()
    assert set(re.findall(r'(?:src|href)="docs/([^"]+)"', page)) == set(DOCS_FILES)
    assert re.findall(r"<script(?! src=)|<style|style=|\son\w+=", page) == []
    policy = response.headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy


@pytest.mark.parametrize("name", DOCS_FILES)
async def test_a_file_comes_as_it_is_and_is_kept_by_its_tag(api: RunningApi, name: str) -> None:
    response = await api.client.get(f"/docs/{name}")
    assert (await response.read(), response.content_type) == ((FOLDER / name).read_bytes(), DOCS_FILES[name])
    again = await api.client.get(f"/docs/{name}", headers={"If-None-Match": response.headers["ETag"]})
    assert (again.status, await again.read()) == (304, b"")


@pytest.mark.processes
def test_the_package_has_the_files(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    files = {path.relative_to(ROOT).as_posix() for path in FOLDER.iterdir()}
    assert files <= set(zipfile.ZipFile(wheel).namelist())
