"""deploy/compose.yaml against the code. tests/system/test_compose.py runs what it says."""

import re
from importlib.metadata import version
from typing import Any

import pytest
import yaml

from tests.deploy.compose import (
    FILE,
    ROOT,
    command_of,
    compose,
    entry_point,
    env_file,
    environment_of_image,
    of_copydesk,
    variables_of,
)
from tests.deploy.roles import DEFAULTS, PROBES, ROLES, fault_of

pytestmark = pytest.mark.processes  # env.sh

OTEL = {
    f"OTEL_{name}"
    for name in ("EXPORTER_OTLP_ENDPOINT", "EXPORTER_OTLP_HEADERS", "TRACES_SAMPLER", "TRACES_SAMPLER_ARG")
}
NOT_SECRET = {"COPYDESK_WEBHOOK_ALLOW", "COPYDESK_KEEP_INPUT", "COPYDESK_PARSERS", *OTEL}
"""Variables of the compose file that have a default."""
UNITS_S = {"s": 1, "m": 60}


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return dict(compose(env_file())["services"])


def seconds(duration: str) -> int:
    return int(duration[:-1]) * UNITS_S[duration[-1]]


def test_every_role_is_a_service_and_prometheus_scrapes_it(services: dict[str, Any]) -> None:
    ours = of_copydesk(services)
    assert sorted(command_of(service)[0] for name, service in ours.items() if name != "ledger") == ROLES
    scraped = yaml.safe_load((ROOT / "deploy" / "prometheus" / "prometheus.yml").read_text())["scrape_configs"]
    ((names, port),) = [(sd["names"], sd["port"]) for job in scraped for sd in job.get("dns_sd_configs", ())]
    assert sorted(names) == sorted(set(ours) - {"ledger"})
    assert port == DEFAULTS.ops_port


def test_every_command_would_start_with_its_variables(services: dict[str, Any]) -> None:
    assert entry_point() == ["copydesk"]
    faults = {
        name: fault_of(command_of(service), environment_of_image() | service["environment"])
        for name, service in of_copydesk(services).items()
    }
    assert set(faults.values()) == {None}, faults


def test_the_file_of_secrets_has_every_variable_and_no_other() -> None:
    first, second = env_file(), env_file()
    assert set(first) == variables_of(FILE.read_text()) - NOT_SECRET
    assert {name for name in first if first[name] == second[name]} == {"COPYDESK_OPERATORS"}


def test_every_host_is_a_service_that_is_waited_for(services: dict[str, Any]) -> None:
    for name, service in of_copydesk(services).items():
        hosts = {host for value in service["environment"].values() for host in re.findall(r"@(\w+)[:/]", value)}
        waited = set(service["depends_on"])
        for dependency in service["depends_on"]:
            waited |= set(services[dependency].get("depends_on", ()))
        assert hosts <= waited <= set(services), name


def test_a_service_is_stopped_after_its_own_time_is_over(services: dict[str, Any]) -> None:
    for name, service in of_copydesk(services).items():
        own = float(service["environment"].get("COPYDESK_SHUTDOWN_TIMEOUT_S", DEFAULTS.shutdown_timeout_s))
        assert seconds(service["stop_grace_period"]) >= own + 5, name


def test_every_service_is_bounded_and_watched(services: dict[str, Any]) -> None:
    for name, service in services.items():
        assert {"max-size", "max-file"} <= set(service["logging"]["options"]), name
        assert service["deploy"]["resources"]["limits"]["memory"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert name == "ledger" or service["healthcheck"]["test"], name


def test_our_containers_write_nowhere_and_may_do_nothing(services: dict[str, Any]) -> None:
    for name, service in of_copydesk(services).items():
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"]), name
        assert service["image"] == f"copydesk:{version('copydesk')}", name


def test_a_health_check_asks_the_ops_port(services: dict[str, Any]) -> None:
    checks = {service["healthcheck"]["test"][-1] for name, service in of_copydesk(services).items() if name in ROLES}
    urls = [url for check in checks for url in re.findall(r"http://127\.0\.0\.1:(\d+)(/\w+)", check)]
    assert urls == [(str(DEFAULTS.ops_port), "/readyz")]
    assert {path for _, path in urls} <= PROBES


def test_a_worker_has_the_memory_that_its_parsers_may_take(services: dict[str, Any]) -> None:
    limit = services["work"]["deploy"]["resources"]["limits"]["memory"]
    parsers = int(services["work"]["environment"]["COPYDESK_PARSERS"])
    needed = 120e6 + DEFAULTS.max_in_flight_bytes + parsers * (110e6 + DEFAULTS.parse_memory_bytes)  # docs/operating.md
    assert limit.endswith("G")
    assert int(limit[:-1]) * 1024**3 >= needed


def test_ports_are_open_to_this_machine_alone(services: dict[str, Any]) -> None:
    ports = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert ports["serve"] == [f"127.0.0.1:{DEFAULTS.port}:{DEFAULTS.port}"]
    assert all(port.startswith("127.0.0.1:") for published in ports.values() for port in published)


def test_what_is_mounted_is_there(services: dict[str, Any]) -> None:
    named = set(yaml.safe_load(FILE.read_text())["volumes"])
    sources = [volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())]
    assert {source for source in sources if not source.startswith(".")} == named
    assert [source for source in sources if source.startswith(".") and not (FILE.parent / source).exists()] == []


def test_grafana_asks_the_prometheus_of_this_file(services: dict[str, Any]) -> None:
    folder = FILE.parent / "grafana" / "provisioning" / "datasources"
    (source,) = yaml.safe_load((folder / "prometheus.yaml").read_text())["datasources"]
    host, port = re.fullmatch(r"http://(\w+):(\d+)", source["url"]).groups()  # type: ignore[union-attr]
    assert host in services
    assert services[host]["ports"] == [f"127.0.0.1:{port}:{port}"]
