"""Document ids: UUIDv7 in order of acceptance, or UUIDv5 of an idempotency key. Batch ids: UUIDv5 of the name."""

from datetime import UTC, datetime
from uuid import UUID, uuid5

from uuid_utils.compat import uuid7

_NAMESPACE = UUID("6f1f3f0e-4c1d-5a55-9a53-2f6a7c0d9b11")
_LAST_MS = 253_402_300_799_999  # the end of the year 9999, the last one of `datetime`; 48 bits reach to the year 10889


def new_document_id() -> str:
    """Returns a UUIDv7 (RFC 9562, section 5.7) as 36 characters."""
    return str(uuid7())


def document_id_for_key(owner: str, key: str) -> str:
    """Returns the UUIDv5 of `owner`'s idempotency `key`, as 36 characters: always the same for the same key.

    `owner` is the name of the API key (never the key itself), so two owners never get the same id.
    """
    return str(uuid5(_NAMESPACE, f"{len(owner)}:{owner}:{key}"))


def line_id(owner: str, key: str, number: int) -> str:
    """Returns the id of the document `number` of a request with this idempotency `key`.

    A key holds no space, so it is the id of no document that was posted alone.
    """
    return document_id_for_key(owner, f"{key} {number}")


def batch_id(owner: str, name: str) -> str:
    """Returns the id of `owner`'s batch `name`, a UUIDv5 as 36 characters: the id of no document."""
    return str(uuid5(_NAMESPACE, f"batch:{len(owner)}:{owner}:{name}"))


def time_of(document_id: UUID) -> datetime | None:
    """Returns when a UUIDv7 was made, aware, at most the end of the year 9999; None for one of another version."""
    if document_id.version != 7:  # noqa: PLR2004 - RFC 9562
        return None
    return datetime.fromtimestamp(min(document_id.int >> 80, _LAST_MS) / 1000, UTC)
