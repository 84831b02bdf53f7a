import pytest

from contract.streams import is_next


@pytest.mark.parametrize(("offset", "expected"), [(4, False), (5, True), (6, True), (7, False), (0, False)])
def test_at_most_one_offset_is_skipped_between_neighbours(offset: int, expected: bool) -> None:
    assert is_next(offset, 4) is expected
