"""The list of all metrics as a page of documentation, from their declarations."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.metrics import MetricWrapperBase

from contract.label_values import VALUES, Values
from contract.metrics import Metrics

_SHOWN: Final = 12  # values of a label; chosen: more fill the page, and the contract has them all
_HEAD: Final = """\
# Metrics

Every process serves its metrics at `/metrics` on its ops port (8081), in Prometheus' format. All processes declare all
metrics; those of other roles stay 0 or absent. `copydesk metrics` prints this page.

| metric | type | labels | meaning |
| --- | --- | --- | --- |
"""


def metrics_page() -> str:
    """Returns the page, in Markdown: a row for each metric, sorted by name."""
    registry = CollectorRegistry()
    declared = [each for each in vars(Metrics(registry)).values() if isinstance(each, MetricWrapperBase)]
    rows = sorted(row for each in declared for row in _rows(each))
    return _HEAD + "".join(f"{row}\n" for row in rows)


def _rows(declared: MetricWrapperBase) -> Iterator[str]:
    for metric in declared.describe():
        labels = "; ".join(f"`{name}`: {_values(VALUES[metric.name][name])}" for name in declared._labelnames)  # noqa: SLF001 - it has no other way
        yield f"| `{_exposed(metric)}` | {metric.type} | {labels} | {metric.documentation} |"


def _exposed(metric: Metric) -> str:
    """Returns the name under which a metric is scraped."""
    return f"{metric.name}_total" if metric.type == "counter" else metric.name


def _values(values: Values) -> str:
    if not isinstance(values, frozenset):
        return "no closed set"
    shown = sorted(map(str, values))
    return ", ".join(shown) if len(shown) <= _SHOWN else f"{', '.join(shown[:_SHOWN])}, … ({len(shown)})"
