"""What tells that something was posted before: the body of an idempotency key, the signature of an article."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

_BANDS = ("band0", "band1", "band2", "band3")
_LOWEST = ("lowest0", "lowest1")


def upgrade() -> None:
    """Adds the column and the table."""
    op.add_column("runs", sa.Column("body_digest", sa.Text))
    op.create_table(
        "signatures",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("content", sa.BigInteger, nullable=False),
        sa.Column("url", sa.BigInteger),
        sa.Column("simhash", sa.BigInteger, nullable=False),
        *(sa.Column(name, sa.Integer, nullable=False) for name in _BANDS),
        *(sa.Column(name, sa.BigInteger) for name in _LOWEST),
        sa.Column("sketch", sa.LargeBinary, nullable=False),
        sa.Column("original", sa.Text),
    )
    for column in ("content", "url", *_LOWEST):
        op.create_index(f"signatures_{column}", "signatures", [column, "seq"])
    for column in _BANDS:
        op.create_index(f"signatures_{column}", "signatures", [column, "seq", "simhash"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE signatures ALTER COLUMN sketch SET STORAGE PLAIN")  # hashes cannot be compressed
