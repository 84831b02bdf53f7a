"""Which addresses a submitted URL may lead to: the network inside is out of reach (SSRF)."""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from aiohttp import AddrInfoType

_NAT64 = ip_network("64:ff9b::/96")  # RFC 6052 section 2.1
_GLOBAL_UNICAST = ip_network("2000::/3")  # RFC 4291 section 2.4
_NEVER = tuple(
    map(
        ip_network,
        (
            "192.0.0.0/24",  # RFC 6890: IETF protocols; older Pythons call it global
            "192.88.99.0/24",  # RFC 7526: 6to4 relays, given up
            "168.63.129.16/32",  # Azure's own host services, on a public address that only its machines reach
            "2001::/32",  # RFC 4380: Teredo leads to the IPv4 address that it holds
            "3fff::/20",  # RFC 9637: documentation
        ),
    )
)


class BlockedAddressError(OSError):
    """The address is not one that a document may lead to."""


class AddressPolicy:
    """Permits globally routable unicast addresses, and those in `allow_networks` (CIDR, as `10.0.0.0/8`).

    Raises:
        ValueError: one of `allow_networks` is not a network.
    """

    def __init__(self, allow_networks: Sequence[str] = ()) -> None:
        self._allowed = tuple(ip_network(network) for network in allow_networks)

    def permits(self, address: str) -> bool:
        """Tells whether `address`, in any notation of `ipaddress`, may be dialled."""
        try:
            target = _embedded(ip_address(address))
        except ValueError:
            return False
        return any(target in network for network in self._allowed) or _is_public(target)

    def open_socket(self, addr_info: AddrInfoType) -> socket.socket:
        """Returns a socket for `addr_info`, the address about to be dialled: a name's answer cannot change after this.

        Raises:
            BlockedAddressError: the address is not permitted. Being an OSError it passes through aiohappyeyeballs,
                which loses other exceptions.
        """
        family, kind, protocol, _, destination = addr_info
        if not self.permits(str(destination[0])):
            raise BlockedAddressError(f"{destination[0]} is not a public address")
        return socket.socket(family, kind, protocol)


def _embedded(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """Returns the IPv4 address that packets to this IPv6 address end up at, if there is one."""
    if isinstance(address, IPv4Address):
        return address
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address.ipv4_mapped or address.sixtofour or address


def _is_public(address: IPv4Address | IPv6Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    special = address.is_multicast or address.is_reserved or any(address in network for network in _NEVER)
    return address.is_global and not special
