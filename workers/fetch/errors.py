"""Translates errors of aiohttp and the system to reasons, with our own texts.

`detail` never contains messages of libraries: some quote the server, and most name internals of the library.
"""

import errno
import ssl
from typing import Final

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
from workers.failures import Failed, HostFailed
from workers.fetch.addresses import BlockedAddressError, BlockedPortError

FOREIGN: Final = (ClientError, OSError, UnicodeError)
"""The exceptions that aiohttp raises. UnicodeError: IDNA cannot encode every host name of a URL."""

_TOO_LARGE = ("Got more than", "Too many headers")  # messages of aiohttp's parser in C, the only sign of this error
_NOT_REACHED = {  # connect(2)
    errno.ECONNREFUSED: "the connection was refused",
    errno.ECONNRESET: "the connection was closed while it was made",
    errno.EHOSTUNREACH: "there is no way to the host",
    errno.ENETUNREACH: "there is no way to the network",
    errno.ETIMEDOUT: "no connection in time",
}
_CERTIFICATE_FAULTS = {  # OpenSSL's codes of X509_verify_cert_error_string(3)
    10: "the certificate has expired",
    9: "the certificate is not valid yet",
    18: "the certificate is signed by itself",
    19: "an authority of the certificate is not known here",
    20: "the authority of the certificate is not known here",
    21: "the authority of the certificate is not known here",
    62: "the certificate is of another name",
    64: "the certificate is of another address",
}


def translated(error: BaseException) -> Failed:
    """Returns the failure for an error of aiohttp or the system: HostFailed if there was no connection to the host."""
    match error:
        case ConnectionTimeoutError():
            return HostFailed(Reason.CONNECT_TIMEOUT, "no connection in time")
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


def _not_connected(error: ClientConnectorError | ClientConnectorCertificateError) -> HostFailed:
    match error:
        case ClientConnectorError(os_error=BlockedAddressError() as blocked):
            return HostFailed(Reason.BLOCKED_ADDRESS, str(blocked))
        case ClientConnectorError(os_error=BlockedPortError() as blocked):
            return HostFailed(Reason.BLOCKED_PORT, str(blocked))
        case ClientConnectorDNSError(host=host):
            return HostFailed(Reason.DNS_ERROR, f"no address for {host}")
        case ClientConnectorCertificateError(host=host):
            return HostFailed(Reason.CERTIFICATE_ERROR, f"{host}: {_certificate_fault(error.certificate_error)}")
        case ClientSSLError(host=host):
            return HostFailed(Reason.TLS_ERROR, f"{host}: no TLS connection can be agreed on")
        case _:
            why = _NOT_REACHED.get(error.os_error.errno or 0, "no connection")
            return HostFailed(Reason.CONNECT_ERROR, f"{error.host}: {why}")


def _certificate_fault(error: Exception) -> str:
    number = error.verify_code if isinstance(error, ssl.SSLCertVerificationError) else None
    return _CERTIFICATE_FAULTS.get(number or 0, "the certificate is not valid")


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
            return Failed(Reason.CONNECT_ERROR, "the connection broke")
