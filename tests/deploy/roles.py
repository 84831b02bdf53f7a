"""The roles that the command line has: the commands with an ops port, but for `up`, which is all of them."""

import os
from typing import Any
from unittest.mock import patch

import typer

from runtime.cli.app import app
from runtime.settings import load

COMMANDS: dict[str, Any] = vars(typer.main.get_command(app))["commands"]
ROLES = sorted(
    name for name, command in COMMANDS.items() if any(p.name == "ops_port" for p in command.params) and name != "up"
)
DEFAULTS = load(environ={})
PROBES = {"/livez", "/readyz"}
"""Paths of the ops port that a probe may ask."""


def fault_of(arguments: list[str], variables: dict[str, str]) -> str | None:
    """Returns what is wrong with a command and its variables, None if it would start. Nothing is started."""
    command: Any = typer.main.get_command(app)
    words = [*arguments]
    try:
        with patch.dict(os.environ, variables, clear=True):
            while hasattr(command, "commands"):
                command = command.commands[words.pop(0)]
            command.make_context(command.name, words)
            load()
    except Exception as fault:  # noqa: BLE001 - whatever it is, the test shows it
        return f"{type(fault).__name__}: {fault}"
    return None
