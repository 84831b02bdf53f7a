"""The Python client as a package: what it needs, what is in its wheel, and that its README says what there is."""

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import copydesk_client
import pytest
from copydesk_client.problems import CopydeskError

FOLDER = Path(copydesk_client.__file__).parent
PROJECT = FOLDER.parent


def imported(path: Path) -> set[str]:
    """Returns the first words of the names that a module imports."""
    nodes = list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))
    names = [alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names]
    names += [node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)]
    return {name.partition(".")[0] for name in names}


def test_it_needs_aiohttp_alone() -> None:
    needed = set[str]().union(*map(imported, FOLDER.glob("*.py"))) - sys.stdlib_module_names
    assert needed == {"copydesk_client", "aiohttp"}
    declared = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert [re.split(r"\W", one)[0] for one in declared] == ["aiohttp"]


@pytest.mark.processes
def test_the_wheel_has_all_modules_and_says_that_it_is_typed(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("hatchling")), "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("copydesk_client-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    files = {path for path in FOLDER.iterdir() if path.is_file()}
    assert packed == {f"copydesk_client/{path.name}" for path in files} >= {"copydesk_client/py.typed"}


def test_the_readme_lists_every_exception() -> None:
    table = (
        (PROJECT / "README.md").read_text(encoding="utf-8").partition("| exception | means |")[2].partition("\n\n")[0]
    )
    listed = {
        name
        for row in table.splitlines()
        for name in re.findall(r"`([A-Z]\w+)`", row.split("|")[1] if "|" in row else "")
    }
    exceptions = {
        name
        for name in copydesk_client.__all__
        if isinstance(kind := getattr(copydesk_client, name), type) and issubclass(kind, CopydeskError)
    }
    assert listed == exceptions - {"CopydeskError", "Problem"}
