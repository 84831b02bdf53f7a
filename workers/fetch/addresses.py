"""Opens sockets to permitted addresses only. Internal networks are blocked (SSRF)."""

import socket

from aiohttp import AddrInfoType

from contract.addresses import AddressRule, BlockedAddressError, BlockedPortError

__all__ = ["AddressPolicy", "BlockedAddressError", "BlockedPortError"]


class AddressPolicy(AddressRule):
    """The rule for addresses, with sockets that keep it."""

    def open_socket(self, addr_info: AddrInfoType) -> socket.socket:
        """Returns a socket for `addr_info` after a check of this address: DNS cannot change it any more.

        Raises:
            BlockedAddressError, BlockedPortError: see `check`.
        """
        family, kind, protocol, _, destination = addr_info
        self.check(str(destination[0]), int(destination[1]))
        return socket.socket(family, kind, protocol)
