"""A real Prometheus, with the rules that we deploy, and a real Copydesk."""

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import promql_parser
import pytest
import yaml
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from contract.label_values import VALUES, Values, is_value
from contract.metrics import Metrics
from contract.topology import design
from tests.system.processes import running
from tests.system.prometheus_server import DEPLOYED, alerts, answer, hurried, program, prometheus, rules, until

pytestmark = [pytest.mark.system, pytest.mark.timeout(120)]

JOBS = {job["job_name"] for job in yaml.safe_load((DEPLOYED / "prometheus.yml").read_text())["scrape_configs"]}
DECLARED = {metric.name for metric in Metrics(CollectorRegistry()).registry.collect()}
RECORDED = {rule["record"] for rule in rules() if "record" in rule}
Exposed = Mapping[str, Sequence[Mapping[str, str]]]
TEXT = "The harbour council voted on Tuesday evening to move the ferry landing two hundred metres up the coast. " * 5


async def test_prometheus_scrapes_copydesk_and_loads_its_alerts(tmp_path: Path) -> None:
    up = ("up", "--port", "0", "--ops-port", "0", "--data", str(tmp_path / "copydesk"), "--slots", "1")
    watch = ("audit", "--watch", "1", "--ops-port", "0", "--data", str(tmp_path / "copydesk"))
    with running(*up) as process:
        urls = process.wait_for_urls("api", "ops")
        with running(*watch) as auditor:
            ops = [urls["ops"], auditor.wait_for_urls("ops")["ops"]]
            with prometheus(tmp_path / "prometheus", {"copydesk": [url.removeprefix("http://") for url in ops]}) as url:
                async with aiohttp.ClientSession(url) as http, aiohttp.ClientSession(urls["api"]) as api:
                    await until(http, 'count(up{job="copydesk"} == 1)', 2)
                    async with api.post("/v1/documents", json={"text": TEXT}) as response:
                        assert response.status == 202
                    await until(http, 'copydesk_verdicts_total{verdict="publish",reason="processed"}', 1)
                    await until(http, "sum(copydesk_accepted_total)", 1)
                    await until(http, "max(copydesk_in_flight)", 0)
                    await until(http, 'sum(copydesk_queue_wait_seconds_count{lane="interactive"})', 1)
                    await until(http, 'sum(copydesk_decided_seconds_count{kind="text",lane="interactive"})', 1)
                    await until(http, 'sum(copydesk_articles_total{kind="text"})', 1)
                    await until(http, 'sum(copydesk_parsers{state="idle"})', 1)
                    await until(http, 'copydesk_audit_runs{state="decided"}', 1)
                    groups = (await answer(http, "/api/v1/rules"))["groups"]
                    exposed = await metrics_of(*ops)
    loaded = [rule for group in groups for rule in group["rules"]]
    assert len(loaded) == len(rules())
    # A group with an interval of minutes is not evaluated yet: its expressions are checked below.
    assert {rule["health"] for group in groups if group["interval"] < 60 for rule in group["rules"]} == {"ok"}
    ours = [rule for rule in loaded if rule["type"] == "alerting"]
    assert {rule["state"] for rule in ours} == {"inactive"}, "an alert fires though all is well"
    # Prometheus gives back each expression as it has parsed it.
    assert [fault for rule in loaded for fault in faults_of(rule["query"], exposed)] == []
    assert [fault for rule in ours for fault in unknown_labels(rule)] == []
    assert list(beyond_the_contract(exposed)) == []


async def metrics_of(*urls: str) -> Exposed:
    """Returns the labels of the series of each metric at the ops ports `urls`."""
    exposed: dict[str, list[Mapping[str, str]]] = {}
    for url in urls:
        async with aiohttp.ClientSession(url) as ops, ops.get("/metrics") as response:
            for family in text_string_to_metric_families(await response.text()):
                exposed.setdefault(family.name, []).extend(sample.labels for sample in family.samples)
    return exposed


