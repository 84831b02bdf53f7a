"""How many documents were decided lately is counted without reading the others."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Makes the index."""
    op.create_index("runs_decided", "runs", ["decided_ms", "lane"])
