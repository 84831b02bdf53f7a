"""Errors of aiohttp and the system as reasons: translated once, here."""

import asyncio
import math
from dataclasses import dataclass
from types import TracebackType

from aiohttp import (
    ClientConnectorCertificateError,
    ClientConnectorDNSError,
    ClientConnectorError,
    ClientError,
    ClientHttpProxyError,
    ClientPayloadError,
    ClientProxyConnectionError,
    ClientResponseError,
    ClientSSLError,
    ConnectionTimeoutError,
    InvalidURL,
    ServerDisconnectedError,
)

from contract.reasons import Reason
from workers.failures import Failed
from workers.fetch.addresses import BlockedAddressError, BlockedPortError

FOREIGN = (ClientError, OSError, UnicodeError)
"""What aiohttp raises. UnicodeError: IDNA cannot encode every name that a URL can hold."""

_TOO_LARGE = ("Got more than", "Too many headers")  # aiohttp's parser in C tells it in words alone


class within:  # noqa: N801 - it is used as a function, and being none costs a page a tenth of its time
    """Bounds what is done inside to `seconds`.

    Raises:
        Failed: with `reason` and `detail`; they are over.
    """

    __slots__ = ("_failed", "_timeout")

    def __init__(self, seconds: float, reason: Reason, detail: str) -> None:
        self._failed = (reason, detail)
        self._timeout = asyncio.timeout(seconds)

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, frames: TracebackType | None
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, frames)
        except TimeoutError:
            raise Failed(*self._failed) from None


@dataclass(frozen=True, slots=True)
class Deadline:
    """When a whole fetch must be done, by the event loop's clock. Looked at where something is waited for."""

    at_s: float = math.inf

    @classmethod
    def in_seconds(cls, seconds: float) -> "Deadline":
        """Returns the deadline that is `seconds` away."""
        return cls(asyncio.get_running_loop().time() + seconds)

    def within(self, seconds: float, reason: Reason, detail: str) -> within:
        """Returns `within` for `seconds`, or with FETCH_TIMEOUT for what is left, if that is less."""
        left_s = self.at_s - asyncio.get_running_loop().time()
        if left_s < seconds:
            return within(max(0.0, left_s), Reason.FETCH_TIMEOUT, "the time for all of the fetch is over")
        return within(seconds, reason, detail)


def translated(error: BaseException) -> Failed:
    """Returns what an error of aiohttp or of the system means. Messages stay out: some quote what the server sent."""
    match error:
        case ConnectionTimeoutError():
            return Failed(Reason.CONNECT_TIMEOUT, "no connection in time")
        case ClientHttpProxyError(status=status):
            return Failed(Reason.CONNECT_ERROR, f"the proxy answers {status}")
        case ClientProxyConnectionError():
            return Failed(Reason.CONNECT_ERROR, "no connection to the proxy")
        case ClientConnectorError() | ClientConnectorCertificateError():
            return _not_connected(error)
        case InvalidURL() | UnicodeError():
            return Failed(Reason.INVALID_URL, "not a URL that can be asked for")
        case _:
            return _not_answered(error)


def _not_connected(error: ClientConnectorError | ClientConnectorCertificateError) -> Failed:
    match error:
        case ClientConnectorError(os_error=BlockedAddressError() as blocked):
            return Failed(Reason.BLOCKED_ADDRESS, str(blocked))
        case ClientConnectorError(os_error=BlockedPortError() as blocked):
            return Failed(Reason.BLOCKED_PORT, str(blocked))
        case ClientConnectorDNSError(host=host):
            return Failed(Reason.DNS_ERROR, f"no address for {host}")
        case ClientConnectorCertificateError(host=host):
            return Failed(Reason.CERTIFICATE_ERROR, f"{host}: {_verification(error.certificate_error)}")
        case ClientSSLError(host=host):
            return Failed(Reason.TLS_ERROR, f"{host}: {type(error.os_error).__name__}")
        case _:
            return Failed(Reason.CONNECT_ERROR, f"{error.host}: {error.os_error.strerror or 'no connection'}")


def _verification(error: Exception) -> str:
    return str(getattr(error, "verify_message", "") or type(error).__name__)


def _not_answered(error: BaseException) -> Failed:
    match error:
        case ClientPayloadError():
            return Failed(Reason.INCOMPLETE_BODY, "the body broke off")
        case ClientResponseError(message=message) if message.startswith(_TOO_LARGE):
            return Failed(Reason.HEADERS_TOO_LARGE, "a line is too long, or there are too many")
        case ClientResponseError():
            return Failed(Reason.BAD_RESPONSE, "the answer is not HTTP")
        case ServerDisconnectedError() | ConnectionError():
            return Failed(Reason.CONNECT_ERROR, "closed without an answer")
        case _:
            return Failed(Reason.CONNECT_ERROR, f"the connection broke ({type(error).__name__})")
