"""The Helm chart: its values and their schema, and, where helm is, that it renders what deploy/kubernetes/ has."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from contract.users import role_users
from runtime.brokers.rabbit.users import chart_file
from tests.deploy.manifests import CHART, FOLDER, ROOT, SETS, containers_of, of_kind, role_of
from tests.deploy.roles import ROLES

CRDS = Path(__file__).parent / "crds"
SCHEMA = json.loads((CHART / "values.schema.json").read_text())
HELM = shutil.which("helm", path=str(Path(sys.executable).parent)) or shutil.which("helm")
needs_helm = pytest.mark.skipif(HELM is None, reason="helm is not here: make helm gets it")
DEPLOYED = "deploy/kubernetes"
KEDA = {"min": 1, "max": 2, "queues": {"copydesk.intake.bulk": 100}}
RESOURCES = {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}
ANOTHER = {"args": ["another"], "replicas": 2, "secrets": ["COPYDESK_AMQP_URL"], "resources": RESOURCES}
"""A role that the chart does not know."""


def values(*files: str) -> dict[str, Any]:
    """Returns the values of several files, as helm merges them."""
    merged: dict[str, Any] = {}
    for file in files:
        merged = over(merged, yaml.safe_load((CHART / file).read_text()))
    return merged


def over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    both = {
        name: over(below[name], above[name]) for name in below.keys() & above.keys() if isinstance(above[name], dict)
    }
    return below | above | both


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    assert HELM
    return subprocess.run([HELM, *arguments], check=False, capture_output=True, text=True, cwd=ROOT)


@pytest.mark.parametrize("files", [("values.yaml",), ("values.yaml", "values-operators.yaml")])
def test_the_values_fit_their_schema(files: tuple[str, ...]) -> None:
    jsonschema.validate(values(*files), SCHEMA)
    assert sorted(values(*files)["roles"]) == ROLES


@pytest.mark.parametrize(
    "wrong",
    [
        {"replica": 2},
        {"roles": {"serve": {"replicas": 0}}},
        {"roles": {"work": {"setting": {}}}},
        {"roles": {"work": {"settings": {"PARSERS": "2"}}}},
        {"roles": {"work": {"resources": {"limits": {"memory": "3 GB"}}}}},
        {"roles": {"serve": {"hpa": {"min": 1, "max": 2, "cpuPercent": 70}, "keda": KEDA}}},
        {"roles": {"another": {"args": ["serve"]}}},
        {"secrets": {"COPYDESK_AMQP_URL": "amqp://user:word@host/"}},
        {"settings": {"COPYDESK_SHUTDOWN_TIMEOUT_S": "half a minute"}},
        {"networkPolicy": {"monitoring": "monitoring"}},
        {"monitoring": {"prometheus": "prometheus:9090"}},
        {"tracing": {"endpoint": "otel-collector:4318"}},
        {"tracing": {"settings": {"TRACES_SAMPLER": "always_off"}}},
        {"tracing": {"headers": {"name": "otel"}}},
    ],
    ids=json.dumps,
)
def test_a_mistake_in_the_values_is_found(wrong: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(over(values("values.yaml"), wrong), SCHEMA)


def test_a_role_more_needs_no_template() -> None:
    jsonschema.validate(over(values("values.yaml"), {"roles": {"another": ANOTHER}}), SCHEMA)


@needs_helm
@pytest.mark.processes
def test_helm_renders_what_is_deployed(tmp_path: Path) -> None:
    assert HELM
    shutil.copytree(ROOT / "deploy", tmp_path / "deploy", symlinks=True)
    command = [str(tmp_path / DEPLOYED / "render.sh")]
    subprocess.run(command, check=True, capture_output=True, env={"PATH": f"{Path(HELM).parent}:/usr/bin:/bin"})
    for name in (*(f"{one}/copydesk.yaml" for one in SETS), "SHA256SUMS"):
        assert (tmp_path / DEPLOYED / name).read_text() == (FOLDER / name).read_text(), f"{name}: run make manifests"


@needs_helm
@pytest.mark.processes
def test_helm_adds_a_role_that_stands_in_the_values_alone(tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(json.dumps({"roles": {"another": ANOTHER | {"internet": True}, "audit": {"enabled": False}}}))
    done = helm("template", "copydesk", str(CHART), "--values", str(file))
    assert done.returncode == 0, done.stderr
    rendered = [one for one in yaml.safe_load_all(done.stdout) if one]
    assert sorted(role_of(one) for one in of_kind(rendered, "Deployment")) == sorted({*ROLES, "another"} - {"audit"})
    assert {one["kind"] for one in rendered if one["metadata"]["name"] == "copydesk-another"} == {
        "Deployment",
        "NetworkPolicy",
        "PodDisruptionBudget",
    }


@needs_helm
@pytest.mark.processes
def test_helm_refuses_a_mistake_in_the_values() -> None:
    done = helm("template", "copydesk", str(CHART), "--set", "roles.work.settings.PARSERS=2")
    assert done.returncode != 0
    assert "PARSERS" in done.stderr


@needs_helm
@pytest.mark.processes
def test_helm_sends_the_traces_of_every_role_where_the_values_say() -> None:
    endpoint, policy = "http://otel-collector.monitoring:4318", "copydesk"
    values_ = {"endpoint": endpoint, "settings.OTEL_TRACES_SAMPLER": "always_on", "headers.name": "otel"}
    options = [f"--set=tracing.{name}={value}" for name, value in {**values_, "headers.key": "headers"}.items()]
    done = helm("template", "copydesk", str(CHART), *options)
    assert done.returncode == 0, done.stderr
    rendered = [one for one in yaml.safe_load_all(done.stdout) if one]
    for deployment in of_kind(rendered, "Deployment"):
        for container in containers_of(deployment):
            told = {entry["name"]: entry for entry in container["env"]}
            assert told["OTEL_EXPORTER_OTLP_ENDPOINT"]["value"] == endpoint
            assert told["OTEL_TRACES_SAMPLER"]["value"] == "always_on"
            secret = told["OTEL_EXPORTER_OTLP_HEADERS"]["valueFrom"]["secretKeyRef"]
            assert secret == {"name": "otel", "key": "headers"}
    (of_all,) = [one for one in of_kind(rendered, "NetworkPolicy") if one["metadata"]["name"] == policy]
    assert [port["port"] for rule in of_all["spec"]["egress"] if "to" in rule for port in rule["ports"]] == [4318]


def test_the_chart_has_the_rights_of_the_code() -> None:
    told = "run python -m runtime.brokers.rabbit.users > deploy/helm/copydesk/files/users.json"
    assert (CHART / "files" / "users.json").read_bytes() == chart_file(), told


@needs_helm
@pytest.mark.processes
def test_helm_gives_each_role_a_user_of_its_own() -> None:
    file = str(CHART / "values-operators.yaml")
    done = helm("template", "copydesk", str(CHART), "--values", file, "--set", "rabbitmq.users=true")
    assert done.returncode == 0, done.stderr
    rendered = [one for one in yaml.safe_load_all(done.stdout) if one]
    rights = {user.name: {"configure": user.configure, "write": user.write, "read": user.read} for user in role_users()}
    for kind in ("User", "Permission"):
        schema = json.loads((CRDS / "rabbitmq.com" / f"{kind.lower()}_v1beta1.json").read_text())
        for one in of_kind(rendered, kind):
            jsonschema.Draft202012Validator(schema).validate(one)
    assert [one["metadata"]["name"] for one in of_kind(rendered, "User")] == list(rights)
    given = {
        one["spec"]["userReference"]["name"]: one["spec"]["permissions"] for one in of_kind(rendered, "Permission")
    }
    assert given == rights
    for deployment in of_kind(rendered, "Deployment"):
        for container in containers_of(deployment):
            urls = [entry for entry in container["env"] if entry["name"] == "COPYDESK_AMQP_URL"]
            secrets = [entry["valueFrom"]["secretKeyRef"]["name"] for entry in urls]
            user = "copydesk-topology" if container["args"] == ["topology"] else f"copydesk-{role_of(deployment)}"
            assert secrets == ([] if container["args"][0] == "ledger" else [user])
            declares = {"name": "COPYDESK_DECLARE", "value": "false"} not in container["env"]
            assert declares is (container["name"] != "copydesk")
        assert containers_of(deployment)[0]["args"] == ["topology"]
