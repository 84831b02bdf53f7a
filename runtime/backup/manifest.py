"""What a backup holds, and the checksums of its files. It is written last: a folder without it is no backup."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

FORMAT = 1  # counts the versions of what backups look like


class BrokerKind(StrEnum):
    """Which broker was saved."""

    EMBEDDED = "embedded"  # the whole of it, jobs and dead letters included, as a SQLite file
    RABBITMQ = "rabbitmq"  # its records, entry by entry


class LedgerKind(StrEnum):
    """Which database was saved."""

    SQLITE = "sqlite"
    POSTGRESQL = "postgresql"


class Part(StrEnum):
    """What is restored where the other part is still there."""

    BROKER = "broker"
    LEDGER = "ledger"


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedFile:
    """A file of the backup: its size, and its SHA-256 in hexadecimal digits."""

    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedRecord:
    """A record of RabbitMQ: how many entries there are, and the offsets of the first and the last, None without any."""

    entries: int = 0
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What a backup holds.

    `copydesk` is the version that made it, `made_at` its beginning (RFC 3339, UTC). `ledger_version` is the version of
    the tables. `records` are those of RabbitMQ, `tables` those of PostgreSQL with their columns.
    """

    copydesk: str
    made_at: str
    format: int = FORMAT
    broker: BrokerKind | None = None
    ledger: LedgerKind | None = None
    ledger_version: str | None = None
    records: Mapping[str, SavedRecord] = field(default_factory=dict)
    tables: Mapping[str, Sequence[str]] = field(default_factory=dict)
    files: Mapping[str, SavedFile] = field(default_factory=dict)
