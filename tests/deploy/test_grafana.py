"""The dashboards against their source, the compose file, and the rules of Grafana that a file alone can break."""

import copy
import json
import re
import runpy
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from grafana_foundation_sdk.cog import plugins
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from prometheus_client import CollectorRegistry

from contract.label_values import VALUES
from contract.metrics import Metrics
from contract.topology import design
from tests.deploy.compose import FILE
from tests.system.boards import BOARDS, boards, queries
from tests.system.prometheus_server import rules
from tests.system.test_prometheus import family_of, matcher_faults, selectors

GRAFANA = FILE.parent / "grafana"
COLUMNS = 24
DECLARED = {metric.name for metric in Metrics(CollectorRegistry()).registry.collect()}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}
plugins.register_default_plugins()  # the types of panels and of queries
each_board = pytest.mark.parametrize("name", ["broker", "fetch", "overview", "quality", "subscribers"])


def test_the_dashboards_are_written_from_their_source() -> None:
    texts = runpy.run_path(str(GRAFANA / "render.py"))["dashboards"]()
    assert {file.name: file.read_text() for file in BOARDS.glob("*.json")} == texts, "run make boards"


@each_board
def test_every_panel_says_what_is_good_and_has_a_unit(name: str) -> None:
    for panel in panels(name):
        assert panel["description"].strip(), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        steps = [step["value"] for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"]]
        assert steps[0] is None
        assert steps[1:] == sorted(steps[1:]), panel["title"]


@each_board
def test_no_panel_lies_over_another(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in boards()[name]["panels"]:
        at = panel["gridPos"]
        cells = {(x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])}
        assert max(x for x, _ in cells) < COLUMNS
        assert not cells & taken, panel["title"]
        taken |= cells


@each_board
def test_legends_show_labels_that_the_query_keeps(name: str) -> None:
    for panel in panels(name):
        for target in panel["targets"]:
            for label in re.findall(r"{{(\w+)}}", target["legendFormat"]):
                kept = re.findall(r"by \(([^)]*)\)", target["expr"])
                plain = " by " not in target["expr"] and label == "instance"
                assert plain or any(label in labels.split(", ") for labels in kept), (panel["title"], label)


def test_every_query_names_metrics_and_labels_of_the_contract() -> None:
    assert [fault for query in queries({"$kind": "url", "$queue": "x"}) for fault in faults_of(query.expression)] == []


def faults_of(expression: str) -> Iterator[str]:
    for selector in selectors(expression):
        name = family_of(selector.name or "")
        if name.startswith("rabbitmq_") or name in RECORDED | {"up", "ALERTS"}:
            continue  # the panels' data are seen in tests/system/test_alerts.py
        if name not in DECLARED:
            yield f"{expression}: {name} is not declared"
            continue
        yield from matcher_faults(expression, name, selector, series_of(name))


def series_of(name: str) -> list[dict[str, str]]:
    """Returns the labels of a series for each value that the contract allows; a queue's name is one of the design."""
    queues = {queue.name for queue in design().queues}
    labels = VALUES.get(name, {})
    return [
        {label: str(value)}
        for label, values in labels.items()
        for value in (values if isinstance(values, frozenset) else queues if label == "queue" else ())
    ]


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in boards()[name]["panels"] if panel["type"] != "text"]


def test_grafana_finds_the_dashboards_where_compose_mounts_them() -> None:
    (provider,) = yaml.safe_load((GRAFANA / "provisioning" / "dashboards" / "copydesk.yaml").read_text())["providers"]
    volumes = yaml.safe_load(FILE.read_text())["services"]["grafana"]["volumes"]
    mounted = dict(volume.split(":")[1::-1] for volume in volumes)
    assert (FILE.parent / mounted[provider["options"]["path"]]).resolve() == BOARDS
    assert (FILE.parent / mounted["/etc/grafana/provisioning"] / "dashboards").is_dir()


def test_grafana_knows_how_often_prometheus_scrapes() -> None:
    (source,) = yaml.safe_load((GRAFANA / "provisioning" / "datasources" / "prometheus.yaml").read_text())[
        "datasources"
    ]
    scraped = yaml.safe_load(Path(FILE.parent / "prometheus" / "prometheus.yml").read_text())
    assert source["jsonData"]["timeInterval"] == scraped["global"]["scrape_interval"]


@each_board
def test_grafana_knows_every_field(name: str) -> None:
    """Grafana's own types read the dashboard, and write all of it again: they drop what they do not know."""
    board = boards()[name]
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(boards()[name])))
    assert list(lost(board, known)) == []


def test_a_field_that_grafana_does_not_know_is_lost() -> None:
    board = boards()["overview"]
    board["panels"][1]["targets"][0]["legend"] = "of no Prometheus target"
    known = json.loads(JSONEncoder().encode(Dashboard.from_json(copy.deepcopy(board))))
    assert list(lost(board, known)) == [".panels[1].targets[0].legend"]


def lost(before: Any, after: Any, path: str = "") -> Iterator[str]:  # noqa: ANN401 - JSON
    """Yields where `after` lacks something of `before`, or has something else."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name, value in before.items():
            yield from lost(value, after.get(name), f"{path}.{name}")
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        for number, (one, other) in enumerate(zip(before, after, strict=True)):
            yield from lost(one, other, f"{path}[{number}]")
    elif before != after:
        yield path
