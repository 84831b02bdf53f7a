"""Runs many commands without settings from the environment, and returns their outcomes, with only one interpreter."""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]


@dataclass(frozen=True)
class Command:
    """A command line without `copydesk`, and its environment variables."""

    arguments: Sequence[str]
    settings: Mapping[str, str]


@dataclass(frozen=True)
class Outcome:
    """`code` is None where the command had to be killed."""

    code: int | None
    out: str
    err: str


def outcomes_of(commands: Iterable[Command]) -> list[Outcome]:
    """Runs `commands`, each in a fork of one process, and returns what became of them, in their order."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    asked = json.dumps([asdict(command) for command in commands])
    forking = [sys.executable, "-m", "tests.runtime.cli.forks"]
    done = subprocess.run(forking, input=asked, env=clean, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [Outcome(**outcome) for outcome in json.loads(done.stdout)]
