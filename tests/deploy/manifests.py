"""Reads the manifests in deploy/kubernetes/, and says what is in a pod."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
CHART = ROOT / "deploy" / "helm" / "copydesk"
SETS = ("base", "clusters", "operators")
"""Folders of manifests, each of which can be applied by itself."""

Manifest = dict[str, Any]


def manifests(name: str) -> list[Manifest]:
    """Returns the resources that the kustomization of a set names."""
    kustomization = yaml.safe_load((FOLDER / name / "kustomization.yaml").read_text())
    files = [FOLDER / name / file for file in kustomization["resources"]]
    return [one for file in files for one in yaml.safe_load_all(file.read_text()) if one]


def of_kind(resources: list[Manifest], *kinds: str) -> list[Manifest]:
    return [one for one in resources if one["kind"] in kinds]


def name_of(resource: Manifest) -> str:
    return str(resource["metadata"]["name"])


def labels_of(deployment: Manifest) -> dict[str, str]:
    return dict(deployment["spec"]["template"]["metadata"]["labels"])


def role_of(deployment: Manifest) -> str:
    return labels_of(deployment)["app.kubernetes.io/component"]


def pod_of(deployment: Manifest) -> dict[str, Any]:
    return dict(deployment["spec"]["template"]["spec"])


def containers_of(deployment: Manifest) -> list[dict[str, Any]]:
    pod = pod_of(deployment)
    return [*pod.get("initContainers", ()), *pod["containers"]]


def ports_of(deployment: Manifest) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in pod_of(deployment)["containers"][0]["ports"]}


def chosen(selector: Mapping[str, str], deployments: list[Manifest]) -> list[Manifest]:
    """Returns the deployments whose pods have all labels of a selector."""
    return [one for one in deployments if selector.items() <= labels_of(one).items()]


def secrets_of(resources: list[Manifest]) -> Iterator[tuple[str, str]]:
    """Yields name and key of each Secret that a container or KEDA reads."""
    for deployment in of_kind(resources, "Deployment"):
        for container in containers_of(deployment):
            for entry in container["env"]:
                if "valueFrom" in entry:
                    reference = entry["valueFrom"]["secretKeyRef"]
                    yield reference["name"], reference["key"]
    for authentication in of_kind(resources, "TriggerAuthentication"):
        for reference in authentication["spec"]["secretTargetRef"]:
            yield reference["name"], reference["key"]


def digests() -> dict[str, str]:
    """Returns what SHA256SUMS says of each file, by its name below deploy/."""
    lines = (line.split("  ") for line in (FOLDER / "SHA256SUMS").read_text().splitlines())
    return {name: digest for digest, name in lines}
