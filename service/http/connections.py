"""Limits the connections to a port, and chooses which connection to close when a limit is reached.

A connection either serves a request or is idle. When a limit is reached, the longest idle connection is closed for the
new one, so that idle connections do not block new clients. The new one is refused only if all are serving requests.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv6Address, IPv6Network, ip_address

from contract.labels import Cut, Listener
from contract.metrics import Metrics

_IPV6_PREFIX = (
    64  # bits of an IPv6 address that identify a site: a host chooses the other bits itself (RFC 4291, section 2.5.4)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionLimits:
    """Limits of a port: times of one connection, and numbers of connections.

    Attributes:
        first_byte_timeout_s: from connecting to the first byte of a request.
        header_timeout_s: from the first byte of a request to the end of its header.
        idle_timeout_s: from an answer to the first byte of the next request.
        send_timeout_s: for a client to read an answer, plus one second for each `least_send_bytes_s` of it.
        least_send_bytes_s: the slowest rate at which a client may read an answer, in bytes a second.
        connections: open at once, in all.
        connections_per_address: open at once from one IPv4 address or one IPv6 /64.
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
    """The connections from one address. `waiting` holds a function to close each idle one, the longest idle first."""

    held: int = 0
    waiting: dict[object, Callable[[], None]] = field(default_factory=dict)


class Connections:
    """The open connections of one port."""

    def __init__(self, limits: ConnectionLimits, metrics: Metrics, listener: Listener) -> None:
        self._limits = limits
        self._metrics = metrics
        self._listener = listener
        self._sites: dict[str, _Site] = {}
        self._held = 0

    def admit(self, site: str) -> Cut | None:
        """Counts a new connection from `site` and returns None, or returns the limit that prevents it."""
        cut = None
        if self._sites.get(site, _Site()).held >= self._limits.connections_per_address and not self._make_room(site):
            cut = Cut.TOO_MANY_FROM_ADDRESS
        elif self._held >= self._limits.connections and not self._make_room(self._most_idle_site()):
            cut = Cut.TOO_MANY
        if cut:
            self.count(cut)
            return cut
        self._sites.setdefault(site, _Site()).held += 1
        self._held += 1
        self._show()
        return None

    def leave(self, site: str, connection: object) -> None:
        """Removes an admitted connection from the count."""
        place = self._sites[site]
        place.waiting.pop(connection, None)
        place.held -= 1
        if not place.held:
            del self._sites[site]
        self._held -= 1
        self._show()

    def wait(self, site: str, connection: object, give_way: Callable[[], None]) -> None:
        """Marks `connection` as idle. `give_way` must close it and call `leave`."""
        self._sites[site].waiting[connection] = give_way

    def work(self, site: str, connection: object) -> None:
        """Marks `connection` as busy with a request."""
        self._sites[site].waiting.pop(connection, None)

    def count(self, cut: Cut) -> None:
        """Counts a connection that was closed because of `cut`."""
        self._metrics.connections_cut.labels(self._listener, cut).inc()

    def _make_room(self, site: str) -> bool:
        waiting = self._sites[site].waiting
        if not waiting:
            return False
        next(iter(waiting.values()))()
        self.count(Cut.GAVE_WAY)
        return True

    def _most_idle_site(self) -> str:
        """Returns the site with the most idle connections: a site that opens many gives way to the others."""
        return max(self._sites, key=lambda site: len(self._sites[site].waiting))

    def _show(self) -> None:
        self._metrics.connections.labels(self._listener).set(self._held)


def site_of(peer: object) -> str:
    """Returns the site of a peer: its IPv4 address, or the first 64 bits of the IPv6 address.

    `peer` is the socket's peer name. The site is empty if there is none: the connection is already closed.
    """
    if not isinstance(peer, tuple):
        return ""
    address = ip_address(str(peer[0]).partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return str(IPv6Network((address, _IPV6_PREFIX), strict=False).network_address)
        return str(address.ipv4_mapped)
    return str(address)
