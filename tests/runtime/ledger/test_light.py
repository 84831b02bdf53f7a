"""Processes that need no ledger do not load its libraries."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.processes

HEAVY = {"sqlalchemy", "alembic", "aiosqlite", "asyncpg"}


@pytest.mark.parametrize("module", ["runtime.cli.app", "runtime.wiring", "runtime.serving", "runtime.ledger"])
def test_only_processes_with_a_ledger_load_databases(module: str) -> None:
    code = f"import {module}, sys; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    assert module in loaded
    assert HEAVY & set(loaded) == set()
