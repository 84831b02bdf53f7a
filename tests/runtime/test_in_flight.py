"""The documents that a worker holds at once fit into the memory limit for them."""

import os

import pytest

from runtime.errors import StartError
from runtime.settings import load
from runtime.working import capacity_of, refuse_to_hold_too_much

AMQP = "amqp://127.0.0.1:1/"


def test_the_defaults_fit_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 256)
    for amqp_url in (None, AMQP):
        refuse_to_hold_too_much(load({"amqp_url": amqp_url}, {}))


def test_the_numbers_are_named_where_it_does_not_fit() -> None:
    # One lost, eight each that are retried, interactive and bulk, four previews, and one page.
    named = r"40 slots .* up to 10,485,760 bytes .* sent 333,447,168 bytes .* limit of 333,447,167"
    with pytest.raises(StartError, match=named):
        refuse_to_hold_too_much(load({"amqp_url": AMQP, "slots": 40, "max_in_flight_bytes": 333_447_167}, {}))


def test_one_prefetch_more_than_the_limit_holds_is_refused() -> None:
    # Two slots: one lost, two retried, two interactive, one bulk; one preview; and one page.
    six = 6 * 12 * 1024**2 + 2 * 1024**2 + 10 * 1024**2
    refuse_to_hold_too_much(load({"amqp_url": AMQP, "slots": 2, "max_in_flight_bytes": six}, {}))
    with pytest.raises(StartError):
        refuse_to_hold_too_much(load({"amqp_url": AMQP, "slots": 2, "max_in_flight_bytes": six - 1}, {}))


def test_the_embedded_broker_needs_room_for_a_job_and_a_page() -> None:
    both = 22 * 1024**2
    refuse_to_hold_too_much(load({"max_in_flight_bytes": both}, {}))
    with pytest.raises(StartError):
        refuse_to_hold_too_much(load({"max_in_flight_bytes": both - 1}, {}))


@pytest.mark.parametrize(("cores", "in_hand"), [(1, 514), (2, 1028), (4, 2056), (64, 2176)])
def test_the_defaults_grow_with_the_cores(monkeypatch: pytest.MonkeyPatch, cores: int, in_hand: int) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: cores)
    assert capacity_of(load({}, {})).most == in_hand


def test_there_are_slots_for_the_parser_children_that_are_set() -> None:
    assert load({"parsers": 5}, {}).slots == 10
