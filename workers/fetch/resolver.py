"""Names to addresses: those that may be dialled."""

import socket
from collections.abc import Sequence

from aiohttp import AsyncResolver
from aiohttp.abc import AbstractResolver, ResolveResult

from workers.fetch.addresses import AddressPolicy


class GuardedResolver(AbstractResolver):
    """Resolves names to the addresses that `policy` permits. `nameservers` are asked instead of the system's.

    What it returns is dialled as it is: there is no second look-up that could answer otherwise.
    """

    def __init__(self, policy: AddressPolicy, nameservers: Sequence[str] = ()) -> None:
        self._policy = policy
        self._resolver = AsyncResolver(nameservers=nameservers) if nameservers else AsyncResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Returns the permitted addresses of `host`, one or more.

        Raises:
            BlockedAddressError, BlockedPortError: it has others alone.
            OSError: it has none.
        """
        # c-ares knows the names of this machine (RFC 6761 section 6.3), but not as absolute ones.
        name = host.removesuffix(".") if host.endswith("localhost.") else host
        found = await self._resolver.resolve(name, port, family)
        permitted = [result for result in found if self._policy.permits(result["host"], port)]
        if not permitted:
            self._policy.check(found[0]["host"], port)
        return permitted

    async def close(self) -> None:
        """Gives up what is being asked."""
        await self._resolver.close()
