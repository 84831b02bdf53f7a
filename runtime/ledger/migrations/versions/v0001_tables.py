"""The tables of the first version."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

# contract.search folds words and separates them by spaces; the index stores them unchanged. It keeps no text.
_SQLITE_WORDS = (
    "CREATE VIRTUAL TABLE words USING fts5"
    """(text, content='', tokenize="unicode61 remove_diacritics 0 categories 'L* N* Co Mn Mc'")"""
)


def upgrade() -> None:
    """Makes the tables."""
    op.create_table(
        "runs",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("document_id", sa.Text, nullable=False),
        sa.Column("run", sa.Integer, nullable=False),
        sa.Column("latest", sa.Boolean, nullable=False),
        sa.Column("sort_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("kind", sa.Text),
        sa.Column("lane", sa.Text),
        sa.Column("owner", sa.Text),
        sa.Column("url", sa.Text),
        sa.Column("host", sa.Text),
        sa.Column("labels", sa.Text, nullable=False),
        sa.Column("accepted_ms", sa.BigInteger),
        sa.Column("decided_ms", sa.BigInteger),
        sa.Column("tried", sa.Integer, nullable=False),
        sa.Column("attempts", sa.Integer),
        sa.Column("reason", sa.Text),
        sa.Column("detail", sa.Text),
        sa.Column("next_ms", sa.BigInteger),
        sa.Column("title", sa.Text),
        sa.Column("language", sa.Text),
        sa.Column("published", sa.Text),
        sa.Column("published_ms", sa.BigInteger),
        sa.Column("digest", sa.LargeBinary),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("repeats", sa.Integer, nullable=False),
        sa.Column("differing", sa.Integer, nullable=False),
    )
    op.create_index("runs_document", "runs", ["document_id", "run"], unique=True)
    op.create_index("runs_newest", "runs", ["sort_ms", "document_id"])
    for column in ("state", "host", "owner"):
        op.create_index(f"runs_{column}", "runs", [column, "sort_ms"])
    op.create_table(
        "labels",
        sa.Column("seq", sa.BigInteger, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("value", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("name", "value", "seq"),
    )
    op.create_index("labels_seq", "labels", ["seq"])
    op.create_table(
        "events",
        sa.Column("seq", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "places",
        sa.Column("stream", sa.Text, primary_key=True),
        sa.Column("place", sa.BigInteger, nullable=False),
        sa.Column("digest", sa.LargeBinary),
    )
    recorder = op.create_table(
        "recorder",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("holder", sa.Text),
        sa.Column("fence", sa.BigInteger, nullable=False),
        sa.Column("beat", sa.BigInteger, nullable=False),
        sa.Column("next_seq", sa.BigInteger, nullable=False),
        sa.Column("row_count", sa.BigInteger, nullable=False),
        sa.Column("event_bytes", sa.BigInteger, nullable=False),
        sa.Column("recorded_ms", sa.BigInteger),
    )
    op.bulk_insert(recorder, [{"id": 1, "fence": 0, "beat": 0, "next_seq": 1, "row_count": 0, "event_bytes": 0}])
    _words()


def _words() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_SQLITE_WORDS)
        return
    op.execute("CREATE TABLE words (seq BIGINT PRIMARY KEY, words TSVECTOR NOT NULL)")
    op.execute("CREATE INDEX words_words ON words USING gin (words) WITH (gin_pending_list_limit = 65536)")  # KiB
    op.execute("ALTER TABLE events ALTER COLUMN body SET STORAGE EXTERNAL")  # it is compressed already
