"""The documentation names all reasons and metrics."""

import re
from pathlib import Path

from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from contract.reasons import Reason

OPERATING = (Path(__file__).parent.parent.parent / "docs" / "operating.md").read_text(encoding="utf-8")


def test_metrics_in_the_text_are_those_that_there_are() -> None:
    declared = {metric.name for metric in Metrics(CollectorRegistry()).registry.collect()}
    named = {name.removesuffix("_total") for name in re.findall(r"`(copydesk_[a-z_]+)[`{]", OPERATING)}
    assert named <= declared


def test_every_reason_is_explained() -> None:
    section = OPERATING.partition("## Why documents fail")[2]
    explained = set(re.findall(r"^\| `([a-z_0-9]+)` \|", section, re.MULTILINE))
    assert explained == set(Reason)


def test_every_metric_is_explained_with_its_labels() -> None:
    rows = dict(re.findall(r"^\| `(copydesk_\w+)` \| ([a-z, ]*)\|", OPERATING, re.MULTILINE))
    explained = {name.removesuffix("_total"): labels.replace(" ", "").split(",") for name, labels in rows.items()}
    declared = {
        metric._name: list(metric._labelnames) or [""]
        for metric in vars(Metrics(CollectorRegistry())).values()
        if hasattr(metric, "_labelnames")
    }
    assert explained == declared
