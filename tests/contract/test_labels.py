"""Label values are closed sets with one spelling, and every metric has them."""

import re

import pytest
from prometheus_client import CollectorRegistry

from contract.job import Lane
from contract.label_values import VALUES, is_value
from contract.labels import AuditState, ParserRestart, ProblemName
from contract.metrics import Metrics
from contract.reasons import FailureClass, Reason
from contract.topology import DELAYED, design, lane_queue
from runtime.audit import Balance
from service import problems
from tests.conftest import strays


def test_every_label_of_every_metric_has_its_values() -> None:
    declared = {
        metric._name: set(metric._labelnames)
        for metric in vars(Metrics(CollectorRegistry())).values()
        if getattr(metric, "_labelnames", None)
    }
    assert {name: set(labels) for name, labels in VALUES.items()} == declared


def test_every_value_of_a_closed_set_is_snake_case() -> None:
    closed = [known for labels in VALUES.values() for known in labels.values() if isinstance(known, frozenset)]
    snake_case = re.compile("[a-z][a-z0-9]*(_[a-z0-9]+)*")
    assert [value for value in set[str]().union(*closed) if not snake_case.fullmatch(value)] == []


def test_every_problem_has_its_name_in_metrics() -> None:
    assert sorted(problem.name for problem in problems.ALL) == sorted(ProblemName)


def test_every_state_of_the_audit_is_in_the_balance() -> None:
    assert set(AuditState) <= set(Balance.__dataclass_fields__)


def test_a_child_replaced_for_a_document_has_the_documents_reason() -> None:
    hostile = {str(reason) for reason in Reason if reason.failure_class is FailureClass.HOSTILE}
    assert {str(cause) for cause in ParserRestart} & {str(reason) for reason in Reason} == hostile


@pytest.mark.parametrize("delays_s", [(10.0, 60.0), (0.2, 1e7)])
def test_every_queue_is_a_value_whatever_the_delays(delays_s: tuple[float, ...]) -> None:
    queues = VALUES["copydesk_queue_depth"]["queue"]
    assert all(is_value(queues, queue.name) for queue in design(delays_s).queues)
    assert is_value(queues, DELAYED)
    assert not is_value(queues, Lane.BULK)
    assert not is_value(queues, f"{lane_queue(Lane.BULK)}s")


def test_the_first_sign_of_a_defect_is_a_growth_that_prometheus_sees() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.start_at_zero()
    for kind in ("publish", "retry", "bury", "answer"):
        labels = {"verdict": kind, "reason": "internal_error"}
        assert metrics.registry.get_sample_value("copydesk_verdicts_total", labels) == 0


def test_the_first_attempts_that_are_repeated_are_a_growth_that_prometheus_sees() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.start_at_zero()
    for reason in Reason:
        begun = metrics.registry.get_sample_value("copydesk_retries_total", {"reason": reason})
        assert begun == (None if reason.failure_class is FailureClass.PERMANENT else 0)


def test_a_value_beyond_the_contract_is_found() -> None:
    metrics = Metrics(CollectorRegistry())
    metrics.start_at_zero()
    assert list(strays(metrics)) == []
    metrics.refused.labels("broker_full")
    assert set(strays(metrics)) == {("copydesk_refused", "reason", "broker_full")}
    metrics.refused.clear()  # otherwise the fixture fails this test
