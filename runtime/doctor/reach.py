"""Examines names, and whether a worker reaches a site: resolver, proxy, TLS and the rules for addresses."""

import asyncio
import socket
from collections.abc import Mapping
from ipaddress import ip_address

from prometheus_client import CollectorRegistry

from contract.metrics import Metrics
from contract.reasons import Reason
from runtime.brokers.local_leases import LocalLeases
from runtime.doctor.finding import Finding, doubtful, well, wrong
from runtime.fetching import open_fetcher
from runtime.settings import Settings
from workers.failures import Failed
from workers.fetch import HostBusy

NAMES = "names"
PART = "reach"

_TIMEOUT_S = 10.0  # chosen: a person waits, and a site that takes longer is none to try with
_NO_PAGES = "documents that are URLs fail, as this one does"
_OUTWARD = "let workers connect outward, or name a proxy in COPYDESK_FETCH_PROXY"
_REMEDIES: Mapping[Reason, str] = {
    Reason.DNS_ERROR: "mend the resolver of this machine, or name another one in COPYDESK_FETCH_NAMESERVERS",
    Reason.CONNECT_ERROR: _OUTWARD,
    Reason.CONNECT_TIMEOUT: _OUTWARD,
    Reason.FIRST_BYTE_TIMEOUT: _OUTWARD,
    Reason.FETCH_TIMEOUT: _OUTWARD,
    Reason.IDLE_TIMEOUT: _OUTWARD,
    Reason.ROBOTS_UNREACHABLE: _OUTWARD,
    Reason.BAD_RESPONSE: "try another site; if all fail, something between here and there changes the answers",
    Reason.TLS_ERROR: "try another site; if all fail, something between here and there ends TLS",
    Reason.CERTIFICATE_ERROR: "if a proxy makes certificates, name its authority in COPYDESK_FETCH_CA_FILE",
    Reason.BLOCKED_ADDRESS: "open the network in COPYDESK_FETCH_ALLOW_NETWORKS, if workers may reach it",
    Reason.BLOCKED_PORT: "open the port in COPYDESK_FETCH_ALLOW_PORTS, if workers may reach it",
}
"""What to do about each failure that is not the site's own answer."""


async def names() -> Finding:
    """Returns whether `localhost` is this machine: processes, health checks and the commands' defaults use it."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo("localhost", None)
    except socket.gaierror as error:
        return _no_localhost(f"does not resolve: {error.strerror}")
    elsewhere = sorted({str(address[0]) for *_, address in found if not ip_address(address[0]).is_loopback})
    return _no_localhost(f"is {', '.join(elsewhere)}") if elsewhere else well(NAMES, "localhost is this machine")


def _no_localhost(found: str) -> Finding:
    why = "health checks and commands that run on the same machine do not reach it"
    return doubtful(NAMES, f"localhost {found}", why, "have the line `127.0.0.1 localhost` in /etc/hosts")


async def site(settings: Settings, url: str, timeout_s: float = _TIMEOUT_S) -> Finding:
    """Returns whether a worker with these settings can fetch `url`. Any answer of the site is enough."""
    fetcher = open_fetcher(settings, Metrics(CollectorRegistry()), LocalLeases().hold)
    try:
        async with asyncio.timeout(timeout_s), fetcher as opened:
            await opened.fetch(url)
    except TimeoutError:
        return wrong(PART, f"no answer within {timeout_s:g} s", _NO_PAGES, _OUTWARD)
    except HostBusy:
        return well(PART, "the site asks for a pause")
    except Failed as failed:
        if (remedy := _REMEDIES.get(failed.reason)) is None:
            return well(PART, f"the site answers: {failed.reason}")
        return wrong(PART, f"{failed.reason}: {failed.detail}".rstrip(": "), _NO_PAGES, remedy)
    return well(PART, "the page can be fetched")
