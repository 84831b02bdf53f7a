"""Callbacks are found by host, however many of one host are due."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    """Makes the index."""
    pending = sa.text("state = 'pending'")
    op.create_index("callbacks_host", "callbacks", ["host", "next_ms"], sqlite_where=pending, postgresql_where=pending)
