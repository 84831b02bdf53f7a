"""Replays: parts of the log that are sent again."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Makes the table, and lets a delivery name its replay."""
    op.create_table(
        "replays",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("documents", sa.Text, nullable=False),
        sa.Column("target", sa.Text, nullable=False),
        sa.Column("webhook_id", sa.Text),
        sa.Column("queue", sa.Text),
        sa.Column("patterns", sa.Text, nullable=False),
        sa.Column("filter", sa.Text),
        sa.Column("since_ms", sa.BigInteger),
        sa.Column("before_ms", sa.BigInteger),
        sa.Column("after", sa.BigInteger, nullable=False),
        sa.Column("until", sa.BigInteger, nullable=False),
        sa.Column("per_second", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("cause", sa.Text),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("read", sa.BigInteger, nullable=False),
        sa.Column("sent", sa.BigInteger, nullable=False),
        sa.Column("delivered", sa.BigInteger, nullable=False),
        sa.Column("failed", sa.BigInteger, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("ended_ms", sa.BigInteger),
        sa.Column("holder", sa.Text),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    op.create_index("replays_owner", "replays", ["owner", "id"])
    op.add_column("deliveries", sa.Column("replay_id", sa.Text))
    is_pending = sa.text("state = 'pending' AND replay_id IS NOT NULL")
    op.create_index(
        "deliveries_replay", "deliveries", ["replay_id"], sqlite_where=is_pending, postgresql_where=is_pending
    )
