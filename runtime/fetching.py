"""Builds the fetcher from the settings: a guarded client, queues of hosts, robots.txt."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from importlib.metadata import version

from yarl import URL

from contract.metrics import Metrics
from runtime.fetch_checks import refuse_wrong_fetch_settings
from runtime.settings import Settings
from workers.fetch import Fetcher, FetchLimits, Reach
from workers.fetch.client import GuardedClient
from workers.fetch.host_failures import HostFailures
from workers.fetch.host_queues import HostQueues, Lease
from workers.fetch.limits import HostFailureLimits, HostLimits
from workers.fetch.politeness import Politeness
from workers.fetch.robots import Robots, RobotsLimits

PRODUCT = "copydesk"  # the name under which robots.txt has rules for us


@asynccontextmanager
async def open_fetcher(
    settings: Settings, metrics: Metrics, lease: Lease, hosts: HostLimits | None = None
) -> AsyncIterator[Fetcher]:
    """Yields the fetcher, within the limits that are set.

    Args:
        settings: limits of fetches.
        metrics: count fetches by outcome.
        lease: takes the lease of a host, which keeps other workers from it.
        hosts: limits for each host; None for those of a worker.

    Raises:
        StartError: an address, a network or a file in the settings is invalid.
    """
    refuse_wrong_fetch_settings(settings)
    limits = _limits(settings)
    client = GuardedClient(limits, _reach(settings))
    failures = HostFailures(_failure_limits(settings))
    async with client, HostQueues(lease, hosts or _worker_hosts(settings), failures) as queues:
        robots = Robots(client, RobotsLimits(), limits, PRODUCT) if settings.fetch_robots else None
        yield Fetcher(client, limits, metrics, admission=Politeness(queues, robots).admit)


def user_agent(contact: str | None) -> str:
    """Returns the User-Agent of the service, with the contact for complaints."""
    return f"{PRODUCT}/{version(PRODUCT)}" + (f" (+{contact})" if contact else "")


def _limits(settings: Settings) -> FetchLimits:
    return FetchLimits(
        connect_timeout_s=settings.fetch_connect_timeout_s,
        first_byte_timeout_s=settings.fetch_first_byte_timeout_s,
        idle_timeout_s=settings.fetch_idle_timeout_s,
        total_timeout_s=settings.fetch_timeout_s,
        max_redirects=settings.fetch_max_redirects,
        max_header_bytes=settings.fetch_max_header_bytes,
        max_transfer_bytes=settings.fetch_max_transfer_bytes,
        max_body_bytes=settings.fetch_max_bytes,
    )


def _worker_hosts(settings: Settings) -> HostLimits:
    """Returns a worker's limits for hosts: at most half of its documents wait for hosts, the rest is deferred."""
    waiting = max(1, (settings.slots + settings.max_waiting) // 2)
    return HostLimits(interval_s=settings.fetch_interval_s, waiting=waiting, away_s=settings.retry_delays_s[0])


def _failure_limits(settings: Settings) -> HostFailureLimits:
    """Returns how long failures are remembered: transient ones at most for the first retry delay."""
    default = HostFailureLimits()
    return replace(default, transient_for_s=min(settings.retry_delays_s[0], default.permanent_for_s))


def _reach(settings: Settings) -> Reach:
    return Reach(
        allow_networks=settings.fetch_allow_networks,
        allow_ports=settings.fetch_allow_ports,
        proxy=URL(settings.fetch_proxy.get_secret_value()) if settings.fetch_proxy else None,
        nameservers=settings.fetch_nameservers,
        ca_file=settings.fetch_ca_file,
        user_agent=user_agent(settings.fetch_contact),
    )
