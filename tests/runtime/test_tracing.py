"""When a process makes spans, and what it does where it cannot."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from contract.labels import ProcessRole
from contract.tracing import OFF
from runtime.errors import StartError
from runtime.settings import load
from runtime.tracing import ENDPOINTS, is_wanted, opened

ON = {ENDPOINTS[0]: "http://127.0.0.1:9"}


@contextmanager
def without_the_extra(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as patch:
        for name in [name for name in sys.modules if name.partition(".")[0] == "opentelemetry"]:
            patch.delitem(sys.modules, name)
        patch.setitem(sys.modules, "opentelemetry", None)
        yield


@pytest.mark.parametrize(
    ("setting", "environment", "wanted"),
    [
        (None, {}, False),
        (None, {ENDPOINTS[0]: ""}, False),
        (None, {ENDPOINTS[0]: "http://127.0.0.1:9"}, True),
        (None, {ENDPOINTS[1]: "http://127.0.0.1:9/v1/traces"}, True),
        (True, {}, True),
        (False, ON, False),
        (None, {**ON, "OTEL_SDK_DISABLED": "TRUE"}, False),
        (True, {**ON, "OTEL_SDK_DISABLED": "true"}, False),
        (None, {**ON, "OTEL_TRACES_EXPORTER": "none"}, False),
        (None, {**ON, "OTEL_TRACES_EXPORTER": "otlp"}, True),
    ],
)
def test_the_setting_and_the_variables_of_opentelemetry_decide(
    setting: bool | None, environment: dict[str, str], wanted: bool
) -> None:
    assert is_wanted(load({"tracing": setting}, {}), environment) is wanted


async def test_without_the_extra_a_setting_that_asks_for_traces_prevents_the_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with without_the_extra(monkeypatch), pytest.raises(StartError, match=r"copydesk\[tracing\]"):
        async with opened(load({"tracing": True}, {}), ProcessRole.UP):
            pass


async def test_without_the_extra_an_endpoint_in_the_environment_is_only_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:9")
    with without_the_extra(monkeypatch), capture_logs() as entries:
        async with opened(load({}, {}), ProcessRole.UP) as tracer:
            assert tracer is OFF
    assert [entry["event"] for entry in entries] == ["tracing_not_installed"]


async def test_another_protocol_is_told_and_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ENDPOINTS[0], "http://127.0.0.1:9")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    with capture_logs() as entries:
        async with opened(load({}, {}), ProcessRole.UP) as tracer:
            assert tracer.is_on
    assert entries[0] == {
        "event": "otlp_protocol_ignored",
        "log_level": "warning",
        "protocol": "grpc",
        "used": "http/protobuf",
    }
