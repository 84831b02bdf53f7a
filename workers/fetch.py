"""Fetches a submitted URL: bounded in time, size and redirects, and kept out of the network inside."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from aiohttp import (
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientResponse,
    ClientSession,
    ClientSSLError,
    ClientTimeout,
    DummyCookieJar,
    InvalidURL,
    TCPConnector,
)
from yarl import URL

from contract.article import Fetched
from contract.reasons import Reason
from workers import fetch_rules as rules
from workers.addresses import AddressPolicy, BlockedAddressError
from workers.failures import Failed

_CHUNK_BYTES = 64 * 1024
_ACCEPT = "text/html,application/xhtml+xml,text/plain;q=0.8,text/markdown;q=0.8,*/*;q=0.1"


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What one fetch may take, and where it may lead.

    `total_timeout_s` spans all redirects; `connect_timeout_s` is for one connection, its name's resolution included;
    `max_body_bytes` counts after decompression; `allow_networks` are networks (CIDR) that may be reached although they
    are not public.
    """

    connect_timeout_s: float = 10.0
    total_timeout_s: float = 30.0
    max_body_bytes: int = 10 * 1024 * 1024
    max_redirects: int = 10
    allow_networks: tuple[str, ...] = ()
    user_agent: str = "copydesk"


@dataclass(frozen=True, slots=True)
class Page:
    """What a URL holds. `charset` is what the answer's header declares, as it is written there."""

    body: bytes
    charset: str | None
    fetched: Fetched


class Fetcher:
    """Fetches pages over one connection pool. Keeps no cookies, and takes nothing from the environment.

    Raises:
        ValueError: one of `limits.allow_networks` is not a network.
    """

    def __init__(self, limits: FetchLimits) -> None:
        self._limits = limits
        self._addresses = AddressPolicy(limits.allow_networks)
        self._session: ClientSession

    async def __aenter__(self) -> Self:
        """Opens the connection pool, which is empty at first."""
        self._session = ClientSession(
            connector=TCPConnector(socket_factory=self._addresses.open_socket, limit=0),
            timeout=ClientTimeout(total=None, connect=self._limits.connect_timeout_s),
            cookie_jar=DummyCookieJar(),
            headers={"User-Agent": self._limits.user_agent, "Accept": _ACCEPT},
            trust_env=False,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        """Closes all connections."""
        await self._session.close()

    async def fetch(self, url: str) -> Page:
        """Returns the page at `url`, at the end of its redirects.

        Raises:
            Failed: for any reason of the network, the server, or the kind and size of what it holds. The detail never
                quotes a body.
        """
        try:
            async with asyncio.timeout(self._limits.total_timeout_s):
                return await self._follow(rules.checked_url(url))
        except TimeoutError as late:
            raise Failed(Reason.FETCH_TIMEOUT, self._what_was_late(late)) from None
        except (ClientError, OSError, UnicodeError) as error:
            raise _translated(error) from None

    async def _follow(self, url: URL) -> Page:
        passed: list[str] = []
        while len(passed) <= self._limits.max_redirects:
            async with self._session.get(url, allow_redirects=False) as response:
                target = rules.redirect_target(url, response.status, response.headers)
                if target is None:
                    return await self._page(response, tuple(passed))
            passed.append(str(url))
            url = target
        raise Failed(Reason.TOO_MANY_REDIRECTS, f"more than {self._limits.max_redirects} redirects")

    async def _page(self, response: ClientResponse, redirects: tuple[str, ...]) -> Page:
        rules.check_status(response.status, response.headers, datetime.now(UTC))
        media_type = rules.declared_media_type(response.headers)
        body = await self._body(response)
        fetched = Fetched(
            url=str(response.url),
            status=response.status,
            media_type=media_type or rules.sniffed_media_type(body),
            redirects=redirects,
            size=len(body),
        )
        return Page(body, response.charset, fetched)

    async def _body(self, response: ClientResponse) -> bytes:
        body = bytearray()
        self._check_size(response.content_length or 0)
        async for chunk in response.content.iter_chunked(_CHUNK_BYTES):
            self._check_size(len(body) + len(chunk))
            body += chunk
        return bytes(body)

    def _check_size(self, size: int) -> None:
        if size > self._limits.max_body_bytes:
            raise Failed(Reason.TOO_LARGE, f"more than {self._limits.max_body_bytes} bytes")

    def _what_was_late(self, late: TimeoutError) -> str:
        if isinstance(late, ClientError):
            return f"no connection within {self._limits.connect_timeout_s:g} s"
        return f"not fetched within {self._limits.total_timeout_s:g} s"


def _translated(error: ClientError | OSError | UnicodeError) -> Failed:
    """Returns what an error of aiohttp or of the system means. Messages stay out: some quote what the server sent."""
    match error:
        case ClientConnectorDNSError(host=host):
            return Failed(Reason.DNS_ERROR, f"no address for {host}")
        case ClientSSLError(host=host):
            return Failed(Reason.TLS_ERROR, f"{host}: {error.os_error.__class__.__name__}")
        case ClientConnectorError(os_error=BlockedAddressError() as blocked):
            return Failed(Reason.BLOCKED_ADDRESS, str(blocked))
        case ClientConnectorError(host=host, os_error=cause):
            return Failed(Reason.CONNECT_ERROR, f"{host}: {cause.strerror or type(cause).__name__}")
        case InvalidURL() | UnicodeError():  # IDNA cannot encode every name that a URL can hold
            return Failed(Reason.INVALID_URL, "not a URL that can be asked for")
        case _:
            return Failed(Reason.CONNECT_ERROR, f"the answer broke off or is not HTTP ({type(error).__name__})")
