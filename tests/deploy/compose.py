"""Reads deploy/compose.yaml as Docker Compose does: merged, and with the variables of an env file put in."""

import json
import re
import shlex
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FILE = ROOT / "deploy" / "compose.yaml"
DOCKERFILE = ROOT / "Dockerfile"
_VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def env_file() -> dict[str, str]:
    """Returns the variables that deploy/env.sh prints, with passwords that are new each time."""
    printed = subprocess.run(
        ["/bin/sh", str(ROOT / "deploy" / "env.sh")], check=True, capture_output=True, text=True
    ).stdout
    lines = (line for line in printed.splitlines() if not line.startswith("#"))
    return dict(line.split("=", 1) for line in lines)


def compose(variables: Mapping[str, str]) -> dict[str, Any]:
    """Returns the compose file with `variables` put in, where it has them.

    Raises:
        KeyError: a variable that the file requires is not among them.
    """

    def put_in(match: re.Match[str]) -> str:
        name, kind, default = match.groups()
        return variables.get(name) or default if kind == "-" else variables[name]

    def filled(value: Any) -> Any:  # noqa: ANN401 - YAML
        if isinstance(value, str):
            return _VARIABLE.sub(put_in, value)
        if isinstance(value, dict):
            return {key: filled(one) for key, one in value.items()}
        return [filled(one) for one in value] if isinstance(value, list) else value

    return dict(filled(yaml.safe_load(FILE.read_text())))


def variables_of(text: str) -> set[str]:
    return {match[1] for match in _VARIABLE.finditer(text)}


def command_of(service: Mapping[str, Any]) -> list[str]:
    """Returns the words that the image's entry point, `copydesk`, gets."""
    return shlex.split(service["command"])


def of_copydesk(services: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the services that run our image."""
    return {name: service for name, service in services.items() if "build" in service}


def environment_of_image() -> dict[str, str]:
    """Returns the variables of Copydesk that the Dockerfile sets."""
    text = DOCKERFILE.read_text().replace("\\\n", " ")
    words = (word for line in re.findall(r"^ENV (.*)$", text, re.MULTILINE) for word in shlex.split(line))
    return {name: value for name, value in (word.split("=", 1) for word in words) if name.startswith("COPYDESK_")}


def entry_point() -> list[str]:
    (words,) = re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE.read_text(), re.MULTILINE)
    return list(json.loads(words))
