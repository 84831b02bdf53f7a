from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from contract.ids import batch_id, document_id_for_key, line_id, new_document_id, time_of


def test_new_ids_are_version_7_and_grow() -> None:
    ids = [new_document_id() for _ in range(1000)]
    assert {UUID(each).version for each in ids} == {7}
    assert ids == sorted(set(ids))


def test_the_same_key_of_the_same_owner_is_the_same_document() -> None:
    assert document_id_for_key("desk", "k1") == document_id_for_key("desk", "k1")
    assert UUID(document_id_for_key("desk", "k1")).version == 5


def test_owners_do_not_meet_on_one_id() -> None:
    ids = {document_id_for_key(*pair) for pair in [("a", "b"), ("b", "a"), ("a:b", ""), ("a", ":b"), ("", "a:b")]}
    assert len(ids) == 5


def test_a_batch_has_the_id_of_no_document_and_of_no_other_batch() -> None:
    names = [("desk", "k1"), ("desk", "k2"), ("des", "kk1"), ("a:b", ""), ("a", ":b")]
    ids = {make(*pair) for pair in names for make in (batch_id, document_id_for_key)}
    assert len(ids | {line_id("desk", "k1", 1)}) == 2 * len(names) + 1
    assert {UUID(each).version for each in ids} == {5}


@pytest.mark.parametrize(
    ("document_id", "made"),
    [
        ("00000000-0000-7000-8000-000000000000", datetime(1970, 1, 1, tzinfo=UTC)),
        ("01a2235b-7ce7-72db-9eab-453fb1ea44a0", datetime(2026, 11, 28, 18, 12, 8, 39000, UTC)),
        ("e677d21f-dbff-7fff-bfff-ffffffffffff", datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)),
        ("e677d21f-dc00-7fff-bfff-ffffffffffff", datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)),
        ("ffffffff-ffff-7fff-bfff-ffffffffffff", datetime(9999, 12, 31, 23, 59, 59, 999000, UTC)),
    ],
)
def test_each_uuid_of_version_7_has_a_time(document_id: str, made: datetime) -> None:
    time = time_of(UUID(document_id))
    assert time is not None
    assert abs(time - made) < timedelta(milliseconds=1)


def test_another_uuid_has_none() -> None:
    assert time_of(UUID(document_id_for_key("desk", "k1"))) is None
