"""The ports of a process, from the settings: that of the API, and the ops port of every role."""

from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from aiohttp import web

from contract.labels import Listener
from contract.metrics import Metrics
from runtime.ops import Gather, Readiness, build_ops_app
from runtime.process import ListenAddress, listening
from runtime.settings import Settings
from service.access.keys import is_loopback
from service.http.connections import ConnectionLimits
from service.http.hosts import Hosts


def api_port(
    app: web.Application, settings: Settings, metrics: Metrics, *, shared: bool
) -> AbstractAsyncContextManager[None]:
    """Returns the port of the API, `shared` by several processes or not."""
    address = ListenAddress(Listener.API, settings.host, settings.port, _connection_limits(settings), shared)
    return listening(app, address, metrics, shutdown_timeout_s=settings.shutdown_timeout_s)


def ops_port(
    settings: Settings,
    metrics: Metrics,
    readiness: Readiness,
    gather: Gather | None = None,
    *,
    unix: str | None = None,
) -> AbstractAsyncContextManager[None]:
    """Returns the ops port, or the Unix socket in its place. See `build_ops_app`.

    Beyond loopback it accepts any IP address as Host: Prometheus and probes use addresses.
    """
    hosts = Hosts.of(settings.ops_host, settings.hosts, addresses=not is_loopback(settings.ops_host))
    limits = replace(
        _connection_limits(settings),
        connections=settings.max_ops_connections,
        connections_per_address=max(1, settings.max_ops_connections // 2),
    )
    address = ListenAddress(Listener.OPS, settings.ops_host, settings.ops_port, limits, unix=unix)
    app = build_ops_app(metrics, readiness, hosts, gather)
    return listening(app, address, metrics, shutdown_timeout_s=settings.shutdown_timeout_s)


def _connection_limits(settings: Settings) -> ConnectionLimits:
    return ConnectionLimits(
        first_byte_timeout_s=settings.first_byte_timeout_s,
        header_timeout_s=settings.header_timeout_s,
        idle_timeout_s=settings.idle_timeout_s,
        send_timeout_s=settings.send_timeout_s,
        connections=settings.max_connections,
        connections_per_address=settings.max_connections_per_address,
    )
