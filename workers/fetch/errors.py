"""Errors of aiohttp and the system as reasons: translated once, here."""

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
