"""Requests through a configured proxy. Names are resolved here, so the proxy gets an address that was checked."""

from typing import TypedDict

from aiohttp.helpers import is_ip_address
from yarl import URL

from contract.reasons import Reason
from workers.failures import HostFailed
from workers.fetch.addresses import AddressPolicy, BlockedAddressError, BlockedPortError
from workers.fetch.resolver import GuardedResolver


class Request(TypedDict, total=False):
    """Keyword arguments of an aiohttp request."""

    headers: dict[str, str]
    proxy: URL
    server_hostname: str


class ProxyWay:
    """Requests through `proxy` to the first address of a host that `policy` permits.

    The proxy gets a URL with the address; `Host` and TLS have the name. The proxy's own address may be any.
    """

    def __init__(self, proxy: URL, resolver: GuardedResolver, policy: AddressPolicy) -> None:
        self._proxy = proxy
        self._resolver = resolver
        self._policy = policy

    async def request(self, url: URL) -> tuple[URL, Request]:
        """Returns the URL to ask the proxy for, and how.

        Raises:
            HostFailed: DNS_ERROR, BLOCKED_ADDRESS, BLOCKED_PORT.
        """
        address = await self._address(url)
        authority = url.authority if url.explicit_port else url.raw_host or ""
        asked = Request(headers={"Host": authority}, proxy=self._proxy)
        if url.scheme == "https":
            asked["server_hostname"] = url.raw_host or ""
        return url.with_host(address), asked

    async def _address(self, url: URL) -> str:
        host, port = url.raw_host or "", url.port or 0
        try:
            if not is_ip_address(host):
                return (await self._resolver.resolve(host, port))[0]["host"]
            self._policy.check(host, port)
        except BlockedAddressError as blocked:
            raise HostFailed(Reason.BLOCKED_ADDRESS, str(blocked)) from None
        except BlockedPortError as blocked:
            raise HostFailed(Reason.BLOCKED_PORT, str(blocked)) from None
        except OSError:
            raise HostFailed(Reason.DNS_ERROR, f"no address for {host}") from None
        return host
