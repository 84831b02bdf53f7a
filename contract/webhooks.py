"""Webhooks: what a subscriber asks for, and the protocol of what keeps them.

The form of secrets is that of Standard Webhooks 1.0 (https://www.standardwebhooks.com): `whsec_` and base64.
"""

import base64
import binascii
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from uuid_utils import uuid7

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 - the mark of secrets, not one of them
MIN_SECRET_BYTES: Final = 24  # Standard Webhooks 1.0, "Signature scheme": at least 192 bits
MAX_SECRET_BYTES: Final = 64  # the same: at most 512 bits
_NEW_SECRET_BYTES: Final = 32  # chosen: as many as HMAC-SHA-256 makes use of
EXCERPT_BYTES: Final = 1024  # of a receiver's answer; chosen: shows an error message, and keeps the table small
BEFORE_ALL: Final = -1  # the place of a webhook that begins with the oldest event


class Payload(StrEnum):
    """What a delivery holds: the event as it is in the log, or only what names its document."""

    FULL = "full"
    THIN = "thin"


class Documents(StrEnum):
    """Whose documents a webhook hears of: those of its owner, or those of all."""

    OWN = "own"
    ALL = "all"


class DisabledCause(StrEnum):
    """Why Copydesk disabled a webhook."""

    GONE = "gone"  # its receiver answered 410
    FAILING = "failing"  # nothing but failures for days


class DeliveryState(StrEnum):
    """The state of one delivery."""

    PENDING = "pending"  # it is due at `next_at`
    DELIVERED = "delivered"
    FAILED = "failed"  # it is not tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A subscription that is pushed to a URL. Times are aware.

    Attributes:
        owner: the name of the API key that made it.
        patterns: of routing keys, one of which must match; empty for all events.
        filter: an expression that the event must meet, too.
        ordered: one delivery at a time, in the order of the log.
        secret: signs deliveries; `former` signs them, too, until `former_until`.
        version: grows with each change by its owner.
        place: the offset in the log up to which everything is delivered or is a delivery on record.
        failing_since: the first failure after the last success, None after a success.
        missed_at: when events were found to be gone from the log before they were delivered, None if never.
        disabled_cause, disabled_at: set where Copydesk disabled it, not its owner. `is_told`: an event says so.
    """

    id: str
    owner: str
    url: str
    patterns: Sequence[str] = ()
    filter: str | None = None
    documents: Documents = Documents.OWN
    payload: Payload = Payload.FULL
    ordered: bool = False
    enabled: bool = True
    description: str = ""
    secret: str = field(repr=False)
    former: str | None = field(default=None, repr=False)
    former_until: datetime | None = None
    version: int = 1
    created_at: datetime
    updated_at: datetime
    place: int = BEFORE_ALL
    failing_since: datetime | None = None
    missed_at: datetime | None = None
    disabled_cause: DisabledCause | None = None
    disabled_at: datetime | None = None
    is_told: bool = True

    def secrets_at(self, at: datetime) -> Sequence[str]:
        """Returns the secrets that sign a delivery at the aware time `at`, the current one first."""
        former_counts = self.former is not None and self.former_until is not None and at < self.former_until
        return (self.secret, self.former) if former_counts and self.former is not None else (self.secret,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One event for one webhook, and what came of its last attempt. Times are aware.

    Attributes:
        document_id: None for an event that is about no document.
        offset: of the event in the log; None for a test.
        requested: an owner asked for it: a test, or an event that is sent again. It keeps no order.
        attempts: how many were made.
        next_at: when the next one is due, None if there is none.
        status: of the answer; None without an answer, where `error` says what happened.
        took_ms: how long the last attempt took, in milliseconds.
        excerpt: the beginning of the answer.
        body: the event, only while it is pending.
        replay_id: the replay that sends the event again, None without one.
    """

    id: str
    webhook_id: str
    event_id: str
    event_type: str
    document_id: str | None = None
    offset: int | None = None
    state: DeliveryState = DeliveryState.PENDING
    requested: bool = False
    attempts: int = 0
    created_at: datetime
    next_at: datetime | None = None
    last_at: datetime | None = None
    status: int | None = None
    error: str | None = None
    took_ms: int | None = None
    excerpt: str | None = None
    body: bytes | None = field(default=None, repr=False)
    replay_id: str | None = None


class WebhookBook(Protocol):
    """Where webhooks are kept, for the API. Every call may raise `contract.ledger.LedgerUnavailable`."""

    async def add(self, webhook: Webhook, *, at_most: int) -> bool:
        """Stores a new webhook. Returns False, and stores none, if its owner has `at_most` already."""

    async def webhook(self, webhook_id: str) -> Webhook | None:
        """Returns a webhook, None if there is none."""

    async def webhooks(self, owner: str | None) -> Sequence[Webhook]:
        """Returns the webhooks of an owner, the oldest first; those of all if `owner` is None."""

    async def change(self, webhook: Webhook) -> bool:
        """Stores what an owner may change, and makes the webhook's pending deliveries due at once.

        `webhook.version` is one above that of the stored one. Returns False, and changes nothing, if that has another
        version by now, or is gone.
        """

    async def remove(self, webhook_id: str) -> bool:
        """Removes a webhook and its deliveries. Returns False if there is none."""

    async def deliveries(
        self, webhook_id: str, *, state: DeliveryState | None, limit: int, before: str | None
    ) -> Sequence[Delivery]:
        """Returns deliveries of a webhook without bodies, the newest first; those older than the id `before`."""

    async def delivery(self, webhook_id: str, delivery_id: str) -> Delivery | None:
        """Returns a delivery, with its body if it is pending; None if there is none."""

    async def request(self, delivery: Delivery) -> None:
        """Stores a delivery that an owner asks for; it is due at `next_at`."""

    async def hasten(self, delivery_id: str, at: datetime) -> bool:
        """Makes a pending delivery due at `at`. Returns False if it is not pending any more."""


def new_id() -> str:
    """Returns the id of a webhook or a delivery: a UUIDv7, so that ids are in the order of time."""
    return str(uuid7())


def new_secret() -> str:
    """Returns a secret with 256 random bits."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_NEW_SECRET_BYTES)).decode()


def is_secret(text: str) -> bool:
    """Returns True if `text` has the form of a secret, and enough bits."""
    try:
        key = base64.b64decode(text.removeprefix(SECRET_PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    return text.startswith(SECRET_PREFIX) and MIN_SECRET_BYTES <= len(key) <= MAX_SECRET_BYTES
