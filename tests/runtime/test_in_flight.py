"""The documents that a worker holds at once fit into the memory limit for them."""

import os

import pytest

from runtime.errors import StartError
from runtime.settings import load
from runtime.working import refuse_to_hold_too_much

AMQP = "amqp://127.0.0.1:1/"


def test_the_defaults_fit_on_any_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 256)
    for amqp_url in (None, AMQP):
        refuse_to_hold_too_much(load({"amqp_url": amqp_url}, {}))


def test_both_numbers_are_named_where_it_does_not_fit() -> None:
    with pytest.raises(StartError, match=r"15 slots up to 45 documents .* 574,619,648 bytes, .* limit of 536,870,912"):
        refuse_to_hold_too_much(load({"amqp_url": AMQP, "slots": 15}, {}))


def test_one_prefetch_more_than_the_limit_holds_is_refused() -> None:
    # Two slots: one lost, two retried, two interactive, one bulk; and one preview.
    six = 6 * 12 * 1024**2 + 2 * 1024**2
    refuse_to_hold_too_much(load({"amqp_url": AMQP, "slots": 2, "max_in_flight_bytes": six}, {}))
    with pytest.raises(StartError):
        refuse_to_hold_too_much(load({"amqp_url": AMQP, "slots": 2, "max_in_flight_bytes": six - 1}, {}))


def test_the_embedded_broker_holds_no_more_than_its_slots() -> None:
    refuse_to_hold_too_much(load({"slots": 42}, {}))
    with pytest.raises(StartError):
        refuse_to_hold_too_much(load({"slots": 43}, {}))
