"""Processes that parse no pages load no parsers and models, which would be a third of their memory and start time."""

import subprocess
import sys

import pytest

from workers.parse_task import PRELOAD

pytestmark = pytest.mark.processes

HEAVY = {"babel", "dateparser", "ftfy", "htmldate", "lxml", "numpy", "py3langid", "trafilatura"}


def loaded_by(*modules: str) -> set[str]:
    """Returns the modules and packages that a fresh interpreter holds once it has imported `modules`."""
    code = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    return set(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split())


@pytest.mark.parametrize(
    "module", ["workers.worker", "workers.fetch", "workers.parse_task", "runtime.serving", "runtime.working"]
)
def test_no_reader_is_loaded(module: str) -> None:
    assert loaded_by(module) & HEAVY == set()


def test_the_parsers_of_filters_and_urls_are_loaded_with_the_first_of_them() -> None:
    assert loaded_by("runtime.wiring", "runtime.serving", "runtime.delivering") & {"ada_url", "lark"} == set()


def test_the_help_loads_no_client_no_messages_and_no_database() -> None:
    """These are half of the time that a command takes to start."""
    assert (
        loaded_by("runtime.cli.app") & {"aio_pika", "aiohttp", "contract.codec", "contract.events", "sqlalchemy"}
        == set()
    )


def test_a_parser_child_loads_them_before_its_first_document() -> None:
    assert loaded_by(*PRELOAD) >= HEAVY


def test_a_parser_child_loads_nothing_of_what_it_does_not_do() -> None:
    """It has no network, no log, and no terminal. Each of these takes megabytes, in every worker."""
    packages = {"aio_pika", "aiohttp", "asyncio", "multiprocessing", "prometheus_client", "rich", "structlog", "typer"}
    assert loaded_by("workers.children.serving", *PRELOAD) & packages == set()


def test_without_a_tracer_nothing_of_opentelemetry_is_loaded() -> None:
    roles = ("runtime.wiring", "runtime.serving", "runtime.working", "runtime.delivering", "runtime.ledger.opening")
    names = {name.partition(".")[0] for name in loaded_by(*roles)}
    assert names & {"opentelemetry", "google", "requests"} == set()
    assert "opentelemetry" in loaded_by("runtime.otlp")


def test_a_parser_child_loads_nothing_of_opentelemetry() -> None:
    assert "opentelemetry" not in loaded_by("workers.children.serving", *PRELOAD)
