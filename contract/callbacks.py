"""Callbacks: the event of one document, posted to the URL that came with it. And the protocol of what keeps them."""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from contract.webhooks import SECRET_PREFIX, DeliveryState

# An event older than this begins no callback, so a ledger that is rebuilt from the log does not post old ones again.
# Chosen: about as long as the schedule of attempts, `contract.deliveries.WEBHOOK_DELAYS_S`.
BEGINS_WITHIN: Final = timedelta(days=3)
_PURPOSE: Final = b"copydesk callback, version 1\0"


@dataclass(frozen=True, slots=True)
class CallbackProgress:
    """How far a callback is. `status`: of the last answer; None without one, where `error` says what happened."""

    state: DeliveryState = DeliveryState.PENDING
    attempts: int = 0
    status: int | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Callback:
    """The event of one run, to be posted. Times are aware.

    Attributes:
        url: may hold secrets: it goes nowhere but to the receiver.
        next_at: when the next attempt is due, None if there is none.
        last_at: when the last one ended.
        body: the event as it is in the log.
    """

    event_id: str
    owner: str
    host: str
    url: str = field(repr=False)
    progress: CallbackProgress = CallbackProgress()
    next_at: datetime | None = None
    last_at: datetime | None = None
    body: bytes = field(repr=False)


class CallbackStore(Protocol):
    """What the role `deliver` needs. Every call may raise `contract.ledger.LedgerUnavailable`."""

    async def claim(
        self, at: datetime, until: datetime, *, limit: int, a_host: int, busy: Mapping[str, int]
    ) -> Sequence[Callback]:
        """Returns callbacks that are due at `at`, and makes them due again at `until`, so nobody else has them.

        There are at most `limit`, and of each host at most `a_host` with those that `busy` counts.
        """

    async def settle(self, tried: Sequence[Callback], until: Mapping[str, datetime]) -> None:
        """Stores what came of attempts. `until`: as claimed, by event id. One that was claimed anew stays as it is."""

    async def count_pending(self) -> int:
        """Returns how many wait for an attempt."""

    async def sweep_callbacks(self, before: datetime) -> int:
        """Deletes those that are over and were made before `before`. Returns how many."""


def callback_secret(secret: str, owner: str) -> str:
    """Returns the secret that signs the callbacks of an owner, in the form of Standard Webhooks 1.0: `whsec_…`.

    It is derived from the setting (HMAC-SHA-256, RFC 2104), so nothing is stored, and owners cannot compute another's.
    """
    key = hmac.digest(secret.encode(), _PURPOSE + owner.encode(), sha256)
    return SECRET_PREFIX + base64.b64encode(key).decode()
