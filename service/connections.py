"""How many connections a port holds, and which one gives way to a new one.

A connection either has a request in hand or waits for the next. When a bound is reached, the one that has waited for
longest is closed for the new one, so that idle connections keep nobody out. Only where all have requests in hand is
the new one refused.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address

from contract.labels import Cut, Listener
from contract.metrics import Metrics

_IPV6_PREFIX = 64  # bits of an IPv6 address that stand for one site: a host chooses the others itself (RFC 4291, 2.5.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """What a port grants a connection, and how many connections.

    Attributes:
        first_byte_timeout_s: from connecting to the first byte of a request.
        header_timeout_s: from the first byte of a request to the end of its header.
        idle_timeout_s: from an answer to the first byte of the next request.
        send_timeout_s: for an answer to be taken, and a second more for each `least_send_bytes_s` of it.
        least_send_bytes_s: the slowest pace at which an answer may be taken, in bytes a second.
        connections: at once, in all.
        connections_per_address: at once, from one IPv4 address or one IPv6 /64.
    """

    first_byte_timeout_s: float = 10.0
    header_timeout_s: float = 10.0
    idle_timeout_s: float = 65.0
    send_timeout_s: float = 30.0
    least_send_bytes_s: int = 16 * 1024
    connections: int = 1000
    connections_per_address: int = 500


@dataclass(slots=True)
class _Site:
    """The connections from one address, and those of them that wait, the longest first, with what makes them leave."""

    held: int = 0
    waiting: dict[object, Callable[[], None]] = field(default_factory=dict)


class Connections:
    """The connections that one port holds."""

    def __init__(self, limits: ConnectionLimits, metrics: Metrics, listener: Listener) -> None:
        self._limits = limits
        self._metrics = metrics
        self._listener = listener
        self._sites: dict[str, _Site] = {}
        self._held = 0

    def admit(self, site: str) -> Cut | None:
        """Counts a new connection from `site` in, after making room where that is needed; else says why not."""
        cut = None
        if self._sites.get(site, _Site()).held >= self._limits.connections_per_address and not self._make_room(site):
            cut = Cut.TOO_MANY_FROM_ADDRESS
        elif self._held >= self._limits.connections and not self._make_room(self._crowd()):
            cut = Cut.TOO_MANY
        if cut:
            self.count(cut)
            return cut
        self._sites.setdefault(site, _Site()).held += 1
        self._held += 1
        self._show()
        return None

    def leave(self, site: str, connection: object) -> None:
        """Counts out a connection that was admitted."""
        place = self._sites[site]
        place.waiting.pop(connection, None)
        place.held -= 1
        if not place.held:
            del self._sites[site]
        self._held -= 1
        self._show()

    def wait(self, site: str, connection: object, give_way: Callable[[], None]) -> None:
        """Notes that `connection` has no request in hand from now on. `give_way` closes it and calls `leave`."""
        self._sites[site].waiting[connection] = give_way

    def work(self, site: str, connection: object) -> None:
        """Notes that `connection` has a request in hand."""
        self._sites[site].waiting.pop(connection, None)

    def count(self, cut: Cut) -> None:
        """Counts a connection that is ended for `cut`."""
        self._metrics.connections_cut.labels(self._listener, cut).inc()

    def _make_room(self, site: str) -> bool:
        waiting = self._sites[site].waiting
        if not waiting:
            return False
        next(iter(waiting.values()))()
        self.count(Cut.GAVE_WAY)
        return True

    def _crowd(self) -> str:
        """Returns the site with the most connections that wait: whoever opens many makes room for the others."""
        return max(self._sites, key=lambda site: len(self._sites[site].waiting))

    def _show(self) -> None:
        self._metrics.connections.labels(self._listener).set(self._held)


def site_of(peer: object) -> str:
    """Returns what counts as one address: the IPv4 address, or the first 64 bits of the IPv6 address.

    `peer` is the socket's peer name; where it is none (the connection is gone already) the site is empty.
    """
    if not isinstance(peer, tuple):
        return ""
    address = ip_address(str(peer[0]).partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(IPv6Network((address, _IPV6_PREFIX), strict=False).network_address)
        return str(address.ipv4_mapped)
    return str(address)
