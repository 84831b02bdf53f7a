"""The defaults in `--help` are those of the settings."""

import os
import re

import pytest

from runtime.settings import Settings, load
from tests.runtime.cli.options import Parameter, parameters
from tests.runtime.cli.outcomes import Command, outcomes_of

SETTINGS = [one for one in parameters() if one.option and one.name in Settings.model_fields]


def default_of(parameter: Parameter) -> object:
    return getattr(load(environ={}), parameter.name)


@pytest.mark.parametrize("parameter", SETTINGS, ids=str)
def test_the_default_that_an_option_shows_is_that_of_its_setting(
    parameter: Parameter, monkeypatch: pytest.MonkeyPatch
) -> None:
    for cores in (1, 2, 3, 4, 64):
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        default = default_of(parameter)
        if default is None:
            assert parameter.shown_default is None
            continue
        assert parameter.shown_default is not None
        by_child = re.fullmatch(r"(\d+) for each parser child", parameter.shown_default)
        shown = int(by_child[1]) * cores if by_child else parameter.shown_default
        assert str(shown) == str(default)


def test_every_option_of_a_role_shows_a_default_or_has_none() -> None:
    assert {one.name for one in SETTINGS if one.command in {("up",), ("serve",), ("work",)}} == {
        *("host", "port", "ops_host", "ops_port", "data", "slots", "amqp_url", "processes")
    }


@pytest.mark.processes
def test_the_help_of_each_command_shows_what_was_checked() -> None:
    commands = sorted({one.command for one in parameters()})
    helps = outcomes_of(Command([*command, "--help"], {"COLUMNS": "200"}) for command in commands)
    for command, outcome in zip(commands, helps, strict=True):
        assert outcome.code == 0
        for one in SETTINGS:
            if one.command == command and one.shown_default:
                (line,) = [line for line in outcome.out.splitlines() if f" {one.option} " in line]
                assert one.shown_default in line


@pytest.mark.processes
def test_the_version_is_that_of_the_package() -> None:
    (outcome,) = outcomes_of([Command(["--version"], {})])
    assert re.fullmatch(r"copydesk \d+\.\d+\.\d+\n", outcome.out)
