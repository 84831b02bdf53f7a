import re

import pytest

from contract.job import Lane
from contract.topology import (
    ACCEPTED,
    ATTEMPTS,
    BOUNDS,
    DEAD,
    DOCUMENTS_HEADERS,
    INTAKE,
    INTAKE_RETRY,
    LOG,
    LOST,
    PREVIEWS,
    PREVIEWS_AT_MOST,
    PREVIEWS_BYTES,
    REQUESTS,
    Binding,
    Bounds,
    ExchangeBinding,
    design,
    lane_queue,
    retry_queue,
)


def test_every_binding_joins_what_is_declared() -> None:
    topology = design()
    exchanges, queues = {e.name for e in topology.exchanges}, {q.name for q in topology.queues}
    assert {b.exchange for b in topology.bindings} <= exchanges
    assert {b.to for b in topology.bindings if isinstance(b, ExchangeBinding)} == {DOCUMENTS_HEADERS} <= exchanges
    assert {b.queue for b in topology.bindings if isinstance(b, Binding)} <= queues


def test_every_dead_letter_target_exists() -> None:
    topology = design()
    routes = {(b.exchange, b.key) for b in topology.bindings} | {("", q.name) for q in topology.queues}
    for queue in topology.queues:
        if (
            "x-dead-letter-exchange" in queue.arguments and queue.name != PREVIEWS
        ):  # previews return to the process that asked
            target = queue.arguments["x-dead-letter-exchange"], queue.arguments["x-dead-letter-routing-key"]
            assert target in routes, queue.name


def test_intake_refuses_rather_than_drops_and_loses_into_lost() -> None:
    arguments = {q.name: q.arguments for q in design(delivery_limit=7).queues}
    for name in (*(lane_queue(lane) for lane in Lane), INTAKE_RETRY):
        assert arguments[name]["x-overflow"] == "reject-publish"
        assert arguments[name]["x-delivery-limit"] == 7
        assert arguments[name]["x-dead-letter-routing-key"] == LOST
        assert arguments[name]["x-dead-letter-strategy"] == "at-least-once"


def test_each_delay_has_a_queue_of_its_own_that_returns_to_intake() -> None:
    topology = design(delays_s=(0.25, 60))
    arguments = {q.name: q.arguments for q in topology.queues}
    assert arguments[retry_queue(0.25)]["x-message-ttl"] == 250
    assert arguments[retry_queue(60)]["x-message-ttl"] == 60_000
    assert arguments[retry_queue(60)]["x-dead-letter-exchange"] == INTAKE


@pytest.mark.parametrize(("asked", "queue"), [(0, "10s"), (10, "10s"), (11, "60s"), (3600, "3600s"), (9999, "3600s")])
def test_a_delay_takes_the_smallest_queue_not_below_it(asked: float, queue: str) -> None:
    assert design().delay_queue(asked) == f"copydesk.retry.{queue}"


def test_lost_jobs_and_dead_letters_never_expire() -> None:
    arguments = {q.name: q.arguments for q in design().queues}
    assert "x-message-ttl" not in {*arguments[LOST], *arguments[DEAD]}


def test_queues_that_may_grow_are_bounded_by_their_own_arguments() -> None:
    records = {"accepted_bytes": 8, "attempts_bytes": 9, "requests_bytes": 10}
    bounds = Bounds(intake_documents=5, intake_bytes=6, log_days=2, log_bytes=7, **records)
    topology = design(bounds=bounds)
    bounded = {
        queue.name: {BOUNDS[name]: value for name, value in queue.arguments.items() if name in BOUNDS}
        for queue in topology.queues
    }
    lane = {"max_length": 5, "max_length_bytes": 6}
    assert {name: arguments for name, arguments in bounded.items() if arguments} == {
        **{lane_queue(name): lane for name in Lane},
        LOG: {"max_age": "2D", "max_length_bytes": 7, "stream_max_segment_size_bytes": 100_000_000},
        ACCEPTED: {"max_age": "2D", "max_length_bytes": 8, "stream_max_segment_size_bytes": 10_000_000},
        ATTEMPTS: {"max_age": "2D", "max_length_bytes": 9, "stream_max_segment_size_bytes": 10_000_000},
        REQUESTS: {"max_age": "2D", "max_length_bytes": 10, "stream_max_segment_size_bytes": 2_000_000},
        PREVIEWS: {"max_length": PREVIEWS_AT_MOST, "max_length_bytes": PREVIEWS_BYTES},
    }


def test_the_policies_set_the_same_bounds_for_queues_that_were_declared_without() -> None:
    topology = design(bounds=Bounds(intake_documents=5))
    for queue in topology.queues:
        bounds = {name.removeprefix("x-"): value for name, value in queue.arguments.items() if name in BOUNDS}
        matching = [dict(policy.definition) for policy in topology.policies if re.search(policy.pattern, queue.name)]
        assert matching == ([bounds] if bounds else [])


@pytest.mark.parametrize("delays", [(), (0.0,), (5, 5), (10, 1)])
def test_delays_must_grow(delays: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="grow"):
        design(delays_s=delays)
