"""Callbacks: the events of single documents, which are posted to URLs that came with them."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Makes the table, and lets a run name its URL."""
    op.add_column("runs", sa.Column("callback_url", sa.Text))
    op.create_table(
        "callbacks",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("document_id", sa.Text, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("url", sa.Text),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("next_ms", sa.BigInteger),
        sa.Column("last_ms", sa.BigInteger),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("body", sa.LargeBinary),
    )
    is_pending = sa.text("state = 'pending'")
    op.create_index("callbacks_due", "callbacks", ["next_ms"], sqlite_where=is_pending, postgresql_where=is_pending)
    op.create_index("callbacks_document", "callbacks", ["document_id"])
