"""The order in which the records are read makes no difference to a row."""

from contextlib import suppress
from itertools import permutations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.broker import LogEntry
from contract.ledger import State
from contract.reasons import Reason
from contract.streams import Stream
from runtime.ledger.facts import Fact, Unreadable, facts_of
from runtime.ledger.row import RunRow
from tests.brokers import samples
from tests.runtime.ledger.records import Records, failed

JOB = samples.job()


def facts() -> dict[Stream, list[Fact]]:
    """Returns the entries about a document that was tried three times, and decided twice, differently."""
    records = Records()
    records.accept(JOB)
    again = records.retry(records.retry(JOB), Reason.SERVER_ERROR)
    assert again.attempt == 3
    records.decide(failed(JOB, Reason.SERVER_ERROR, attempts=3))
    records.decide(samples.processed(JOB))
    return {
        stream: [fact for entry in entries for fact in facts_of(stream, entry)]
        for stream, entries in records.entries.items()
    }


def learned(order: list[Fact]) -> RunRow:
    row = RunRow(seq=1, document_id=JOB.id, run=1)
    for fact in order:
        row.learn(fact)
    return row


def interleavings() -> list[list[Fact]]:
    """Returns every way to read the three records beside each other."""
    streams = facts()
    turns = [stream for stream, entries in streams.items() for _ in entries]
    orders = []
    for order in set(permutations(turns)):
        places = {stream: iter(entries) for stream, entries in streams.items()}
        orders.append([next(places[stream]) for stream in order])
    return orders


def test_every_order_comes_to_the_same_row() -> None:
    orders = interleavings()
    assert len(orders) == 30
    first, *others = [learned(order) for order in orders]
    assert all(row == first for row in others)
    assert (first.state, first.reason, first.attempts, first.tried) == (State.FAILED, Reason.SERVER_ERROR, 3, 2)
    assert (first.repeats, first.differing, first.next_ms) == (1, 1, None)
    assert (first.owner, first.lane, first.labels) == ("newsroom", "interactive", {"desk": "foreign"})


def test_a_retry_says_what_went_wrong_and_when_it_is_made_again() -> None:
    streams = facts()
    row = learned([*streams[Stream.ACCEPTED], *streams[Stream.ATTEMPTS]])
    assert (row.state, row.tried, row.reason, row.detail) == (State.PROCESSING, 2, Reason.SERVER_ERROR, "503")
    assert row.next_ms == streams[Stream.ATTEMPTS][-1].at_ms + 60_000


@pytest.mark.parametrize("stream", Stream)
@given(
    body=st.binary(max_size=60) | st.sampled_from([b"{}", b"[]", b"null", b"[{}]", b'[{"id": "a.1"}]', b'{"id": 1}'])
)
def test_entries_that_are_no_records_are_recognised(stream: Stream, body: bytes) -> None:
    with suppress(Unreadable):
        assert facts_of(stream, LogEntry(0, "", body)) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [("id", "a"), ("id", "a.0"), ("id", "a.x"), ("id", "b.1"), ("type", "other"), ("time", "now"), ("data", None)],
)
def test_a_foreign_event_is_unreadable(field: str, value: object) -> None:
    event = {
        "id": "a.1",
        "subject": "a",
        "type": "copydesk.document.failed.v1",
        "time": samples.NOW,
        "data": {"reason": "gone"},
    }
    assert facts_of(Stream.LOG, LogEntry(0, "", orjson.dumps(event)))
    with pytest.raises(Unreadable):
        facts_of(Stream.LOG, LogEntry(0, "", orjson.dumps({**event, field: value})))