def beyond_the_contract(exposed: Exposed) -> Iterator[str]:
    for name, series in exposed.items():
        for labels in series if name.startswith("copydesk_") else ():
            yield from (
                f"{name}: {label}={labels[label]}" for label in labels if not is_known(name, label, labels[label])
            )


def family_of(name: str) -> str:
    return re.sub("_(total|bucket|sum|count)$", "", name)


def selectors(expression: str) -> list[promql_parser.VectorSelector]:
    """Returns every selector of metrics in a PromQL expression."""
    found: list[promql_parser.VectorSelector] = []

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            found.append(node)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def faults_of(expression: str, exposed: Exposed) -> Iterator[str]:
    """Yields the names and labels of an expression that neither the contract nor the process has."""
    for selector in selectors(expression):
        name = family_of(selector.name or "")
        if name.startswith("rabbitmq_") or name in RECORDED:
            continue  # RabbitMQ's own: test_alerts.py sees them
        if selector.name == "up":  # Prometheus' own; the job is ours
            yield from (f"{expression}: {m.value}" for m in selector.matchers.matchers if m.value not in JOBS)
        elif name not in exposed:
            yield f"{expression}: {selector.name} is not exposed"
        else:
            yield from matcher_faults(expression, name, selector, exposed[name])


def matcher_faults(
    expression: str, name: str, selector: promql_parser.VectorSelector, series: Sequence[Mapping[str, str]]
) -> Iterator[str]:
    for matcher in selector.matchers.matchers:
        if matcher.op in (promql_parser.MatchOp.NotEqual, promql_parser.MatchOp.NotRe):
            continue
        values = VALUES[name].get(matcher.name)
        if values is None and matcher.name != "le":
            yield f"{expression}: {name} has no label {matcher.name}"
            continue
        shown = {labels[matcher.name] for labels in series if matcher.name in labels}
        wanted = alternatives(matcher)
        unknown = [one for one in wanted if not any(re.fullmatch(one, value) for value in known_values(values, shown))]
        never = not any(re.fullmatch(one, value) for one in wanted for value in shown)
        yield from (f"{expression}: {matcher.name}={one} never comes" for one in (wanted if never else unknown))


def alternatives(matcher: promql_parser.Matcher) -> list[str]:
    """Returns each pattern of a matcher by itself: none of them may match nothing."""
    if matcher.op == promql_parser.MatchOp.Equal:
        return [re.escape(matcher.value)]
    assert not set("()") & set(matcher.value), "write alternatives out, so that each of them can be checked"
    return matcher.value.split("|")


def known_values(values: Values | None, shown: set[str]) -> Iterable[str]:
    """Returns all values that a label may have; where settings or routes make them, those that it has."""
    return values if isinstance(values, frozenset) else shown | {queue.name for queue in design().queues}


def unknown_labels(rule: Mapping[str, Any]) -> Iterator[str]:
    """Yields the labels that a summary shows and the metric does not have."""
    names = {family_of(selector.name or "") for selector in selectors(rule["query"])}
    labels = {label for name in names for label in VALUES.get(name, {})} | {"instance", "job"}
    for summary in rule["annotations"].values():
        yield from (
            f"{rule['name']}: {label}" for label in re.findall(r"\$labels\.(\w+)", summary) if label not in labels
        )


def test_the_rules_are_tested_with_labels_of_the_contract() -> None:
    tests = yaml.safe_load((DEPLOYED / "alerts_test.yml").read_text())["tests"]
    faults = [
        f"{entry['series']}: {matcher.name}"
        for test in tests
        for entry in test["input_series"]
        for selector in selectors(entry["series"])
        for matcher in selector.matchers.matchers
        if not is_known(selector.name or "", matcher.name, matcher.value)
    ]
    assert faults == []


