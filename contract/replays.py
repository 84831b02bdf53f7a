"""Replays: a part of the log is sent again, and the protocols of what keeps them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol

from contract.webhooks import BEFORE_ALL, Delivery, Documents, Webhook

REPLAY_HEADER: Final = "copydesk-replay"
"""The header of a delivery or a message that a replay sent: the replay's id."""

ROUTING_KEY_HEADER: Final = "copydesk-routing-key"
"""The header of a message in a queue that has the event's routing key: such a message is published to no exchange."""


class ReplayTarget(StrEnum):
    """Where a replay sends events to."""

    WEBHOOK = "webhook"
    QUEUE = "queue"
    DOWNLOAD = "download"


class ReplayState(StrEnum):
    """The state of a replay."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ReplayCause(StrEnum):
    """Why a replay failed."""

    WEBHOOK_REMOVED = "webhook_removed"
    WEBHOOK_DISABLED = "webhook_disabled"
    QUEUE_MISSING = "queue_missing"
    QUEUE_FORBIDDEN = "queue_forbidden"  # the user of `deliver` may not publish to the default exchange
    POSITION_GONE = "position_gone"  # the log no longer had its events


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """A part of the log that is sent again. Times are aware.

    Attributes:
        owner: the name of the API key that made it.
        documents: events of the owner's documents, or of all.
        webhook_id, queue: where to, as `target` says.
        patterns, filter: as of a webhook.
        since, before: the events that were made from, and before, these times.
        after, until: the offsets in the log before its first, and of its last.
        per_second: most events that are sent in a second.
        place: all events up to this offset are handed on.
        read: how many were looked at; `sent`: how many were handed on: as deliveries, or to the queue or the client.
        delivered, failed: of those to a webhook. The others are pending, or were of documents that were erased.
        pending: deliveries that wait for an attempt.
        ended_at: when it was completed, failed or was cancelled.
    """

    id: str
    owner: str
    documents: Documents = Documents.OWN
    target: ReplayTarget
    webhook_id: str | None = None
    queue: str | None = None
    patterns: Sequence[str] = ()
    filter: str | None = None
    since: datetime | None = None
    before: datetime | None = None
    after: int = BEFORE_ALL
    until: int
    per_second: int
    state: ReplayState = ReplayState.RUNNING
    cause: ReplayCause | None = None
    place: int = BEFORE_ALL
    read: int = 0
    sent: int = 0
    delivered: int = 0
    failed: int = 0
    pending: int = 0
    created_at: datetime
    updated_at: datetime
    ended_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class HeldReplay:
    """A replay that runs, and the process that runs it; nobody does if `holder` is None."""

    replay: Replay
    holder: str | None
    fence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a replay has done, to be stored in one transaction with the deliveries that it makes."""

    place: int
    read: int
    sent: int
    at: datetime
    deliveries: Sequence[Delivery] = field(default_factory=tuple)


@dataclass(frozen=True, slots=True)
class Known:
    """Which of some documents (or webhooks, or batches) are erased, which an owner's, and which not recorded yet."""

    erased: Collection[str]
    owned: Collection[str]
    unknown: Collection[str]


@dataclass(frozen=True, slots=True)
class Backlog:
    """The deliveries of a replay that wait for an attempt: how many, and the bytes of their events, compressed."""

    count: int = 0
    bytes: int = 0


class Documentation(Protocol):
    """Tells whose documents are. A call may raise `contract.ledger.LedgerUnavailable`."""

    async def known(self, owner: str | None, ids: Collection[str], until: datetime) -> Known:
        """Tells what is recorded of these ids. Without an `owner` all are owned, and none is unknown.

        `until`: where all acceptances up to this time are recorded, an id of which nothing is known is nobody's.
        """


class ReplayBook(Documentation, Protocol):
    """Where replays are kept, for the API. Every call may raise `contract.ledger.LedgerUnavailable`."""

    async def add(self, replay: Replay, *, at_most: int) -> bool:
        """Stores a new replay. Returns False, and stores none, if so many of its owner run already."""

    async def replay(self, replay_id: str) -> Replay | None:
        """Returns a replay, None if there is none."""

    async def replays(self, owner: str | None, *, limit: int, before: str | None) -> Sequence[Replay]:
        """Returns the replays of an owner, or of all, the newest first; those older than the id `before`."""

    async def cancel(self, replay_id: str, at: datetime) -> bool:
        """Ends a replay that runs. Returns False if it does not.

        Its deliveries that are pending are dropped, and its place is before them.
        """

    async def resume(self, replay_id: str, at: datetime) -> bool:
        """Lets a replay that failed or was cancelled go on from its place. Returns False if there is none."""

    async def note(self, replay_id: str, step: Step, *, completed: bool) -> bool:
        """Notes how far a download has come; it is completed if it ever was. Returns False if it does not run."""


class ReplayStore(Documentation, Protocol):
    """What the role `deliver` needs. Every call may raise `contract.ledger.LedgerUnavailable`."""

    async def running(self) -> Sequence[HeldReplay]:
        """Returns the replays that run, without downloads: the API sends those."""

    async def take_replay(self, held: HeldReplay, name: str) -> Replay | None:
        """Takes a replay by raising its fence by one. Returns None where somebody else was faster."""

    async def give_back_replay(self, replay_id: str, name: str) -> None:
        """Lets others take a replay, where the process `name` holds it."""

    async def advance(self, replay_id: str, fence: int, step: Step) -> bool:
        """Stores a step. Returns False, and stores nothing, if another process has the replay or it does not run."""

    async def backlog(self, replay_id: str) -> Backlog:
        """Returns what waits for an attempt."""

    async def target(self, webhook_id: str) -> Webhook | None:
        """Returns the webhook of a replay, None if there is none."""

    async def end(
        self, replay_id: str, fence: int, state: ReplayState, cause: ReplayCause | None, at: datetime
    ) -> bool:
        """Ends a replay that this process has. One that fails drops its pending deliveries: see `ReplayBook.cancel`.

        Returns whether it was this process's to end.
        """

    async def sweep_replays(self, before: datetime) -> int:
        """Deletes the replays that ended before `before`. Returns how many."""
