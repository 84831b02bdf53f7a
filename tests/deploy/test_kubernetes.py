"""deploy/kubernetes/ against the schemas of Kubernetes and of the operators, and against the code."""

import hashlib
import json
import re
from collections.abc import Iterator
from glob import glob
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import yaml

from contract.topology import design
from tests.deploy.manifests import (
    CHART,
    FOLDER,
    ROOT,
    SETS,
    Manifest,
    chosen,
    containers_of,
    digests,
    labels_of,
    manifests,
    name_of,
    of_kind,
    pod_of,
    ports_of,
    role_of,
    secrets_of,
)
from tests.deploy.roles import DEFAULTS, PROBES, ROLES, fault_of
from tests.system.test_prometheus import is_known, selectors

CRDS = Path(__file__).parent / "crds"
OLDEST = "1.29"
"""The oldest Kubernetes that the chart allows: kubeVersion in Chart.yaml."""
RESOURCES = {name: manifests(name) for name in SETS}
WITH_ROLES = ("base", "operators")
VALUES = {"amqp-url": "amqp://user:word@host:5672/", "ledger-url": "postgresql://user:word@host/database"} | {
    "connection_string": "amqp://user:word@host:5672/",
    "uri": "postgresql://user:word@host:5432/database",
    "api-keys": "name:secret",
    "keys-secret": "word" * 8,
}
"""A value for each key of a Secret, in the form that its maker gives it."""
MADE = {"copydesk-rabbitmq-default-user": "RabbitmqCluster", "copydesk-postgres-app": "Cluster"}
"""Secrets that an operator makes, and the kind of resource that it makes each for."""

each_set = pytest.mark.parametrize("name", SETS)
with_roles = pytest.mark.parametrize("name", WITH_ROLES)


def schema_of(manifest: Manifest) -> dict[str, Any] | None:
    """Returns the schema of a custom resource, None for one of Kubernetes' own."""
    group, _, api = manifest["apiVersion"].rpartition("/")
    file = CRDS / group / f"{manifest['kind'].lower()}_{api}.json"
    return dict(json.loads(file.read_text())) if file.exists() else None


def validate(manifest: Manifest, kubernetes: str) -> None:
    schema = schema_of(manifest)
    if schema is None:
        kubernetes_validate.validate(manifest, kubernetes, strict=True)
    else:
        jsonschema.Draft202012Validator(schema).validate(manifest)


@each_set
@pytest.mark.parametrize("kubernetes", [OLDEST, kubernetes_validate.latest_version()])
def test_every_resource_fits_its_schema(name: str, kubernetes: str) -> None:
    for manifest in RESOURCES[name]:
        validate(manifest, kubernetes)
    minimum = yaml.safe_load((CHART / "Chart.yaml").read_text())["kubeVersion"]
    assert minimum == f">={OLDEST}.0-0"


def test_a_schema_refuses_what_it_does_not_know() -> None:
    """Of each kind that we deploy: a field more in `spec`, or in a resource without one, is a fault."""
    kinds = {one["kind"]: one for resources in RESOURCES.values() for one in resources}
    assert len(kinds) >= 13
    for manifest in kinds.values():
        field = {"spec": {**manifest["spec"], "replicaz": 2}} if "spec" in manifest else {"replicaz": 2}
        wrong = {**manifest, **field}
        with pytest.raises((jsonschema.ValidationError, kubernetes_validate.ValidationError)):
            validate(wrong, OLDEST)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_the_manifests_are_rendered_from_the_chart_that_stands_here() -> None:
    known = digests()
    changed = [name for name, digest in known.items() if sha256((ROOT / "deploy" / name).read_bytes()) != digest]
    assert changed == [], "run make manifests"
    files = {
        str((folder / path).relative_to(ROOT / "deploy"))
        for folder in (CHART, FOLDER)
        for path in glob("**", root_dir=folder, recursive=True)  # noqa: PTH207 - it follows links, as `find -L` does
        if (folder / path).is_file() and path != "SHA256SUMS"
    }
    assert files == set(known), "run make manifests"


