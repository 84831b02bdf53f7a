from runtime.brokers.rabbit.slots import Line, Slots


def filled(slots: int, **waiting: int) -> Slots[str]:
    """Returns slots with this many waiting in each line, since second 0."""
    made: Slots[str] = Slots(slots, patience_s=60)
    for line, count in waiting.items():
        for number in range(count):
            made.add(Line(line), f"{line}{number}", now=0)
    return made


def take_all(slots: Slots[str], now: float = 0) -> list[str]:
    return [item for _, item in iter(lambda: slots.take(now), None)]


def test_lost_ones_go_first_then_interactive_then_bulk() -> None:
    assert take_all(filled(4, bulk=1, interactive=1, lost=1)) == ["lost0", "interactive0", "bulk0"]


def test_one_lost_at_a_time() -> None:
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
    slots.release(Line.INTERACTIVE)
    assert take_all(slots) == ["interactive2"]


def test_bulk_that_has_waited_too_long_goes_before_interactive() -> None:
    assert take_all(filled(2, interactive=2, bulk=1), now=60) == ["bulk0", "interactive0"]


def test_clearing_returns_who_waits_and_forgets_them() -> None:
    slots = filled(1, interactive=2, bulk=1)
    assert take_all(slots) == ["interactive0"]
    assert slots.clear() == ["interactive1", "bulk0"]
    slots.release(Line.INTERACTIVE)
    assert take_all(slots) == []
