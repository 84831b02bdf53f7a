"""Processes that need no ledger do not load its libraries."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

HEAVY = {"sqlalchemy", "alembic", "aiosqlite", "asyncpg"}


@pytest.mark.parametrize("module", ["runtime.cli.app", "runtime.wiring", "service.app", "runtime.ledger"])
def test_databases_are_loaded_by_who_needs_them_alone(module: str) -> None:
    code = f"import {module}, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert module in loaded
    assert HEAVY & set(loaded) == set()
