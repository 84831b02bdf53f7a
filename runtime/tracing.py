"""Decides whether a process makes spans. Only then OpenTelemetry is imported (`runtime/otlp`), which is an extra."""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Final

import structlog

from contract.labels import ProcessRole
from contract.tracing import OFF, Tracer
from runtime.errors import StartError
from runtime.settings import Settings

log = structlog.get_logger(__name__)

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
"""Where traces go, in the variables of OpenTelemetry's specification. One of them turns tracing on."""

_EXTRA: Final = "opentelemetry.exporter.otlp.proto.http"
_INSTALL: Final = "install copydesk[tracing]"
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
_OTLP: Final = "http/protobuf"


@asynccontextmanager
async def opened(settings: Settings, role: ProcessRole) -> AsyncIterator[Tracer]:
    """Opens the tracer of this process; `OFF` if no spans are wanted. At the end it sends what it still holds.

    Raises:
        StartError: COPYDESK_TRACING turns tracing on, and the extra is not installed; or a variable is invalid.
    """
    if not is_wanted(settings, os.environ) or not _is_installed(settings):
        yield OFF
        return
    from runtime import otlp  # noqa: PLC0415 - loads OpenTelemetry

    system = "copydesk" if settings.amqp_url is None else "rabbitmq"
    async with otlp.exporting(role, system) as tracer:
        yield tracer


def is_wanted(settings: Settings, environment: Mapping[str, str]) -> bool:
    """Returns True if spans are to be made: COPYDESK_TRACING says so, or the environment names a receiver."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    if settings.tracing is not None:
        return settings.tracing
    return any(environment.get(name) for name in ENDPOINTS)


def _is_installed(settings: Settings) -> bool:
    try:
        found = find_spec(_EXTRA) is not None
    except ModuleNotFoundError:  # of a package that it is in
        found = False
    if not found and settings.tracing:
        raise StartError(f"COPYDESK_TRACING is on, but OpenTelemetry is not installed: {_INSTALL}")
    if not found:
        log.warning("tracing_not_installed", variables=ENDPOINTS, hint=_INSTALL)
    protocol = next((os.environ[name] for name in _PROTOCOLS if os.environ.get(name)), _OTLP)
    if found and protocol != _OTLP:
        log.warning("otlp_protocol_ignored", protocol=protocol, used=_OTLP)
    return found
