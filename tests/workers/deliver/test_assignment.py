"""Which process delivers for which webhook."""

from collections import Counter

from workers.deliver.assignment import LiveProcesses, holder_of

HOOKS = [f"hook-{number}" for number in range(300)]


def test_processes_have_about_as_many_each() -> None:
    shares = Counter(holder_of(hook, {"a", "b", "c"}) for hook in HOOKS)
    assert set(shares) == {"a", "b", "c"}
    assert min(shares.values()) > 60


def test_when_one_goes_only_its_own_webhooks_move() -> None:
    before = {hook: holder_of(hook, {"a", "b", "c"}) for hook in HOOKS}
    after = {hook: holder_of(hook, {"a", "b"}) for hook in HOOKS}
    assert all(after[hook] == before[hook] for hook in HOOKS if before[hook] != "c")


def test_a_process_has_ended_when_its_beat_stands_still() -> None:
    processes = LiveProcesses(5.0)
    processes.see({"a": 1, "b": 1}, 100.0)
    processes.see({"a": 2, "b": 1}, 104.0)
    assert (processes.alive(104.9), processes.ended(104.9)) == ({"a", "b"}, set())
    assert (processes.alive(105.0), processes.ended(105.0)) == ({"a"}, {"b"})
    processes.see({"a": 2, "b": 2}, 106.0)
    assert processes.alive(106.0) == {"a", "b"}


def test_after_an_outage_of_the_ledger_nobody_counts_as_ended_before_the_time_is_over_again() -> None:
    processes = LiveProcesses(5.0)
    processes.see({"a": 1, "b": 1}, 0.0)
    processes.doubt()
    processes.see({"a": 1, "b": 1}, 60.0)  # the first look after it
    assert processes.alive(64.0) == {"a", "b"}
    processes.see({"a": 2, "b": 1}, 64.0)
    assert processes.ended(66.0) == {"b"}
