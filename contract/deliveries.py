"""What the role `deliver` needs of the ledger: which webhooks it delivers for, and what came of each delivery.

Several processes share the webhooks. Each sends heartbeats; one that sees no new heartbeat of another takes its
webhooks over by raising their fences. Each write names the fence, so a process that was only slow changes nothing any
more.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Protocol

from contract.webhooks import Delivery, DisabledCause, Webhook

# Seconds before each further attempt, 75.6 hours in all: Standard Webhooks 1.0, "Example retry schedule".
WEBHOOK_DELAYS_S: Final = (5.0, 300.0, 1_800.0, 7_200.0, 18_000.0, 36_000.0, 50_400.0, 72_000.0, 86_400.0)


@dataclass(frozen=True, slots=True)
class HeldWebhook:
    """A webhook, and the process that delivers for it; nobody does if `holder` is None."""

    webhook: Webhook
    holder: str | None
    fence: int


@dataclass(frozen=True, slots=True)
class WebhookSnapshot:
    """All webhooks, and the number of the last heartbeat of each process."""

    webhooks: Sequence[HeldWebhook]
    heartbeats: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Disabled:
    """A webhook is disabled at the aware time `at`."""

    cause: DisabledCause
    at: datetime


@dataclass(slots=True, kw_only=True)
class Settlement:
    """What is to be stored of one webhook, in one transaction.

    Attributes:
        fence, version: of the webhook as it was taken; see `DeliveryStore.settle`.
        place: all events up to this offset are in `fresh`, were stored before, or were not wanted.
        fresh: deliveries that are not stored yet; `again`: those that are.
        failing_since: the first failure after the last success.
        missed_at: set if events were gone from the log.
        hasten_at: makes all that is pending due at this time.
        erased: documents whose pending deliveries are dropped, but for that of the erasure.
    """

    webhook_id: str
    fence: int
    version: int
    place: int
    fresh: list[Delivery] = field(default_factory=list)
    again: list[Delivery] = field(default_factory=list)
    failing_since: datetime | None = None
    missed_at: datetime | None = None
    disabled: Disabled | None = None
    hasten_at: datetime | None = None
    erased: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class PendingDeliveries:
    """What is pending for a webhook: `count` deliveries, and when the next is due. Those on request do not count.

    `bytes` are those of their events, compressed.
    """

    count: int = 0
    next_at: datetime | None = None
    requested_at: datetime | None = None
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Ownership:
    """Which of some ids belong to an owner, and of which nothing is recorded yet."""

    owned: Collection[str]
    unknown: Collection[str]


class DeliveryStore(Protocol):
    """Every call may raise `contract.ledger.LedgerUnavailable`."""

    async def heartbeat(self, name: str) -> WebhookSnapshot:
        """Stores a heartbeat of the process `name`, and returns all webhooks and the heartbeats of all processes."""

    async def take(self, wanted: Sequence[HeldWebhook], name: str) -> Sequence[Webhook]:
        """Takes webhooks by raising their fences by one. Returns those where nobody else was faster."""

    async def give_back(self, webhook_ids: Collection[str], name: str) -> None:
        """Lets others take these webhooks, where the process `name` holds them."""

    async def leave(self, name: str) -> None:
        """Gives back all that a process holds. It is one of the processes no more."""

    async def settle(self, settlements: Sequence[Settlement]) -> Collection[str]:
        """Stores all of it in one transaction, and returns the webhooks that another process has, or that are gone.

        Nothing is stored of those. Where the version is another one, the owner has changed the webhook: then its
        settings stay as they are.
        """

    async def pending(self, webhook_ids: Collection[str]) -> Mapping[str, PendingDeliveries]:
        """Returns what is pending for each of these webhooks, if anything is."""

    async def due(self, webhook_id: str, at: datetime, *, requested: bool, limit: int) -> Sequence[Delivery]:
        """Returns deliveries that are due at `at`, with their bodies, those that have waited longest first."""

    async def blocking(self, webhook_id: str, *, limit: int) -> Sequence[Delivery]:
        """Returns the pending deliveries of an ordered webhook in the order of the log, with their bodies."""

    async def next_at(self, delivery_id: str) -> datetime | None:
        """Returns when a delivery is due, None if it is not there any more, or not pending."""

    async def ownership(self, owner: str, ids: Collection[str], until: datetime) -> Ownership:
        """Tells which documents (or webhooks, or batches) are the owner's.

        `until`: where all acceptances up to this time are recorded, a document of which nothing is known is nobody's.
        """

    async def told(self, webhook_id: str) -> None:
        """Notes that an event tells that the webhook was disabled."""

    async def sweep(self, webhook_id: str, before: datetime, *, keep: int) -> int:
        """Deletes what is over and was made before `before`, or is not of the newest `keep`. Returns how many."""
