"""What a key has used: counted in windows, all limits or none."""

from hypothesis import given
from hypothesis import strategies as st

from contract.keys import Limits
from contract.quotas import Charge, QuotaPolicy, Usage, settle

ALL = Limits(per_minute=3, documents_a_day=5, bytes_a_day=100)
MIDNIGHT = 20_000 * 86_400.0


def left(usage: Usage, charge: Charge, now_s: float, limits: Limits = ALL) -> tuple[Usage, list[int], list[str]]:
    settled = settle(limits, usage, charge, now_s)
    standing = settled.standing
    return settled.usage, [it.left for it in standing.remaining], [it.policy for it in standing.violated]


def test_each_document_counts_against_each_limit() -> None:
    usage, lefts, violated = left({}, Charge(size=40), MIDNIGHT)
    assert (lefts, violated) == ([2, 4, 60], [])
    assert left(usage, Charge(documents=2, size=60), MIDNIGHT)[1:] == ([0, 2, 0], [])


def test_what_exceeds_a_limit_is_not_counted_at_all() -> None:
    usage, *_ = left({}, Charge(size=40), MIDNIGHT)
    refused, lefts, violated = left(usage, Charge(size=61), MIDNIGHT)
    assert (refused, lefts, violated) == (usage, [2, 4, 60], [QuotaPolicy.DAILY_BYTES])
    assert left(usage, Charge(documents=5), MIDNIGHT)[2] == [QuotaPolicy.RATE, QuotaPolicy.DAILY_DOCUMENTS]


def test_a_window_begins_anew_with_the_minute_and_the_day() -> None:
    usage, *_ = left({}, Charge(documents=3), MIDNIGHT + 59.9)
    assert left(usage, Charge(), MIDNIGHT + 59.999)[2] == [QuotaPolicy.RATE]
    usage, lefts, violated = left(usage, Charge(), MIDNIGHT + 60)
    assert (lefts[:2], violated) == ([2, 1], [])
    assert left(usage, Charge(documents=2), MIDNIGHT + 86_399.9)[2] == [QuotaPolicy.DAILY_DOCUMENTS]
    assert left(usage, Charge(documents=2), MIDNIGHT + 86_400)[1:] == ([1, 3, 100], [])


def test_a_client_is_told_when_the_window_ends() -> None:
    settled = settle(ALL, {}, Charge(), MIDNIGHT + 59.5)
    assert [it.ends_in_s for it in settled.standing.remaining] == [1, 86_341, 86_341]


def test_what_is_given_back_is_free_again_and_never_more_than_the_quota() -> None:
    usage, *_ = left({}, Charge(size=100), MIDNIGHT)
    usage, lefts, violated = left(usage, Charge(size=100).back(), MIDNIGHT)
    assert (lefts, violated) == ([3, 5, 100], [])
    assert left(usage, Charge(size=100).back(), MIDNIGHT + 60)[1] == [3, 5, 100]


def test_giving_back_is_never_refused() -> None:
    usage, *_ = left({}, Charge(documents=3, size=100), MIDNIGHT)
    smaller = Limits(per_minute=1, bytes_a_day=1)
    assert settle(smaller, usage, Charge(size=1).back(), MIDNIGHT).standing.violated == ()


def test_the_clock_of_a_replica_that_is_behind_opens_no_old_window() -> None:
    usage, *_ = left({}, Charge(documents=3), MIDNIGHT)
    assert left(usage, Charge(), MIDNIGHT - 1)[2] == [QuotaPolicy.RATE]


def test_a_key_without_limits_uses_nothing() -> None:
    assert not Limits().any
    assert left({}, Charge(size=10**9), MIDNIGHT, Limits()) == ({}, [], [])


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 60), st.floats(0, 10)), max_size=50))
def test_no_window_ever_holds_more_than_its_quota(charges: list[tuple[int, int, float]]) -> None:
    usage: Usage = {}
    now_s = MIDNIGHT
    taken: dict[tuple[QuotaPolicy, float], int] = {}
    for documents, size, later in charges:
        now_s += later
        settled = settle(ALL, usage, Charge(documents=documents, size=size), now_s)
        usage = settled.usage
        if not settled.standing.violated:
            minute, day = (QuotaPolicy.RATE, now_s // 60), (QuotaPolicy.DAILY_BYTES, now_s // 86_400)
            taken[minute] = taken.get(minute, 0) + documents
            taken[day] = taken.get(day, 0) + size
    assert all(used <= (3 if policy is QuotaPolicy.RATE else 100) for (policy, _), used in taken.items())
