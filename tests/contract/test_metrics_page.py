from pathlib import Path

from contract.label_values import VALUES
from contract.metrics_page import metrics_page

PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


def test_the_page_in_the_docs_is_current() -> None:
    assert PAGE.read_text() == metrics_page(), "run make schemas"


def test_each_metric_with_labels_has_a_row_that_names_them() -> None:
    rows = {name: row for row in metrics_page().splitlines() if (name := row.partition("`")[2].partition("`")[0])}
    for metric, labels in VALUES.items():
        row = rows.get(metric) or rows[f"{metric}_total"]
        assert all(f"`{label}`" in row for label in labels), metric
