from contract.capacity import Capacity, previews_at_once
from runtime.brokers.slots import QueueClass, Slots


def filled(slots: int, waiting: int = 0, **queued: int) -> Slots[str]:
    """Returns slots with this many deliveries queued in each class, since second 0."""
    made: Slots[str] = Slots(Capacity(slots=slots, waiting=waiting), bulk_max_wait_s=60)
    for kind, count in queued.items():
        for number in range(count):
            made.add(QueueClass(kind), f"{kind}{number}", now=0)
    return made


def take_all(slots: Slots[str], now: float = 0) -> list[str]:
    return list(iter(lambda: slots.take(now), None))


def finish(slots: Slots[str], kind: QueueClass) -> None:
    slots.leave(kind)
    slots.release(kind)


def test_lost_jobs_go_first_then_interactive_then_bulk() -> None:
    assert take_all(filled(4, bulk=1, interactive=1, lost=1)) == ["lost0", "interactive0", "bulk0"]


def test_one_lost_job_at_a_time() -> None:
    assert take_all(filled(4, lost=2)) == ["lost0"]


def test_bulk_never_takes_the_last_slot() -> None:
    assert take_all(filled(3, bulk=5)) == ["bulk0", "bulk1"]


def test_bulk_takes_the_only_slot() -> None:
    assert take_all(filled(1, bulk=2)) == ["bulk0"]


def test_interactive_takes_every_slot() -> None:
    assert take_all(filled(3, interactive=5, bulk=5)) == ["interactive0", "interactive1", "interactive2"]


def test_a_released_slot_is_taken_again() -> None:
    slots = filled(2, interactive=3)
    assert take_all(slots) == ["interactive0", "interactive1"]
    finish(slots, QueueClass.INTERACTIVE)
    assert take_all(slots) == ["interactive2"]


def test_bulk_that_has_waited_too_long_goes_before_interactive() -> None:
    assert take_all(filled(2, interactive=2, bulk=1), now=60) == ["bulk0", "interactive0"]


def test_suspects_wait_until_they_are_begun() -> None:
    slots = filled(2, suspect=1, interactive=1)
    assert take_all(slots) == ["interactive0"]
    finish(slots, QueueClass.INTERACTIVE)
    slots.begin_suspects()
    assert take_all(slots) == ["suspect0"]


def test_a_suspect_waits_until_nothing_is_in_hand_and_keeps_all_others_waiting() -> None:
    slots = filled(3, interactive=1)
    assert take_all(slots) == ["interactive0"]
    slots.add(QueueClass.SUSPECT, "suspect", now=0)
    slots.begin_suspects()
    for kind in (QueueClass.INTERACTIVE, QueueClass.BULK, QueueClass.LOST):
        slots.add(kind, f"next {kind}", now=0)
    assert take_all(slots) == []
    finish(slots, QueueClass.INTERACTIVE)
    assert take_all(slots) == ["suspect"]
    finish(slots, QueueClass.SUSPECT)
    assert take_all(slots) == ["next lost", "next interactive", "next bulk"]


def test_suspects_go_one_by_one_as_they_are_drawn() -> None:
    slots: Slots[str] = Slots(Capacity(slots=4), bulk_max_wait_s=60, draw=lambda count: count - 1)
    for number in range(3):
        slots.add(QueueClass.SUSPECT, str(number), now=0)
    slots.begin_suspects()
    order = []
    for _ in range(3):
        order += take_all(slots)
        finish(slots, QueueClass.SUSPECT)
    assert order == ["2", "1", "0"]


def test_a_suspect_that_comes_later_waits_to_be_begun() -> None:
    slots = filled(2, suspect=1, interactive=1)
    slots.begin_suspects()
    assert take_all(slots) == ["suspect0"]
    finish(slots, QueueClass.SUSPECT)
    assert take_all(slots) == ["interactive0"]
    finish(slots, QueueClass.INTERACTIVE)
    slots.add(QueueClass.SUSPECT, "late", now=0)
    assert take_all(slots) == []