@with_roles
def test_every_role_is_deployed_and_would_start(name: str) -> None:
    deployments = of_kind(RESOURCES[name], "Deployment")
    assert sorted(role_of(one) for one in deployments) == ROLES
    for deployment in deployments:
        for container in containers_of(deployment):
            variables = {
                entry["name"]: entry.get("value") or VALUES[entry["valueFrom"]["secretKeyRef"]["key"]]
                for entry in container["env"]
            }
            assert fault_of(container["args"], variables) is None, (name, container["args"])
            assert container["image"] == f"copydesk:{version('copydesk')}"
        assert pod_of(deployment)["containers"][0]["args"][0] == role_of(deployment)


@with_roles
def test_ports_and_probes_are_those_of_the_code(name: str) -> None:
    for deployment in of_kind(RESOURCES[name], "Deployment"):
        api = {"api": DEFAULTS.port} if role_of(deployment) == "serve" else {}
        assert ports_of(deployment) == {"ops": DEFAULTS.ops_port} | api
        (container,) = pod_of(deployment)["containers"]
        for probe in ("livenessProbe", "readinessProbe"):
            asked = container[probe]["httpGet"]
            assert (asked["path"] in PROBES, asked["port"]) == (True, "ops")
        assert container["livenessProbe"]["httpGet"]["path"] == "/livez", "a broker's outage must not restart pods"
        annotations = deployment["spec"]["template"]["metadata"].get("annotations", {})
        assert annotations.get("prometheus.io/port", str(DEFAULTS.ops_port)) == str(DEFAULTS.ops_port)


