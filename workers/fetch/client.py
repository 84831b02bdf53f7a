"""The HTTP client for pages and robots.txt. It connects only to permitted addresses."""

import ssl
from itertools import chain
from types import TracebackType
from typing import Self

from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.addresses import AddressPolicy
from workers.fetch.coding import ACCEPT_ENCODING
from workers.fetch.errors import FOREIGN, translated
from workers.fetch.limits import FetchLimits, Reach
from workers.fetch.proxy import ProxyWay, Request
from workers.fetch.resolver import GuardedResolver
from workers.fetch.timeouts import Timeouts

_PLAIN = Request()
_ACCEPT = "text/html,application/xhtml+xml,text/plain;q=0.8,text/markdown;q=0.8,*/*;q=0.1"


class GuardedClient:
    """Makes requests over one connection pool. Keeps no cookies, and reads nothing from the environment.

    Raises:
        ValueError: one of `reach.allow_networks` is not a network.
    """

    def __init__(self, limits: FetchLimits, reach: Reach) -> None:
        self._limits = limits
        self._late = f"no complete header within {limits.first_byte_timeout_s:g} s"
        self._reach = reach
        self._addresses = AddressPolicy(reach.allow_networks, reach.allow_ports)
        self._resolver: GuardedResolver
        self._session: ClientSession
        self._way: ProxyWay | None

    async def __aenter__(self) -> Self:
        """Opens the connection pool, which is empty at first."""
        reach = self._reach
        self._resolver = GuardedResolver(self._addresses, reach.nameservers)
        self._way = ProxyWay(reach.proxy, self._resolver, self._addresses) if reach.proxy else None
        self._session = ClientSession(
            connector=TCPConnector(
                socket_factory=None if reach.proxy else self._addresses.open_socket,
                # With a proxy, aiohttp connects to it alone, at any address; ProxyWay checks the addresses of hosts.
                resolver=None if reach.proxy else self._resolver,
                ssl=_trust(reach),
                limit=0,
            ),
            timeout=ClientTimeout(total=None, connect=self._limits.connect_timeout_s),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": reach.user_agent, "Accept": _ACCEPT, "Accept-Encoding": ACCEPT_ENCODING},
            auto_decompress=False,
            max_line_size=self._limits.max_header_bytes,
            max_field_size=self._limits.max_header_bytes,
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Closes all connections."""
        await self._session.close()
        await self._resolver.close()

    async def ask(self, url: URL, timeouts: Timeouts) -> "PendingResponse":
        """Returns the answer to GET `url` once its header has come. The caller uses it as a context manager.

        `url` comes from `urls.checked_url`. `timeouts` is open; the limit for the header is set on it.

        Raises:
            HostFailed: there is no connection to the host.
            Failed: the answer is not HTTP, too long, late, or breaks off.
        """
        timeouts.expect(self._limits.first_byte_timeout_s, Reason.FIRST_BYTE_TIMEOUT, self._late)
        try:
            asked, how = (url, _PLAIN) if self._way is None else await self._way.request(url)
            response = await self._session.get(asked, allow_redirects=False, **how)
        except FOREIGN as error:
            raise translated(error) from None
        if sum(map(len, chain.from_iterable(response.raw_headers))) > self._limits.max_header_bytes:
            response.close()
            raise Failed(Reason.HEADERS_TOO_LARGE, f"more than {self._limits.max_header_bytes} bytes of header")
        return PendingResponse(response)


class PendingResponse:
    """An answer whose body is not read yet. On exit the connection is closed, unless the body was read to its end.

    Raises:
        Failed: for what aiohttp raises while the body is read.
    """

    __slots__ = ("_response",)

    def __init__(self, response: ClientResponse) -> None:
        self._response = response

    def __enter__(self) -> ClientResponse:
        return self._response

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        self._response.close()
        if isinstance(error, FOREIGN):
            raise translated(error) from None


def _trust(reach: Reach) -> ssl.SSLContext | bool:
    if reach.ca_file is None:
        return True
    context = ssl.create_default_context()
    context.load_verify_locations(reach.ca_file)
    return context
