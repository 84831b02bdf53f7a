"""Resolves names to permitted addresses."""

import socket
from collections.abc import Sequence

from aiohttp import AsyncResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from workers.fetch.addresses import AddressPolicy


class GuardedResolver(AbstractResolver):
    """Resolves names to the addresses that `policy` permits. `nameservers` replace the system's.

    The client connects to these addresses: there is no second look-up, which could return others.
    """

    def __init__(self, policy: AddressPolicy, nameservers: Sequence[str] = ()) -> None:
        self._policy = policy
        self._resolver = AsyncResolver(nameservers=nameservers) if nameservers else AsyncResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Returns the permitted addresses of `host`, one or more.

        Raises:
            BlockedAddressError, BlockedPortError: none of its addresses is permitted.
            OSError: it has no address.
        """
        # c-ares resolves localhost and names below it (RFC 6761 section 6.3), but not with a dot at the end.
        name = host.removesuffix(".") if host.endswith("localhost.") else host
        found = await self._resolver.resolve(name, port, family)
        permitted = [result for result in found if self._policy.permits(result["host"], port)]
        if not permitted:
            self._policy.check(found[0]["host"], port)
        return permitted

    async def close(self) -> None:
        """Cancels look-ups that are under way."""
        await self._resolver.close()
