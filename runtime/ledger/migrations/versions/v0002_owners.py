"""What owners ask for: documents that are erased, and what further runs are made of."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "erased",
        sa.Column("document_id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text),
        sa.Column("erased_ms", sa.BigInteger, nullable=False),
        sa.Column("words_left", sa.Boolean, nullable=False),
    )
    op.create_index("erased_time", "erased", ["erased_ms"])
    op.create_table(
        "inputs",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "reruns",
        sa.Column("document_id", sa.Text, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("key", sa.Text),
        sa.Column("claimed_ms", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("document_id", "run"),
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE inputs ALTER COLUMN body SET STORAGE EXTERNAL")  # it is compressed already
