"""Every parameter of every command, taken from the command line itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import typer

from runtime.cli.app import app


@dataclass(frozen=True)
class Parameter:
    """A parameter of a command; `kind` says what its values are, in the word that the help shows."""

    command: tuple[str, ...]
    name: str
    option: str | None
    kind: str
    envvar: str | None
    is_flag: bool
    shown_default: str | None

    def __str__(self) -> str:
        return f"{' '.join(self.command)} {self.option or self.name}"


def parameters() -> list[Parameter]:
    return list(_of(typer.main.get_command(app), ()))


def _of(command: Any, path: tuple[str, ...]) -> Iterator[Parameter]:  # noqa: ANN401 - a command or a group
    for name, inner in getattr(command, "commands", {}).items():
        yield from _of(inner, (*path, name))
    if not hasattr(command, "commands"):
        for given in command.params:
            yield _parameter(given, path)


def _parameter(given: Any, path: tuple[str, ...]) -> Parameter:  # noqa: ANN401 - typer's own parameter
    return Parameter(
        command=path,
        name=given.name,
        option=given.opts[0] if given.param_type_name == "option" else None,
        kind=given.metavar or _kind(given.bare_type()),
        envvar=given.envvar,
        is_flag=bool(getattr(given, "is_flag", False)),
        shown_default=given.show_default if isinstance(given.show_default, str) else None,
    )


def _kind(type_name: str) -> str:
    """Returns `choice` for what is one of our own enumerations, else the name of the type."""
    return type_name if type_name in {"bool", "int", "float", "str", "Path"} else "choice"