def test_workers_draw_suspects_in_orders_that_differ() -> None:
    firsts = set()
    for _ in range(100):
        slots = filled(2, suspect=3)
        slots.begin_suspects()
        firsts.update(take_all(slots))
    assert firsts == {"suspect0", "suspect1", "suspect2"}


def test_clearing_returns_the_waiting_deliveries_and_forgets_them() -> None:
    slots = filled(1, interactive=2, bulk=1)
    assert take_all(slots) == ["interactive0"]
    assert slots.clear() == ["interactive1", "bulk0"]
    finish(slots, QueueClass.INTERACTIVE)
    assert take_all(slots) == []


def test_previews_and_interactive_jobs_keep_their_order_of_arrival() -> None:
    slots: Slots[str] = Slots(Capacity(slots=8), bulk_max_wait_s=60)
    for second, kind in enumerate(("interactive", "preview", "interactive", "preview", "bulk")):
        slots.add(QueueClass(kind), f"{kind} at {second}", now=second)
    assert take_all(slots) == [
        *("interactive at 0", "preview at 1", "interactive at 2", "preview at 3"),
        "bulk at 4",
    ]


def test_previews_take_half_of_the_slots_and_never_more_than_a_few() -> None:
    assert take_all(filled(4, preview=9)) == ["preview0", "preview1"]
    assert len(take_all(filled(100, preview=90))) == previews_at_once(100)


def test_one_slot_serves_previews_too() -> None:
    assert take_all(filled(1, preview=2)) == ["preview0"]


def test_bulk_that_has_waited_too_long_goes_before_previews() -> None:
    assert take_all(filled(2, preview=2, bulk=1), now=60) == ["bulk0", "preview0"]


def test_no_preview_begins_beside_a_suspect() -> None:
    slots = filled(4, suspect=1, preview=1)
    slots.begin_suspects()
    assert take_all(slots) == ["suspect0"]


def test_who_left_its_slot_lets_others_begin() -> None:
    slots = filled(1, waiting=2, interactive=4)
    begun = []
    for _ in range(4):
        begun += take_all(slots)
        slots.leave(QueueClass.INTERACTIVE)
    assert begun == ["interactive0", "interactive1", "interactive2"]
    assert slots.in_hand == 3


def test_who_comes_back_goes_before_those_that_have_not_begun() -> None:
    slots = filled(1, waiting=2, interactive=2)
    assert take_all(slots) == ["interactive0"]
    slots.leave(QueueClass.INTERACTIVE)
    slots.come_back(QueueClass.INTERACTIVE, "interactive0", now=1)
    assert take_all(slots) == ["interactive0"]


def test_no_slot_is_given_away_while_too_many_verdicts_are_unconfirmed() -> None:
    slots: Slots[str] = Slots(Capacity(slots=1, waiting=9, unconfirmed=1), bulk_max_wait_s=60)
    for number in range(2):
        slots.add(QueueClass.INTERACTIVE, str(number), now=0)
    assert take_all(slots) == ["0"]
    slots.leave(QueueClass.INTERACTIVE)
    slots.decide()
    assert take_all(slots) == []
    slots.confirm()
    slots.release(QueueClass.INTERACTIVE)
    assert take_all(slots) == ["1"]


def test_a_suspect_waits_for_those_that_left_their_slots_and_lets_them_come_back() -> None:
    slots = filled(2, waiting=2, interactive=1, suspect=1)
    assert take_all(slots) == ["interactive0"]
    slots.leave(QueueClass.INTERACTIVE)
    slots.begin_suspects()
    assert take_all(slots) == []
    slots.come_back(QueueClass.INTERACTIVE, "interactive0", now=1)
    assert take_all(slots) == ["interactive0"]
    finish(slots, QueueClass.INTERACTIVE)
    assert take_all(slots) == ["suspect0"]
