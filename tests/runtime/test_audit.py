"""The audit's computation, without a broker."""

from dataclasses import replace
from datetime import UTC, datetime

import orjson
import pytest

from contract.accepted import Accepted
from contract.batches import BatchCounts, CompletedBatch
from contract.codec import encode
from contract.events import batch_completed, erased
from contract.job import Lane
from runtime.audit import AuditLimits, Balance, Books, QueueSnapshot, Suspicion

LIMITS = AuditLimits(max_run_s=100, hold_s=10)
NOTHING = QueueSnapshot(queues={}, lanes=dict.fromkeys(Lane, 0), elsewhere=0)


def at(second: float) -> str:
    return datetime.fromtimestamp(second, UTC).isoformat(timespec="milliseconds")


def accepted(run: str, second: float = 0, lane: Lane = Lane.BULK) -> Accepted:
    return Accepted(id=run, lane=lane, at=at(second))


def event(run: str, text: str = "Text.", *, second: float = 0, timing: float = 0.1) -> bytes:
    fetch = {"url": "https://www.example.com/", "first_byte_s": timing, "total_s": timing}
    provenance = {"timings": {"fetch": timing}, "charset": "utf-8", "fetch": fetch}
    data = {"id": run.rpartition(".")[0], "text": text, "provenance": provenance}
    return orjson.dumps({"id": run, "time": at(second), "data": data})


def books(*records: Accepted, events: tuple[bytes, ...] = (), limits: AuditLimits = LIMITS) -> Books:
    kept = Books(limits)
    for record in records:
        kept.accept(record)
    for body in events:
        kept.decide(body)
    return kept


def counts(balance: Balance) -> dict[str, int]:
    names = ("accepted", "decided", "in_flight", "missing", "repeated", "differing", "unrecorded")
    return {name: getattr(balance, name) for name in names if getattr(balance, name)}


def balance_after(kept: Books, snapshot: QueueSnapshot, *seconds: float) -> Balance:
    """Returns the balance of the last of several looks."""
    return [kept.balance(snapshot, now) for now in seconds][-1]


def waiting(*, elsewhere: int = 0, **lanes: int) -> QueueSnapshot:
    return replace(NOTHING, lanes={lane: lanes.get(lane, 0) for lane in Lane}, elsewhere=elsewhere)


def test_all_decided_balances() -> None:
    kept = books(accepted("a.1"), accepted("b.1"), events=(event("b.1"), event("a.1")))
    assert counts(kept.balance(NOTHING, 1000)) == {"accepted": 2, "decided": 2}


def test_an_erasure_is_no_verdict_and_changes_nothing() -> None:
    tombstones = (encode(erased("a", at(5))), encode(erased("b", at(6))), encode(erased("a", at(7))))
    kept = books(accepted("a.1"), accepted("b.1"), events=(event("a.1"), *tombstones))
    assert counts(kept.balance(NOTHING, 50)) == {"accepted": 2, "decided": 1, "in_flight": 1}
    assert kept.unreadable == 0
    kept.decide(event("b.1"))
    assert counts(kept.balance(NOTHING, 1000)) == {"accepted": 2, "decided": 2}


def test_a_completed_batch_is_no_verdict_and_changes_nothing() -> None:
    counted = BatchCounts(accepted=1, processed=1, failed=0, erased=0)
    batch = CompletedBatch(id="b", name="import", closed=at(5), completed=at(6), counts=counted)
    kept = books(accepted("a.1"), events=(event("a.1"), encode(batch_completed(batch)), encode(batch_completed(batch))))
    assert counts(kept.balance(NOTHING, 1000)) == {"accepted": 1, "decided": 1}
    assert kept.unreadable == 0


def test_runs_are_counted_once_however_often_they_come() -> None:
    kept = books(accepted("a.1"), accepted("a.1"), events=(event("a.1"), event("a.1"), event("a.1")))
    assert counts(kept.balance(NOTHING, 1000)) == {"accepted": 1, "decided": 1, "repeated": 1}


def test_a_repeat_differs_by_more_than_its_timings() -> None:
    first = event("a.1", timing=0.1)
    assert counts(books(events=(first, event("a.1", timing=9))).balance(NOTHING, 0)) == {"repeated": 1, "unrecorded": 1}
    differing = books(accepted("a.1"), events=(first, event("a.1", "Other."), first))
    assert counts(differing.balance(NOTHING, 0)) == {"accepted": 1, "decided": 1, "repeated": 1, "differing": 1}


def test_a_check_of_the_key_is_no_difference_and_the_body_is_one() -> None:
    def keyed(body_digest: str, *, checked: bool) -> bytes:
        told = orjson.loads(event("a.1"))
        told["data"]["provenance"]["idempotency"] = {"body_digest": body_digest, "checked": checked}
        return orjson.dumps(told)

    first = keyed("a", checked=True)
    same = books(events=(first, keyed("a", checked=False))).balance(NOTHING, 0)
    other = books(events=(first, keyed("b", checked=True))).balance(NOTHING, 0)
    assert (same.differing, other.differing) == (0, 1)


def test_each_run_of_a_document_needs_its_own_verdict() -> None:
    kept = books(accepted("a.1"), accepted("a.2"), events=(event("a.1"),))
    assert counts(kept.balance(NOTHING, 50)) == {"accepted": 2, "decided": 1, "in_flight": 1}


def test_an_event_before_its_acceptance_counts_as_unrecorded_until_then() -> None:
    kept = books(events=(event("a.1"),))
    assert counts(kept.balance(NOTHING, 0)) == {"unrecorded": 1}
    kept.accept(accepted("a.1"))
    assert counts(kept.balance(NOTHING, 0)) == {"accepted": 1, "decided": 1}