def is_known(metric: str, label: str, value: str) -> bool:
    if label == "le":
        return metric.startswith("copydesk_") and family_of(metric).endswith(("_seconds", "_ratio"))
    if label in {"instance", "job"}:
        return label == "instance" or value in JOBS
    values = VALUES.get(family_of(metric), {}).get(label)
    return values is not None and is_value(values, value)


def test_every_alert_is_tested() -> None:
    tests = yaml.safe_load((DEPLOYED / "alerts_test.yml").read_text())["tests"]
    fired = {case["alertname"] for test in tests for case in test["alert_rule_test"] if case.get("exp_alerts")}
    silent = {case["alertname"] for test in tests for case in test["alert_rule_test"] if not case.get("exp_alerts")}
    assert fired == {rule["alert"] for rule in alerts()}
    assert fired - silent == {"CopydeskSessionsFlap"}, "its test has a series that must not fire"


def test_every_alert_has_a_section_in_the_runbook() -> None:
    runbook = (DEPLOYED.parents[1] / "docs" / "runbook.md").read_text()
    sections = dict(re.findall(r"^### (Copydesk\w+)\n(.*?)(?=^##|\Z)", runbook, re.MULTILINE | re.DOTALL))
    assert list(sections) == [rule["alert"] for rule in alerts()], "in the order of the file"
    parts = ("**Means.**", "**Look at.**", "**Do.**", "**Silence.**")
    assert [name for name, text in sections.items() if not all(part in text for part in parts)] == []
    named = {family_of(name) for name in re.findall(r"copydesk_[a-z_]+[a-z]", runbook)}
    assert named - VALUES.keys() <= DECLARED
    links = {rule["alert"]: rule["annotations"]["runbook"] for rule in alerts()}
    assert links == {name: f"docs/runbook.md#{name.lower()}" for name in sections}


def test_hurried_rules_differ_in_times_alone() -> None:
    after = [
        rule
        for group in yaml.safe_load(hurried((DEPLOYED / "alerts.yml").read_text(), 60))["groups"]
        for rule in group["rules"]
    ]
    assert [shape_of(rule) for rule in after] == [shape_of(rule) for rule in rules()]
    by_name = {rule.get("alert"): rule for rule in after}
    assert by_name["CopydeskDocumentsWaitLong"]["expr"].endswith("> 360")
    assert by_name["CopydeskSessionsFlap"]["expr"] == "increase(copydesk_session_losses_total[10000ms]) > 5"
    assert by_name["CopydeskDeadLettersWait"]["for"] == "60000ms"


def shape_of(rule: Mapping[str, Any]) -> tuple[object, ...]:
    """Returns what a rule is about: its names, metrics and labels."""
    chosen = [
        (one.name, [(str(m.op), m.name, m.value) for m in one.matchers.matchers]) for one in selectors(rule["expr"])
    ]
    named = {name: value for name, value in rule.items() if name not in {"expr", "for"}}
    return (named, "for" in rule, chosen)


def test_a_rule_on_unknown_series_is_found() -> None:
    exposed = {"copydesk_refused": [{"reason": "intake_full"}]}
    assert list(faults_of('rate(copydesk_refused_total{reason=~"intake_full"}[5m]) > 0', exposed)) == []
    wrong = [
        'rate(copydesk_refused_total{reason=~"intake_full|broker_full"}[5m]) > 0',
        'copydesk_refused_total{reason="broker_unavailable"}',  # known, and not exposed
        'sum by (reason) (copydesk_refused_total{cause="intake_full"})',
        "max(copydesk_refusals_total)",
        'up{job="desk"} == 0',
    ]
    assert [expression for expression in wrong if not list(faults_of(expression, exposed))] == []


@pytest.mark.parametrize(
    "arguments", [("check", "config", "prometheus.yml"), ("test", "rules", "alerts_test.yml")], ids=["check", "test"]
)
def test_promtool_passes_what_we_deploy(arguments: tuple[str, str, str]) -> None:
    *command, file = arguments
    call = [program("promtool"), *command, str(DEPLOYED / file)]
    done = subprocess.run(call, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
