from uuid import UUID

from contract.ids import document_id_for_key, new_document_id


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
