"""The tables, the same for SQLite and PostgreSQL. The full-text index differs: see `search`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    Table,
    Text,
)

from contract.duplicates import BANDS, LOWEST

metadata = MetaData()

BAND_NAMES = tuple(f"band{number}" for number in range(BANDS))
LOWEST_NAMES = tuple(f"lowest{number}" for number in range(LOWEST))

# One row for each run of each document. All times are in milliseconds since 1970.
runs = Table(
    "runs",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),  # set by the recorder; joins the other tables
    Column("document_id", Text, nullable=False),
    Column("run", Integer, nullable=False),
    Column("latest", Boolean, nullable=False),  # true for the latest run of the document
    Column("sort_ms", BigInteger, nullable=False),  # the time of acceptance, else the best known substitute
    Column("state", Text, nullable=False),
    Column("kind", Text),
    Column("lane", Text),
    Column("owner", Text),
    Column("url", Text),
    Column("host", Text),
    Column("labels", Text, nullable=False),  # a JSON object
    Column("accepted_ms", BigInteger),
    Column("decided_ms", BigInteger),
    Column("tried", Integer, nullable=False),  # attempts on record
    Column("attempts", Integer),  # as in the event
    Column("reason", Text),
    Column("detail", Text),
    Column("next_ms", BigInteger),
    Column("title", Text),
    Column("language", Text),
    Column("published", Text),
    Column("published_ms", BigInteger),
    Column("digest", LargeBinary),  # of the first event, without its times
    Column("size", BigInteger, nullable=False),  # bytes in `events` and `inputs`
    Column("repeats", Integer, nullable=False),
    Column("differing", Integer, nullable=False),
    Column("body_digest", Text),  # of the body that came with an idempotency key
    Column("batch", Text),  # the id of the batch that counts this run
    Column("callback_url", Text),  # where its event is posted to
)
Index("runs_document", runs.c.document_id, runs.c.run, unique=True)
Index("runs_newest", runs.c.sort_ms, runs.c.document_id)
Index("runs_state", runs.c.state, runs.c.sort_ms)
Index("runs_host", runs.c.host, runs.c.sort_ms)
Index("runs_decided", runs.c.decided_ms, runs.c.lane)
Index("runs_owner", runs.c.owner, runs.c.sort_ms)
_NAMED = runs.c.batch.is_not(None)  # most runs belong to no batch
Index("runs_batch", runs.c.batch, runs.c.state, runs.c.document_id, sqlite_where=_NAMED, postgresql_where=_NAMED)

# The labels again, for searches.
labels = Table(
    "labels",
    metadata,
    Column("seq", BigInteger, nullable=False),
    Column("name", Text, nullable=False),
    Column("value", Text, nullable=False),
    PrimaryKeyConstraint("name", "value", "seq"),
)
Index("labels_seq", labels.c.seq)

# The first event of each decided run: its bytes as they are in the log, compressed with zstd.
events = Table(
    "events",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

# What is compared of each article to find duplicates: `contract.duplicates.Signature`. The hashes are signed here.
signatures = Table(
    "signatures",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("content", BigInteger, nullable=False),
    Column("url", BigInteger),
    Column("simhash", BigInteger, nullable=False),
    *(Column(name, Integer, nullable=False) for name in BAND_NAMES),
    *(Column(name, BigInteger) for name in LOWEST_NAMES),  # none in texts of a few words
    Column("sketch", LargeBinary, nullable=False),
    Column("original", Text),  # the document that this one is a duplicate of
)
for _name in ("content", "url", *LOWEST_NAMES):
    Index(f"signatures_{_name}", signatures.c[_name], signatures.c.seq)
for _name in BAND_NAMES:
    Index(f"signatures_{_name}", signatures.c[_name], signatures.c.seq, signatures.c.simhash)

# The input of a run, apart from its row: `contract.accepted.Input` as JSON, compressed with zstd. Most runs have none.
inputs = Table(
    "inputs",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

# Documents that are erased. `words_left`: the full-text index on the disk may still hold words of it (SQLite).
erased = Table(
    "erased",
    metadata,
    Column("document_id", Text, primary_key=True),
    Column("owner", Text),
    Column("erased_ms", BigInteger, nullable=False),
    Column("words_left", Boolean, nullable=False),
    Column("batch", Text),  # the id of the batch that counts it
)
Index("erased_time", erased.c.erased_ms)

# Batches of documents: `runtime.ledger.document_batches.BatchRow`.
batches = Table(
    "batches",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text),
    Column("name", Text),
    Column("begun_ms", BigInteger, nullable=False),
    Column("changed_ms", BigInteger, nullable=False),
    Column("accepted", BigInteger, nullable=False),
    Column("processed", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("erased", BigInteger, nullable=False),
    Column("late", BigInteger, nullable=False),
    Column("closed_ms", BigInteger),
    Column("completed_ms", BigInteger),
    Column("event", LargeBinary),
    Column("sending", Boolean, nullable=False),
    Column("sent", Boolean, nullable=False),
)
Index("batches_newest", batches.c.begun_ms, batches.c.id)
Index("batches_owner", batches.c.owner, batches.c.begun_ms)
Index("batches_sent", batches.c.sent, batches.c.completed_ms)

# Requested runs until they are recorded: of two concurrent requests one gets the number. Not derived, may be lost.
reruns = Table(
    "reruns",
    metadata,
    Column("document_id", Text, nullable=False),
    Column("run", Integer, nullable=False),
    Column("key", Text),
    Column("claimed_ms", BigInteger, nullable=False),
    PrimaryKeyConstraint("document_id", "run"),
)

# The position in each record. `digest` is that of the entry at `place`: it detects a stream that was recreated.
places = Table(
    "places",
    metadata,
    Column("stream", Text, primary_key=True),
    Column("place", BigInteger, nullable=False),
    Column("digest", LargeBinary),
)

# One row: who records, and sums over the other tables. `fence` grows with each holder, `beat` with each heartbeat.
recorder = Table(
    "recorder",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("holder", Text),
    Column("fence", BigInteger, nullable=False),
    Column("beat", BigInteger, nullable=False),
    Column("next_seq", BigInteger, nullable=False),
    Column("row_count", BigInteger, nullable=False),
    Column("event_bytes", BigInteger, nullable=False),
    Column("recorded_ms", BigInteger),  # all acceptances up to this time are recorded
)

# API keys. They are not derived: nothing can rebuild them. `digest` and `former` are HMACs (`contract.keys`).
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    Column("scopes", Text, nullable=False),  # with spaces between them
    Column("per_minute", BigInteger),
    Column("documents_a_day", BigInteger),
    Column("bytes_a_day", BigInteger),
    Column("created_ms", BigInteger, nullable=False),
    Column("former", LargeBinary),
    Column("former_until_ms", BigInteger),
    Column("revoked_ms", BigInteger),
)

# What each key has used of its limits (`contract.quotas`): one window for each. Only on PostgreSQL.
key_usage = Table(
    "key_usage",
    metadata,
    Column("key_id", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("used", BigInteger, nullable=False),
    PrimaryKeyConstraint("key_id", "policy"),
)

# Named consumers of the event log (`contract.consumers`). They are not derived. `holder` is the connection that reads.
consumers = Table(
    "consumers",
    metadata,
    Column("owner", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("committed_ms", BigInteger),
    Column("holder", Text),
    PrimaryKeyConstraint("owner", "name"),
)

# Webhooks. They are not derived: nothing can rebuild them. `holder` and `fence`: which process delivers for it.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("patterns", Text, nullable=False),  # a JSON array
    Column("filter", Text),
    Column("documents", Text, nullable=False),
    Column("payload", Text, nullable=False),
    Column("ordered", Boolean, nullable=False),
    Column("enabled", Boolean, nullable=False),
    Column("description", Text, nullable=False),
    Column("secret", Text, nullable=False),  # it signs, so it cannot be a hash
    Column("former", Text),
    Column("former_until_ms", BigInteger),
    Column("version", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("place", BigInteger, nullable=False),
    Column("failing_since_ms", BigInteger),
    Column("missed_ms", BigInteger),
    Column("disabled_cause", Text),
    Column("disabled_ms", BigInteger),
    Column("is_told", Boolean, nullable=False),
    Column("holder", Text),
    Column("fence", BigInteger, nullable=False),
)
Index("webhooks_owner", webhooks.c.owner)

# What was delivered, and what is to be delivered again. `body`: the event, compressed with zstd, while it is pending.
deliveries = Table(
    "deliveries",
    metadata,
    Column("id", Text, primary_key=True),
    Column("webhook_id", Text, nullable=False),
    Column("event_id", Text, nullable=False),
    Column("event_type", Text, nullable=False),
    Column("document_id", Text),
    Column("log_offset", BigInteger),
    Column("state", Text, nullable=False),
    Column("requested", Boolean, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger),
    Column("last_ms", BigInteger),
    Column("status", Integer),
    Column("error", Text),
    Column("took_ms", BigInteger),
    Column("excerpt", Text),
    Column("body", LargeBinary),
    Column("replay_id", Text),  # the replay that made it, if one did
)
_pending = deliveries.c.state == "pending"
Index("deliveries_webhook", deliveries.c.webhook_id, deliveries.c.id)
Index("deliveries_due", deliveries.c.webhook_id, deliveries.c.next_ms, sqlite_where=_pending, postgresql_where=_pending)
Index("deliveries_document", deliveries.c.document_id, sqlite_where=_pending, postgresql_where=_pending)
_replayed = _pending & deliveries.c.replay_id.is_not(None)
Index("deliveries_replay", deliveries.c.replay_id, sqlite_where=_replayed, postgresql_where=_replayed)

# Callbacks of documents. A rebuild of the ledger leaves them alone, so that it posts nothing again. `body`: the event,
# compressed with zstd, while it is pending. `next_ms` is moved on while a process has it. An erased one has no URL.
callbacks = Table(
    "callbacks",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("document_id", Text, nullable=False),
    Column("run", Integer, nullable=False),
    Column("owner", Text, nullable=False),
    Column("url", Text),
    Column("host", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("next_ms", BigInteger),
    Column("last_ms", BigInteger),
    Column("status", Integer),
    Column("error", Text),
    Column("body", LargeBinary),
)
_waiting = callbacks.c.state == "pending"
Index("callbacks_due", callbacks.c.next_ms, sqlite_where=_waiting, postgresql_where=_waiting)
Index(
    "callbacks_host", callbacks.c.host, callbacks.c.next_ms, sqlite_where=_waiting, postgresql_where=_waiting
)  # to find what is due of each host
Index("callbacks_document", callbacks.c.document_id)

# Replays. They are not derived. `holder` and `fence`: which process runs it.
replays = Table(
    "replays",
    metadata,
    Column("id", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("documents", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("webhook_id", Text),
    Column("queue", Text),
    Column("patterns", Text, nullable=False),  # a JSON array
    Column("filter", Text),
    Column("since_ms", BigInteger),
    Column("before_ms", BigInteger),
    Column("after", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Column("per_second", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("cause", Text),
    Column("place", BigInteger, nullable=False),
    Column("read", BigInteger, nullable=False),
    Column("sent", BigInteger, nullable=False),
    Column("delivered", BigInteger, nullable=False),
    Column("failed", BigInteger, nullable=False),
    Column("created_ms", BigInteger, nullable=False),
    Column("updated_ms", BigInteger, nullable=False),
    Column("ended_ms", BigInteger),
    Column("holder", Text),
    Column("fence", BigInteger, nullable=False),
)
Index("replays_owner", replays.c.owner, replays.c.id)

# The processes that deliver. `beat` grows with each heartbeat.
deliverers = Table(
    "deliverers",
    metadata,
    Column("name", Text, primary_key=True),
    Column("beat", BigInteger, nullable=False),
)

# The tables whose rows go when a run goes.
OF_DOCUMENTS = (signatures, events, labels, inputs, runs)
