"""What tells that something was posted before: the digest of the body that came with an idempotency key."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0003"


def upgrade() -> None:
    """Adds the column."""
    op.add_column("runs", sa.Column("body_digest", sa.Text))