def test_entries_that_are_no_events_are_counted_separately() -> None:
    bad = (b"", b"[]", b"{}", b'{"id": "a.1", "data": 1}', b'{"id": "a.1", "data": null}')
    assert books(events=bad).balance(NOTHING, 0).unreadable == 5


def test_a_document_is_missing_after_the_longest_time_that_a_worker_may_hold_it() -> None:
    kept = books(accepted("a.1"), accepted("b.1"), events=(event("b.1"),))
    assert counts(balance_after(kept, NOTHING, 99, 101, 109)) == {"accepted": 2, "decided": 1, "in_flight": 1}
    balance = balance_after(kept, NOTHING, 112)
    assert counts(balance) == {"accepted": 2, "decided": 1, "missing": 1}
    assert balance.missing_ids == ("a.1",)
    kept.decide(event("a.1"))
    assert counts(kept.balance(NOTHING, 113)) == {"accepted": 2, "decided": 2}


def test_what_waits_for_a_retry_or_as_lost_is_not_missing() -> None:
    kept = books(accepted("a.1"), accepted("b.1"))
    assert balance_after(kept, waiting(elsewhere=2), 200, 220).missing == 0
    assert balance_after(kept, waiting(elsewhere=1), 240, 260).missing == 1


def test_one_look_at_which_all_is_accounted_for_clears_the_suspicion() -> None:
    kept = books(accepted("a.1"))
    assert balance_after(kept, NOTHING, 200, 205).missing == 0
    assert balance_after(kept, waiting(elsewhere=1), 209).missing == 0
    assert balance_after(kept, NOTHING, 211, 218).missing == 0
    assert balance_after(kept, NOTHING, 221).missing == 1


def test_a_backlog_is_not_missing_however_old_it_is() -> None:
    kept = books(*(accepted(f"{n}.1", n) for n in range(10)), events=(event("0.1"), event("1.1")))
    assert counts(balance_after(kept, waiting(bulk=8), 9000, 9100)) == {"accepted": 10, "decided": 2, "in_flight": 8}


def test_a_document_that_workers_have_passed_is_missing_even_if_others_wait() -> None:
    kept = books(accepted("a.1", 0), accepted("b.1", 200), accepted("c.1", 201), events=(event("b.1"),))
    balance = balance_after(kept, waiting(bulk=1), 300, 311)
    assert counts(balance) == {"accepted": 3, "decided": 1, "in_flight": 1, "missing": 1}
    assert balance.missing_ids == ("a.1",)


def test_progress_in_one_lane_says_nothing_about_the_other() -> None:
    kept = books(accepted("a.1", 0), accepted("b.1", 200, Lane.INTERACTIVE), events=(event("b.1"),))
    assert balance_after(kept, waiting(bulk=1), 300, 311).missing == 0


def test_ids_reported_by_the_broker_count_at_once() -> None:
    kept = books(accepted("a.1"), accepted("b.1"))
    balance = kept.balance(replace(NOTHING, documents={"a"}), 1)
    assert (balance.missing, balance.missing_ids) == (1, ("b.1",))


def test_runs_whose_verdict_may_have_gone_with_the_old_log_are_left_out() -> None:
    kept = Books(LIMITS)
    kept.begin_log()
    for record in (accepted("a.1", 900), accepted("b.1", 950), accepted("c.1", 1100)):
        kept.accept(record)
    kept.decide(event("b.1", second=1000))
    assert counts(balance_after(kept, NOTHING, 1300, 1310)) == {"accepted": 2, "decided": 1, "missing": 1}


@pytest.mark.parametrize("foreign", [b"?", b"[]", b"{}", b'{"id": "a.1", "data": {}, "time": "then"}'])
def test_a_log_whose_oldest_entry_is_no_event_begins_with_the_next(foreign: bytes) -> None:
    kept = books(accepted("a.1", 900), accepted("b.1", 1100))
    kept.begin_log()
    kept.decide(foreign)
    assert counts(balance_after(kept, NOTHING, 1300, 1310)) == {}  # nothing is known of any run
    kept.decide(event("c.1", second=1000))
    assert kept.unreadable == 1
    assert counts(balance_after(kept, NOTHING, 1320, 1330)) == {"accepted": 1, "missing": 1, "unrecorded": 1}


def test_the_oldest_are_counted_though_forgotten() -> None:
    limits = replace(LIMITS, remembered_runs=2)
    runs = [f"{n}.1" for n in range(5)]
    kept = books(*map(accepted, runs), events=tuple(map(event, runs)), limits=limits)
    assert counts(kept.balance(NOTHING, 0)) == {"accepted": 5, "decided": 5}
    assert len(kept.decided) == 2


def test_the_oldest_in_flight_is_reported_by_lane() -> None:
    kept = books(accepted("a.1", 10), accepted("b.1", 20), accepted("c.1", 5), events=(event("c.1"),))
    assert kept.balance(NOTHING, 50).oldest_s == {Lane.INTERACTIVE: 0, Lane.BULK: 40}


def test_a_stream_of_overdue_runs_through_hands_is_not_missing() -> None:
    suspicion = Suspicion(10)
    for second in range(60):
        in_hand = [f"{second // 5 + n}.1" for n in range(2)]  # each for ten seconds at most
        assert suspicion.update(in_hand, 0, second)[0] == 0


@pytest.mark.parametrize(("second", "unsure"), [(0, True), (5, True), (10, False)])
def test_a_suspicion_is_open_only_for_its_time(second: float, unsure: bool) -> None:
    suspicion = Suspicion(10)
    for now in {0.0, second}:
        suspicion.update(["a.1"], 0, now)
    assert suspicion.is_open is unsure
