"""The one way out: an HTTP client that dials permitted addresses alone. Pages and robots.txt are asked for by it."""

import ssl
from collections.abc import Coroutine
from itertools import chain
from types import TracebackType
from typing import Self

from aiohttp import ClientResponse, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from yarl import URL

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.addresses import AddressPolicy
from workers.fetch.coding import ACCEPT_ENCODING
from workers.fetch.errors import FOREIGN, Deadline, translated
from workers.fetch.limits import FetchLimits, Reach
from workers.fetch.proxy import ProxyWay, Request
from workers.fetch.resolver import GuardedResolver

_ACCEPT = "text/html,application/xhtml+xml,text/plain;q=0.8,text/markdown;q=0.8,*/*;q=0.1"

_NEVER = Deadline()


class GuardedClient:
    """Asks for one URL at a time over one connection pool. Keeps no cookies, and takes nothing from the environment.

    Raises:
        ValueError: one of `reach.allow_networks` is not a network.
    """

    def __init__(self, limits: FetchLimits, reach: Reach) -> None:
        self._limits = limits
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
                # With a proxy all that is dialled is the proxy, which may well be inside; ProxyWay keeps the rule.
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

    def ask(self, url: URL, deadline: Deadline = _NEVER) -> "Exchange":
        """Returns what opens the answer to GET `url`, its body unread; leaving it closes the connection.

        `url` comes from `urls.checked_url`. `async with` yields the ClientResponse.

        Raises:
            Failed: for any reason of the network or the server. Errors of reading the body are translated, too.
        """
        return Exchange(self._get(url), self._limits, deadline)

    async def _get(self, url: URL) -> ClientResponse:
        asked, how = (url, Request()) if self._way is None else await self._way.request(url)
        return await self._session.get(asked, allow_redirects=False, **how)


class Exchange:
    """A request and its answer. A class, for a generator costs a page a tenth of its time."""

    __slots__ = ("_deadline", "_limits", "_request", "_response")

    def __init__(
        self, request: Coroutine[object, object, ClientResponse], limits: FetchLimits, deadline: Deadline
    ) -> None:
        self._request = request
        self._limits = limits
        self._deadline = deadline
        self._response: ClientResponse

    async def __aenter__(self) -> ClientResponse:
        """Returns the answer when its header is there."""
        limit_s = self._limits.first_byte_timeout_s
        late = f"no complete header within {limit_s:g} s"
        try:
            async with self._deadline.within(limit_s, Reason.FIRST_BYTE_TIMEOUT, late):
                self._response = await self._request
        except FOREIGN as error:
            raise translated(error) from None
        size = sum(map(len, chain.from_iterable(self._response.raw_headers)))
        if size > self._limits.max_header_bytes:
            self._response.close()
            raise Failed(Reason.HEADERS_TOO_LARGE, f"more than {self._limits.max_header_bytes} bytes of header")
        return self._response

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Closes the connection if the body has not been read to its end."""
        self._response.close()
        if isinstance(error, FOREIGN):
            raise translated(error) from None


def _trust(reach: Reach) -> ssl.SSLContext | bool:
    if reach.ca_file is None:
        return True
    context = ssl.create_default_context()
    context.load_verify_locations(reach.ca_file)
    return context
