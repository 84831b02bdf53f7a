"""Decides which events a webhook hears of."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime

from contract.deliveries import DeliveryStore
from contract.events import matches
from contract.filters import Filter
from contract.webhooks import Documents, Webhook
from workers.deliver.feeds import FeedEntry

_LONG_AGO = datetime.fromtimestamp(0, UTC)  # for an event that does not say when it was made


class WebhookEvents:
    """The events that a webhook hears of, whosever they are."""

    def __init__(self, webhook: Webhook) -> None:
        self._patterns = tuple(webhook.patterns)
        self._filter = None if webhook.filter is None else Filter.parse(webhook.filter)

    def has(self, entry: FeedEntry) -> bool:
        """Returns True if it is an event of them."""
        if entry.event is None:
            return False
        if self._patterns and not any(matches(pattern, entry.routing_key) for pattern in self._patterns):
            return False
        return self._filter is None or self._filter.matches(entry.event)


class EventSelection:
    """Selects the events of one webhook. The owner of a document is not in its event, but later in the ledger.

    `pause` waits for as long as the ledger may take to know more.
    """

    def __init__(self, webhook: Webhook, store: DeliveryStore, pause: Callable[[], Awaitable[None]]) -> None:
        self._owner = webhook.owner if webhook.documents is Documents.OWN else None
        self._events = WebhookEvents(webhook)
        self._store = store
        self._pause = pause

    async def of(self, entries: Sequence[FeedEntry]) -> set[int]:
        """Returns the offsets of the entries that are wanted. It waits until their owners are known.

        Raises:
            LedgerUnavailable: the owners cannot be asked for.
        """
        wanted = [entry for entry in entries if self._events.has(entry)]
        if self._owner is not None and wanted:
            owned = await self._owned(self._owner, wanted)
            wanted = [entry for entry in wanted if entry.subject in owned]
        return {entry.offset for entry in wanted}

    async def _owned(self, owner: str, entries: Sequence[FeedEntry]) -> set[str]:
        ids = {entry.subject for entry in entries}
        until = max(entry.time or _LONG_AGO for entry in entries)
        while True:
            known = await self._store.ownership(owner, ids, until)
            if not known.unknown:
                return set(known.owned)
            await self._pause()  # the recorder is on its way
