"""What came of the deliveries of one webhook, until it is stored."""

from datetime import datetime

from contract.deliveries import Disabled, PendingDeliveries, Settlement
from contract.events import ERASED
from contract.webhooks import BEFORE_ALL, Delivery, DeliveryState, Webhook
from workers.deliver.limits import DeliveryLimits
from workers.deliver.window import OffsetWindow


class Unsettled:
    """Outcomes and the place of `webhook`, which was taken with `fence`.

    They are stored in one transaction, so that no event is passed whose outcome is not on record. `window` has the
    events that are under way.
    """

    def __init__(self, webhook: Webhook, fence: int, limits: DeliveryLimits) -> None:
        self.window = OffsetWindow(webhook.place)
        self._webhook = webhook
        self._fence = fence
        self._limits = limits
        self._settlement = self._empty()
        self._under_way: set[str] = set()  # deliveries, until what came of them is stored
        self._pending = PendingDeliveries()  # as last counted
        self._more = self._more_bytes = 0  # pending deliveries that were stored since
        self._unstored: dict[str, int] = {}  # pending deliveries that are not stored yet, with their bytes
        self._unstored_bytes = 0
        self._erased: set[str] = set()  # documents, while deliveries of them may be under way
        self._stored_place = webhook.place
        self._is_disabling_stored = False

    @property
    def under_way(self) -> frozenset[str]:
        """The ids of deliveries that are being made again, or whose outcome is not stored."""
        return frozenset(self._under_way)

    def begin_again(self, delivery_id: str) -> bool:
        """Notes that a stored delivery is made again. Returns False if it already is."""
        if delivery_id in self._under_way:
            return False
        self._under_way.add(delivery_id)
        return True

    def is_stored(self, delivery_id: str) -> bool:
        """Returns True if nothing is under way of a delivery."""
        return delivery_id not in self._under_way

    def add_first(self, tried: Delivery) -> None:
        """Keeps what came of the first attempt of a delivery."""
        if self._add(tried, self._settlement.fresh) and tried.state is DeliveryState.PENDING:
            self._unstored[tried.id] = size = len(tried.body or b"")
            self._unstored_bytes += size

    def add_again(self, tried: Delivery) -> None:
        """Keeps what came of a further attempt."""
        self._add(tried, self._settlement.again)

    def _add(self, tried: Delivery, among: list[Delivery]) -> bool:
        """Keeps what came of a delivery, to be stored. Nothing is kept of an erased document."""
        if tried.document_id in self._erased and tried.event_type != ERASED and tried.state is DeliveryState.PENDING:
            self._under_way.discard(tried.id)
            return False
        among.append(tried)
        self._under_way.add(tried.id)
        return True

    def erase(self, document_id: str) -> None:
        """Drops what is pending of a document."""
        self._settlement.erased.add(document_id)
        if self.window.is_open:
            self._erased.add(document_id)
        else:
            self._erased.clear()

    def hasten(self, at: datetime) -> None:
        """Makes all that is pending due at the aware time `at`."""
        self._settlement.hasten_at = at

    def miss(self, at: datetime) -> None:
        """Notes that events are gone from the log. The oldest one that it has is the next."""
        self._settlement.missed_at = at
        self.window = OffsetWindow(BEFORE_ALL)

    def has_room(self, waiting: int, waiting_bytes: int) -> bool:
        """Returns True if one more event may be begun, where so many wait for their first attempt."""
        if len(self._under_way) + waiting >= self._limits.unsettled:
            return False
        count = self._pending.count + self._more + len(self._unstored) + waiting
        size = self._pending.bytes + self._more_bytes + self._unstored_bytes + waiting_bytes
        return self._webhook.ordered or (count < self._limits.pending and size < self._limits.pending_bytes)

    def count(self, pending: PendingDeliveries) -> None:
        """Notes how many deliveries wait for another attempt."""
        self._pending = pending
        self._more = self._more_bytes = 0

    def take(self, failing_since: datetime | None, disabled: Disabled | None) -> Settlement | None:
        """Returns what is to be stored, None if nothing is. The caller stores it, and then calls `stored`."""
        taken = self._settlement
        taken.place, taken.failing_since = self.window.place, failing_since
        taken.disabled = None if self._is_disabling_stored else disabled
        is_new = taken.fresh or taken.again or taken.erased or taken.hasten_at or taken.missed_at
        if not is_new and taken.place == self._stored_place:
            return None
        self._settlement = self._empty()
        return taken

    def stored(self, settlement: Settlement) -> None:
        """Notes that a settlement is stored, or never will be."""
        self._stored_place = settlement.place
        self._is_disabling_stored |= settlement.disabled is not None
        self._under_way.difference_update([it.id for it in settlement.fresh], [it.id for it in settlement.again])
        if not self._unstored:
            return
        for it in settlement.fresh:
            size = self._unstored.pop(it.id, None)
            if size is not None:
                self._unstored_bytes -= size
                self._more, self._more_bytes = self._more + 1, self._more_bytes + size

    def put_back(self, taken: Settlement) -> None:
        """Takes a settlement back that could not be stored."""
        newer = self._settlement
        taken.fresh += newer.fresh
        taken.again += newer.again
        taken.erased |= newer.erased
        taken.hasten_at = newer.hasten_at or taken.hasten_at
        taken.missed_at = newer.missed_at or taken.missed_at
        self._settlement = taken

    def _empty(self) -> Settlement:
        webhook = self._webhook
        return Settlement(webhook_id=webhook.id, fence=self._fence, version=webhook.version, place=self.window.place)
