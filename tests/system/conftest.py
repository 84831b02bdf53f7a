"""Fixtures that several system tests share."""

from collections.abc import Iterator

import pytest

from tests.postgres_cluster import PostgresCluster


@pytest.fixture(scope="session")
def cluster() -> Iterator[PostgresCluster]:
    """A running PostgreSQL for the whole run, started at first use. Who kills a server starts one of its own."""
    postgres = PostgresCluster()
    try:
        postgres.start()
        yield postgres
    finally:
        postgres.close()
