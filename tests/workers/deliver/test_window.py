"""The place of a webhook never passes a delivery that is under way."""

from hypothesis import given
from hypothesis import strategies as st

from workers.deliver.window import OffsetWindow


def test_the_place_follows_the_oldest_delivery_under_way() -> None:
    window = OffsetWindow(10)
    window.open(11)
    window.skip(12)
    window.open(13)
    window.end(13)
    assert (window.place, window.is_open) == (10, True)
    window.end(11)
    assert (window.place, window.is_open) == (13, False)
    window.skip(14)
    window.skip(15)
    assert window.place == 15


@given(st.lists(st.booleans(), max_size=30), st.randoms())
def test_in_whatever_order_they_end(wanted: list[bool], order: object) -> None:
    window, under_way, places = OffsetWindow(-1), [], [-1]
    for offset, is_wanted in enumerate(wanted):
        if is_wanted:
            window.open(offset)
            under_way.append(offset)
        else:
            window.skip(offset)
        places.append(window.place)
    order.shuffle(under_way)  # type: ignore[attr-defined] # a random.Random
    while under_way:
        window.end(under_way.pop())
        places.append(window.place)
        assert window.place < min(under_way, default=len(wanted))
    assert places == sorted(places)
    assert window.place == len(wanted) - 1
