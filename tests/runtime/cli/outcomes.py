"""Runs commands without settings from the environment, and returns their outcomes."""

import os
import subprocess
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.forking.command import COPYDESK, run

TIMEOUT_S = 60.0
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
    """Runs `commands` one after the other, and returns what became of them."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("COPYDESK_")}
    return [_outcome(command, clean) for command in commands]


def _outcome(command: Command, clean: Mapping[str, str]) -> Outcome:
    try:
        done = run([COPYDESK, *command.arguments], env={**clean, **command.settings}, timeout_s=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        return Outcome(None, "", "")
    return Outcome(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))
