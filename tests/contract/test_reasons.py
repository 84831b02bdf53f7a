import re
from collections import Counter

from contract.reasons import FailureClass, Reason


def test_every_reason_has_a_class_and_every_class_has_reasons() -> None:
    assert set(Counter(reason.failure_class for reason in Reason)) == set(FailureClass)


def test_reasons_are_single_routing_words() -> None:
    assert all(re.fullmatch(r"[a-z_0-9]+", reason) for reason in Reason)
