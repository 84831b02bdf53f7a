"""The events of `copydesk conformance` are such as Copydesk sends, has sent, or may send."""

import json
from pathlib import Path

from contract.codec import MAX_EVENT_BYTES, decode_event
from contract.events import SHORT_TYPES
from runtime.conformance.cases import cases, small

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("document.processed.v1.*.json"))
CASES = {case.name: case for case in cases()}


def test_all_of_todays_types_are_valid_events() -> None:
    known = [event for case in CASES.values() for event in case.events if json.loads(event)["type"] in SHORT_TYPES]
    assert len(known) > len(CASES)
    assert {decode_event(event).subject for event in known} < {case.document for case in CASES.values()}


def test_the_earliest_version_has_no_more_than_any_that_was_ever_sent() -> None:
    earliest = json.loads(CASES["earliest version"].events[0])["data"].keys()
    assert len(GOLDEN) > 5
    for path in GOLDEN:
        assert earliest <= json.loads(path.read_text(encoding="utf-8"))["data"].keys(), path.name


def test_the_largest_event_is_as_large_as_any_can_be() -> None:
    assert len(CASES["largest event"].events[0]) == MAX_EVENT_BYTES


def test_each_case_has_a_document_of_its_own_but_for_the_late_repeat() -> None:
    assert CASES["late repeat"].events == CASES["article"].events
    assert len({case.document for case in CASES.values()}) == len(CASES) - 1
    assert len({case.document for case in small(9)}) == 9
