"""Webhooks, their deliveries, and the processes that deliver."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "webhooks",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("patterns", sa.Text, nullable=False),
        sa.Column("filter", sa.Text),
        sa.Column("documents", sa.Text, nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("ordered", sa.Boolean, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("secret", sa.Text, nullable=False),
        sa.Column("former", sa.Text),
        sa.Column("former_until_ms", sa.BigInteger),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("failing_since_ms", sa.BigInteger),
        sa.Column("missed_ms", sa.BigInteger),
        sa.Column("disabled_cause", sa.Text),
        sa.Column("disabled_ms", sa.BigInteger),
        sa.Column("is_told", sa.Boolean, nullable=False),
        sa.Column("holder", sa.Text),
        sa.Column("fence", sa.BigInteger, nullable=False),
    )
    op.create_index("webhooks_owner", "webhooks", ["owner"])
    _make_deliveries()
    op.create_table(
        "deliverers",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("beat", sa.BigInteger, nullable=False),
    )


def _make_deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("webhook_id", sa.Text, nullable=False),
        sa.Column("event_id", sa.Text, nullable=False),
        sa.Column("event_type", sa.Text, nullable=False),
        sa.Column("document_id", sa.Text),
        sa.Column("log_offset", sa.BigInteger),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("requested", sa.Boolean, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("next_ms", sa.BigInteger),
        sa.Column("last_ms", sa.BigInteger),
        sa.Column("status", sa.Integer),
        sa.Column("error", sa.Text),
        sa.Column("took_ms", sa.BigInteger),
        sa.Column("excerpt", sa.Text),
        sa.Column("body", sa.LargeBinary),
    )
    is_pending = sa.text("state = 'pending'")
    op.create_index("deliveries_webhook", "deliveries", ["webhook_id", "id"])
    for name, columns in (("deliveries_due", ["webhook_id", "next_ms"]), ("deliveries_document", ["document_id"])):
        op.create_index(name, "deliveries", columns, sqlite_where=is_pending, postgresql_where=is_pending)
