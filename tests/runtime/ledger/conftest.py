"""Both databases, empty, with the tables: the same tests run on each."""

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import URL
from sqlalchemy.ext.asyncio import AsyncEngine

from runtime.ledger import schema
from runtime.ledger.database import ledger_url, open_engine
from tests.ledger_model import empty_ledger
from tests.postgres_cluster import PostgresCluster


@pytest.fixture(autouse=True)
async def ended_connections() -> AsyncIterator[None]:
    """Waits for the threads of SQLite connections: one that failed still answers to the test's event loop."""
    yield
    for thread in threading.enumerate():
        if "_connection_worker_thread" in thread.name:  # aiosqlite's
            await asyncio.to_thread(thread.join, 10)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """A database without tables."""
    if kind == "sqlite":
        return ledger_url(f"sqlite:///{tmp_path / 'ledger.db'}")
    cluster: PostgresCluster = request.getfixturevalue("cluster")
    return ledger_url(cluster.database())


@pytest.fixture(scope="session")
def postgres_model(cluster: PostgresCluster) -> str:
    """The name of a database with the tables, to be copied."""
    url = ledger_url(cluster.database())
    asyncio.run(schema.upgrade(url))
    return str(url.database)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> URL:
    """A database with the tables, and nothing in them."""
    if kind == "sqlite":
        path = tmp_path / "ledger.db"
        path.write_bytes(empty_ledger())
        return ledger_url(f"sqlite:///{path}")
    cluster: PostgresCluster = request.getfixturevalue("cluster")
    return ledger_url(cluster.database(like=request.getfixturevalue("postgres_model")))


@pytest.fixture
async def engine(url: URL) -> AsyncIterator[AsyncEngine]:
    engine = open_engine(url, writes=True)
    yield engine
    await engine.dispose()
