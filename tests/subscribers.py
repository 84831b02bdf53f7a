"""The subscribers of docs/subscribing.md and docs/webhooks.md, as files that can be run."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
AMQPLIB = "amqplib@2.3.1"
"""What the Node subscriber needs, as npm names it."""

Changes = Sequence[tuple[str, str]]

_IN_VENV = Path(sys.prefix) / "node"  # kept there for the next run


def program(language: str, page: str = "subscribing.md") -> str:
    """Returns the first program in `language` on a page."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    assert found is not None, f"{page} has no program in {language}"
    return found[1]


def changed(text: str, changes: Changes) -> str:
    """Returns a program with mistakes in it: each change replaces what stands there once."""
    for right, wrong in changes:
        assert text.count(right) == 1, f"{right!r} is not in the program once"
        text = text.replace(right, wrong)
    return text


def command(language: str, folder: Path, changes: Changes = ()) -> list[str]:
    """Writes the subscriber in `language` into `folder`, and returns the command that runs it."""
    name, runner = {
        "python": ("subscriber.py", sys.executable),
        "js": ("subscriber.mjs", "node"),
        "bash": ("subscriber.sh", "bash"),
    }[language]
    (folder / name).write_text(changed(program(language), changes), encoding="utf-8")
    if language == "js":
        (folder / "node_modules").symlink_to(amqplib())
    return [runner, str(folder / name)]


def amqplib() -> Path:
    """Returns the folder with the packages of the Node subscriber; skips the test where they cannot be had."""
    packages = _IN_VENV / "node_modules"
    if shutil.which("node") is None:
        pytest.skip("the subscriber in Node needs node: apt-get install nodejs npm")
    if not (packages / "amqplib").exists():
        if shutil.which("npm") is None:
            pytest.skip(f"the subscriber in Node needs {AMQPLIB}: apt-get install npm")
        install = ["npm", "install", "--silent", "--no-audit", "--no-fund", "--prefix", str(_IN_VENV), AMQPLIB]
        done = subprocess.run(install, capture_output=True, text=True, check=False, timeout=90)
        if done.returncode:
            pytest.skip(f"npm cannot install {AMQPLIB}: {done.stderr.strip()[-200:]}")
    return packages


@contextmanager
def started(command: list[str], folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Runs a subscriber in `folder` with all that it starts, until the context ends."""
    with subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
