"""How much a webhook has under way, and what of it is stored."""

from dataclasses import replace

import pytest

from contract.deliveries import PendingDeliveries
from contract.webhooks import Delivery, DeliveryState
from tests.runtime.ledger.test_webhooks import NOW, delivery, webhook
from workers.deliver.limits import DeliveryLimits
from workers.deliver.unsettled import Unsettled

LIMITS = DeliveryLimits(unsettled=4, pending=3, pending_bytes=100)
HOOK = webhook()


def failed(size: int = 1) -> Delivery:
    return delivery(HOOK, body=b"x" * size)


def delivered() -> Delivery:
    return replace(failed(), state=DeliveryState.DELIVERED, body=None)


@pytest.mark.parametrize(
    ("counted", "tried", "waiting", "waiting_bytes", "has_room"),
    [
        ((0, 0), [], 2, 99, True),
        ((0, 0), [], 3, 0, False),
        ((0, 0), [], 1, 100, False),
        ((2, 0), [], 1, 0, False),
        ((1, 60), [failed(30)], 0, 9, True),
        ((1, 60), [failed(30)], 0, 10, False),
        ((1, 0), [failed()], 1, 0, False),
        ((0, 0), [delivered()] * 3, 0, 0, True),
        ((0, 0), [delivered() for _ in range(3)], 1, 0, False),
    ],
)
def test_no_more_is_begun_than_may_be_pending_if_all_that_waits_fails(
    *, counted: tuple[int, int], tried: list[Delivery], waiting: int, waiting_bytes: int, has_room: bool
) -> None:
    unsettled = Unsettled(HOOK, 1, LIMITS)
    unsettled.count(PendingDeliveries(count=counted[0], bytes=counted[1]))
    for it in tried:
        unsettled.add_first(it)
    assert unsettled.has_room(waiting, waiting_bytes) is has_room


def test_what_is_stored_as_pending_counts_until_it_is_counted_anew() -> None:
    unsettled = Unsettled(HOOK, 1, LIMITS)
    for _ in range(3):
        unsettled.add_first(failed())
    settlement = unsettled.take(None, None)
    assert settlement is not None
    assert unsettled.take(None, None) is None
    unsettled.stored(settlement)
    assert not unsettled.has_room(0, 0)
    assert all(unsettled.is_stored(it.id) for it in settlement.fresh)
    unsettled.count(PendingDeliveries(count=2, bytes=2))
    assert unsettled.has_room(0, 0)


def test_what_could_not_be_stored_is_taken_again_with_what_came_since() -> None:
    unsettled, first, second = Unsettled(HOOK, 1, LIMITS), delivered(), delivered()
    unsettled.add_first(first)
    taken = unsettled.take(None, None)
    assert taken is not None
    unsettled.add_again(second)
    unsettled.hasten(NOW)
    unsettled.put_back(taken)
    again = unsettled.take(None, None)
    assert again is not None
    assert (again.fresh, again.again, again.hasten_at) == ([first], [second], NOW)
