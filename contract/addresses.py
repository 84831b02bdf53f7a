"""Decides which addresses may be dialled: those of the public Internet, and networks that an operator lists (SSRF)."""

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

_PORTS = {"http:": 80, "https:": 443}  # RFC 9110, sections 4.2.1 and 4.2.2
_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052 section 2.1
_ISATAP = {0x0000_5EFE, 0x0200_5EFE}  # RFC 5214 section 6.1: an interface identifier that ends in an IPv4 address
_GLOBAL_UNICAST = ip_network("2000::/3")  # RFC 4291 section 2.4
_NEVER = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # RFC 6890: IETF protocols; older Pythons call it global
            "192.88.99.0/24",  # RFC 7526: 6to4 relays, deprecated
            "168.63.129.16/32",  # Azure's own host services, on a public address that only its machines reach
            "2001::/32",  # RFC 4380: Teredo tunnels to the IPv4 address in it
            "3fff::/20",  # RFC 9637: documentation
        ),
    )
)


class BlockedAddressError(OSError):
    """Documents may not be fetched from this address."""


class BlockedPortError(OSError):
    """Documents may be fetched from this address, but not at this port."""


class AddressRule:
    """Permits globally routable unicast addresses at `allow_ports`, and those in `allow_networks` (CIDR) at all ports.

    Raises:
        ValueError: one of `allow_networks` is not a network.
    """

    def __init__(self, allow_networks: Sequence[str] = (), allow_ports: Sequence[int] = (80, 443)) -> None:
        self._networks = tuple(ip_network(network) for network in allow_networks)
        self._ports = frozenset(allow_ports)

    def check(self, address: str, port: int) -> None:
        """Checks that fetches may connect to an address, in any notation of `ipaddress`, and a port.

        Raises:
            BlockedAddressError: the address is not permitted, or is not an address.
            BlockedPortError: the address is permitted, but not at this port. Both are OSErrors, because
                aiohappyeyeballs loses other exceptions.
        """
        try:
            target = _embedded(ip_address(address))
        except ValueError:
            raise BlockedAddressError(f"{address} is not an address") from None
        if any(target in network for network in self._networks):
            return
        if not _is_public(target):
            raise BlockedAddressError(f"{address} is not a public address")
        if port not in self._ports:
            raise BlockedPortError(f"port {port} is not one of the web's")

    def permits(self, address: str, port: int) -> bool:
        """Returns True if `check` accepts them."""
        try:
            self.check(address, port)
        except (BlockedAddressError, BlockedPortError):
            return False
        return True

    def check_url(self, url: str) -> None:
        """Checks the address in a URL in its normal form. A name has none: it is resolved when it is dialled.

        Raises:
            BlockedAddressError, BlockedPortError: see `check`.
        """
        from ada_url import URL  # noqa: PLC0415 - as in `urls`

        parts = URL(url)
        host = parts.hostname.strip("[]")
        try:
            ip_address(host)
        except ValueError:
            return
        self.check(host, int(parts.port or _PORTS[parts.protocol]))


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Returns the IPv4 address that packets to this IPv6 address are sent on to, or else `address`."""
    if isinstance(address, IPv4Address):
        return address
    inner = IPv4Address(int(address) & 0xFFFF_FFFF)
    if address in _NAT64:
        return inner
    if (int(address) >> 32) & 0xFFFF_FFFF in _ISATAP and not _is_public(inner):
        return inner
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    special = address.is_multicast or address.is_reserved or any(address in network for network in _NEVER)
    return address.is_global and not special
