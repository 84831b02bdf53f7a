"""Limits of one fetch, permitted destinations, and limits for each host."""

from dataclasses import dataclass
from pathlib import Path

from yarl import URL

from contract.topology import DELAYS_S


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """Limits of one fetch.

    `connect_timeout_s` is for one connection, name and TLS included: long enough for three SYN packets (RFC 6298: sent
    again after 1 and 3 s). `first_byte_timeout_s` runs from the request to the end of the answer's header, connecting
    included. `idle_timeout_s` is the longest silence within a body. `total_timeout_s` spans all redirects, without the
    waits for admission; it is a quarter of the time of a job. `max_redirects` is half of what browsers follow
    (WHATWG Fetch: 20). `max_header_bytes` is more than servers send by default (8 to 16 KiB). `max_transfer_bytes`
    counts a body as it is sent, `max_body_bytes` after decompression: 35 times the mean of 464 news pages (283 kB), and
    below the largest job. The timeouts are chosen, not measured.
    """

    connect_timeout_s: float = 10.0
    first_byte_timeout_s: float = 20.0
    idle_timeout_s: float = 10.0
    total_timeout_s: float = 30.0
    max_redirects: int = 10
    max_header_bytes: int = 32 * 1024
    max_transfer_bytes: int = 10 * 1024 * 1024
    max_body_bytes: int = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Reach:
    """Where a fetch may connect to, and how.

    `allow_networks` (CIDR) are permitted although they are not public, at every port; public addresses only at
    `allow_ports`. All requests go through `proxy` if it is given. `nameservers` (addresses, `:port` optional) replace
    the system's. `ca_file` (PEM) is trusted in addition to the system's authorities.
    """

    allow_networks: tuple[str, ...] = ()
    allow_ports: tuple[int, ...] = (80, 443)
    proxy: URL | None = None
    nameservers: tuple[str, ...] = ()
    ca_file: Path | None = None
    user_agent: str = "copydesk"


@dataclass(frozen=True, slots=True)
class HostLimits:
    """Intervals for each host, and how long documents wait for it.

    `interval_s` lies between the beginnings of two requests to one host. A host may ask for more, up to
    `interval_at_most_s` (with a longer `Crawl-delay` a thousand pages would take a day), and for a pause, up to
    `pause_at_most_s` (the longest delay between two attempts).

    A worker keeps a document that waits for its host for at most `max_wait_s` (a twelfth of the time of a job). It
    keeps at most `waiting_per_host` for one host (slightly fewer than are served in this time at the default interval)
    and `waiting` in all (so that busy hosts do not hold up the others). All others go back to their queue, for a random
    time from half of `away_s` to `away_s`. If another worker has the lease of a host, it is requested `asks` times, an
    interval apart.
    """

    interval_s: float = 1.0
    interval_at_most_s: float = 60.0
    pause_at_most_s: float = DELAYS_S[-1]
    max_wait_s: float = 10.0
    waiting_per_host: int = 8
    waiting: int = 8
    away_s: float = DELAYS_S[0]
    asks: int = 2


@dataclass(frozen=True, slots=True)
class HostFailureLimits:
    """How long the failure of a host is remembered, and of how many hosts.

    `transient_for_s` is for causes that may pass at any time (no DNS answer, no connection). It equals the first delay
    between two attempts: when a failed document comes back, the failure is forgotten and the attempt is a real one;
    when a document comes back that was deferred because the host was busy, the failure is still known.
    `permanent_for_s` is for causes that somebody has to repair (a blocked address or port, a certificate, no TLS in
    common). It is short because documents are not tried again: a minute is the shortest lifetime that name servers and
    robots.txt commonly give. A failure with a `retry_after_s` is remembered for that time.

    `origins` bounds memory: an entry takes about 1 kB, so all take about 10 MB. The oldest are forgotten first.
    """

    transient_for_s: float = DELAYS_S[0]
    permanent_for_s: float = 60.0
    origins: int = 10_000