@with_roles
def test_pods_may_do_little(name: str) -> None:
    """What the Pod Security Standard `restricted` asks for, and a root file system that is read-only."""
    for deployment in of_kind(RESOURCES[name], "Deployment"):
        pod = pod_of(deployment)
        assert (pod["enableServiceLinks"], pod["automountServiceAccountToken"]) == (False, False)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["runAsGroup"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert [list(volume) for volume in pod["volumes"]] == [["name", "emptyDir"]]
        for container in containers_of(deployment):
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            assert container["resources"]["limits"]["memory"]


@with_roles
def test_the_user_is_that_of_the_image(name: str) -> None:
    (user,) = re.findall(r"^USER (\d+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    users = {pod_of(one)["securityContext"]["runAsUser"] for one in of_kind(RESOURCES[name], "Deployment")}
    assert users == {int(user)}


@with_roles
def test_a_pod_is_killed_after_its_own_time_is_over(name: str) -> None:
    for deployment in of_kind(RESOURCES[name], "Deployment"):
        (container,) = pod_of(deployment)["containers"]
        command = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
        assert (command[0], int(command[1]) > 0) == ("sleep", role_of(deployment) == "serve")
        (own,) = (entry["value"] for entry in container["env"] if entry["name"] == "COPYDESK_SHUTDOWN_TIMEOUT_S")
        assert pod_of(deployment)["terminationGracePeriodSeconds"] >= int(command[1]) + float(own) + 5


@with_roles
def test_a_worker_has_the_memory_that_its_parsers_may_take(name: str) -> None:
    (work,) = (one for one in of_kind(RESOURCES[name], "Deployment") if role_of(one) == "work")
    (container,) = pod_of(work)["containers"]
    (parsers,) = (int(entry["value"]) for entry in container["env"] if entry["name"] == "COPYDESK_PARSERS")
    limit = re.fullmatch(r"(\d+)Gi", container["resources"]["limits"]["memory"])
    needed = 120e6 + DEFAULTS.max_in_flight_bytes + parsers * (110e6 + DEFAULTS.parse_memory_bytes)  # docs/operating.md
    assert limit
    assert int(limit[1]) * 1024**3 >= needed


@with_roles
def test_every_selector_chooses_pods_that_are_there(name: str) -> None:
    resources = RESOURCES[name]
    deployments = of_kind(resources, "Deployment")
    for deployment in deployments:
        assert chosen(deployment["spec"]["selector"]["matchLabels"], deployments) == [deployment]
        for spread in pod_of(deployment)["topologySpreadConstraints"]:
            assert chosen(spread["labelSelector"]["matchLabels"], deployments) == [deployment]
    for budget in of_kind(resources, "PodDisruptionBudget"):
        (deployment,) = chosen(budget["spec"]["selector"]["matchLabels"], deployments)
        assert name_of(deployment) == name_of(budget)
    for policy in of_kind(resources, "NetworkPolicy"):
        found = chosen(policy["spec"]["podSelector"]["matchLabels"], deployments)
        assert name_of(policy) in {"copydesk", *(name_of(one) for one in found)}
        assert len(found) == (len(deployments) if name_of(policy) == "copydesk" else 1)
    for monitor in of_kind(resources, "PodMonitor"):
        assert chosen(monitor["spec"]["selector"]["matchLabels"], deployments) == deployments
    (service,) = of_kind(resources, "Service")
    assert [role_of(one) for one in chosen(service["spec"]["selector"], deployments)] == ["serve"]


@with_roles
def test_every_named_port_is_one_of_the_pods(name: str) -> None:
    resources = RESOURCES[name]
    deployments = of_kind(resources, "Deployment")
    (service,) = of_kind(resources, "Service")
    (serve,) = chosen(service["spec"]["selector"], deployments)
    assert {port["targetPort"] for port in service["spec"]["ports"]} <= set(ports_of(serve))
    for policy in of_kind(resources, "NetworkPolicy"):
        names = {port["port"] for rule in policy["spec"].get("ingress", ()) for port in rule["ports"]}
        for deployment in chosen(policy["spec"]["podSelector"]["matchLabels"], deployments):
            assert names <= set(ports_of(deployment))
    for ingress in of_kind(resources, "Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                backend = path["backend"]["service"]
                assert backend["name"] == name_of(service)
                assert backend["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    for monitor in of_kind(resources, "PodMonitor"):
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            assert (endpoint["port"], endpoint["path"]) == ("ops", "/metrics")


@with_roles
def test_only_what_fetches_and_delivers_goes_out_into_the_world(name: str) -> None:
    policies = {name_of(one): one["spec"] for one in of_kind(RESOURCES[name], "NetworkPolicy")}
    open_to_all = {
        policy: {port["port"] for port in rule["ports"]}
        for policy, spec in policies.items()
        for rule in spec.get("egress", ())
        if any("ipBlock" in peer for peer in rule.get("to", ()))
    }
    outgoing = {"work": DEFAULTS.fetch_allow_ports, "deliver": DEFAULTS.webhook_allow_ports}
    assert open_to_all == {f"copydesk-{role}": set(ports) for role, ports in outgoing.items()}
    for role in outgoing:
        (to,) = (rule["to"] for rule in policies[f"copydesk-{role}"]["egress"])
        assert {"10.0.0.0/8", "169.254.0.0/16", "192.168.0.0/16"} <= set(to[0]["ipBlock"]["except"])
        assert "ingress" not in policies[f"copydesk-{role}"]
    common = policies["copydesk"]
    assert common["policyTypes"] == ["Ingress", "Egress"]
    assert [rule["ports"] for rule in common["ingress"]] == [[{"port": "ops"}]]
    assert all("from" in rule for rule in common["ingress"]), "metrics are for the monitoring alone"
    assert {port["port"] for rule in common["egress"] for port in rule["ports"]} == {53, 5671, 5672, 5432}


@with_roles
def test_every_secret_is_explained_or_made_by_an_operator(name: str) -> None:
    explained = (FOLDER / name / "kustomization.yaml").read_text()
    made = {name_of(one): one["kind"] for one in RESOURCES["clusters"]}
    for secret, key in secrets_of(RESOURCES[name]):
        if secret in MADE:
            assert made[re.sub("-(default-user|app)$", "", secret)] == MADE[secret]
        else:
            assert secret == "copydesk"
            assert key in explained or key == "keys-secret"  # which is optional


def test_what_scales_is_a_deployment_without_a_number_of_its_own() -> None:
    resources = RESOURCES["operators"]
    deployments = {name_of(one): one for one in of_kind(resources, "Deployment")}
    scalers = of_kind(resources, "HorizontalPodAutoscaler", "ScaledObject")
    targets = [one["spec"]["scaleTargetRef"]["name"] for one in scalers]
    assert sorted(targets) == ["copydesk-serve", "copydesk-work"]
    assert {name for name, one in deployments.items() if "replicas" not in one["spec"]} == set(targets)
    assert all("replicas" in one["spec"] for one in of_kind(RESOURCES["base"], "Deployment"))


def test_keda_asks_for_queues_and_metrics_that_are_there() -> None:
    (scaled,) = of_kind(RESOURCES["operators"], "ScaledObject")
    (authentication,) = of_kind(RESOURCES["operators"], "TriggerAuthentication")
    (given,) = authentication["spec"]["secretTargetRef"]
    assert (given["parameter"], given["name"]) == ("host", "copydesk-rabbitmq-default-user")
    assert scaled["spec"]["minReplicaCount"] >= 1, "previews and lost jobs need a worker"
    triggers = scaled["spec"]["triggers"]
    asked = [one for one in triggers if one["type"] == "rabbitmq"]
    assert {one["authenticationRef"]["name"] for one in asked} == {name_of(authentication)}
    queues = {queue.name for queue in design().queues}
    assert {one["metadata"]["queueName"] for one in asked} == {
        one for one in queues if one.startswith("copydesk.intake.")
    }
    queries = [one["metadata"]["query"] for one in triggers if one["type"] == "prometheus"]
    assert list(unknown(queries)) == []
    assert len(queries) + len(asked) == len(triggers)


def unknown(queries: list[str]) -> Iterator[str]:
    """Yields the labels of queries that no metric of ours has."""
    for query in queries:
        for selector in selectors(query):
            for matcher in selector.matchers.matchers:
                if not is_known(selector.name or "", matcher.name, matcher.value):
                    yield f"{query}: {matcher.name}={matcher.value}"


def test_a_query_on_an_unknown_label_is_found() -> None:
    wrong = ['max(copydesk_audit_oldest_seconds{lane="fast"})', 'max(copydesk_audit_age_seconds{lane="bulk"})']
    assert len(list(unknown(wrong))) == len(wrong)


def test_the_rules_are_those_that_are_tested() -> None:
    (rule,) = of_kind(RESOURCES["operators"], "PrometheusRule")
    assert rule["spec"] == yaml.safe_load((ROOT / "deploy" / "prometheus" / "alerts.yml").read_text())
    (monitor,) = of_kind(RESOURCES["operators"], "PodMonitor")
    label = monitor["spec"]["jobLabel"]
    jobs = {labels_of(one)[label] for one in of_kind(RESOURCES["operators"], "Deployment")}
    assert jobs == {"copydesk"}, "the alerts select job"
    (broker,) = of_kind(RESOURCES["operators"], "ServiceMonitor")
    chosen = broker["spec"]["selector"]["matchLabels"]  # the operator's Service has these labels
    assert chosen[broker["spec"]["jobLabel"]] == "rabbitmq"


def test_rabbitmq_has_the_settings_that_the_tests_run_with() -> None:
    (cluster,) = of_kind(RESOURCES["clusters"], "RabbitmqCluster")
    wanted = (ROOT / "deploy" / "rabbitmq" / "rabbitmq.conf").read_text()
    given = cluster["spec"]["rabbitmq"]["additionalConfig"]
    lines = [line for line in wanted.splitlines() if line and not line.startswith("#")]
    assert lines
    assert set(lines) <= set(given.splitlines())
    assert cluster["spec"]["replicas"] == 3
    (monitor,) = of_kind(RESOURCES["operators"], "ServiceMonitor")
    assert monitor["spec"]["selector"]["matchLabels"]["app.kubernetes.io/name"] == name_of(cluster)


def test_the_dashboards_are_in_a_config_map_that_grafana_finds() -> None:
    (found,) = of_kind(RESOURCES["operators"], "ConfigMap")
    assert found["metadata"]["labels"] == {"grafana_dashboard": "1"}
    assert {name: json.loads(text) for name, text in found["data"].items()} == {
        f"copydesk-{file.name}": json.loads(file.read_text())
        for file in (ROOT / "deploy" / "grafana" / "dashboards").glob("*.json")
    }
    assert sum(map(len, found["data"].values())) < 1024 * 1024, "Kubernetes takes no more in a ConfigMap"
