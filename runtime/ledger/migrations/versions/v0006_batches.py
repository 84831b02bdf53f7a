"""Batches: which one a document belongs to, and how many of its documents are decided."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Adds the columns and the table."""
    op.add_column("runs", sa.Column("batch", sa.Text))
    op.add_column("erased", sa.Column("batch", sa.Text))
    named = sa.text("batch IS NOT NULL")
    columns = ["batch", "state", "document_id"]
    op.create_index("runs_batch", "runs", columns, sqlite_where=named, postgresql_where=named)
    op.create_table(
        "batches",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text),
        sa.Column("name", sa.Text),
        sa.Column("begun_ms", sa.BigInteger, nullable=False),
        sa.Column("changed_ms", sa.BigInteger, nullable=False),
        sa.Column("accepted", sa.BigInteger, nullable=False),
        sa.Column("processed", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("erased", sa.BigInteger, nullable=False),
        sa.Column("late", sa.BigInteger, nullable=False),
        sa.Column("closed_ms", sa.BigInteger),
        sa.Column("completed_ms", sa.BigInteger),
        sa.Column("event", sa.LargeBinary),
        sa.Column("sending", sa.Boolean, nullable=False),
        sa.Column("sent", sa.Boolean, nullable=False),
    )
    op.create_index("batches_newest", "batches", ["begun_ms", "id"])
    op.create_index("batches_owner", "batches", ["owner", "begun_ms"])
    op.create_index("batches_sent", "batches", ["sent", "completed_ms"])
