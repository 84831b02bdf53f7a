"""Explains in one line why RabbitMQ cannot be reached or refuses us, and what to do. The line has no password.

AMQP 0-9-1 gives the same answer to very different faults, and the libraries wrap it once more. So the cause (address,
TLS, credentials, virtual host or permissions) is derived from the chain of exceptions.
"""

import asyncio
import re
import socket
import ssl
import traceback
from collections.abc import Iterator
from contextlib import suppress

from aiormq import spec
from aiormq.exceptions import AuthenticationError, ProbableAuthenticationError
from yarl import URL

from contract.labels import SessionLoss
from runtime import amqp_tls

_SETTING = "COPYDESK_AMQP_URL"
_PROBE_TIMEOUT_S = 2.0  # chosen: the port has just answered, so a TLS handshake needs no longer
_CUT = (ConnectionResetError, BrokenPipeError, asyncio.IncompleteReadError)
_GRANT = "rabbitmqctl set_permissions -p '{vhost}' '{user}' '.*' '.*' '.*'"
_REFUSED = re.compile(r"vhost '(?P<vhost>[^']*)' refused for user '(?P<user>[^']*)'")


async def explained(error: BaseException, url: URL, *, vhost: str, timeout_s: float) -> tuple[SessionLoss, str]:
    """Returns the cause why the connection to `url` failed with `error`, and a line that says what to do.

    It may open one more connection to find out: a TLS port closes a connection that speaks plain AMQP without an
    answer.
    """
    address = f"{url.host}:{url.port or (5671 if _is_tls(url) else 5672)}"
    errors = list(_chain(error))
    if _is_tls(url) and any(isinstance(cause, _CUT) for cause in errors):
        errors = [*await _alert(url), *errors]
    for cause in errors:
        found = _of_address(cause, url, address, timeout_s) or _of_tls(cause, url, address)
        if found is not None:
            return found
    if any(isinstance(cause, ProbableAuthenticationError | AuthenticationError) for cause in errors):
        if url.query.get("auth", "").lower() == "external":
            return SessionLoss.CREDENTIALS_REFUSED, (
                f"RabbitMQ at {address} does not log in the client certificate: enable rabbitmq_auth_mechanism_ssl and"
                f" auth_mechanisms EXTERNAL there, and make a user of the certificate's name"
            )
        return SessionLoss.CREDENTIALS_REFUSED, (
            f"RabbitMQ at {address} does not know the user {url.user}, or refuses its password: correct {_SETTING}"
        )
    message = _message_at_open(errors)
    if message is not None:
        named = _REFUSED.search(message)  # with a certificate, the URL has no user
        return _of_vhost(message, named["user"] if named else url.user or "guest", vhost)
    if not _is_tls(url) and await _speaks_tls(url):
        return SessionLoss.TLS_FAILED, f"{address} speaks TLS: use amqps:// in {_SETTING}, or the port without TLS"
    return SessionLoss.UNREACHABLE, (
        f"{address} closed the connection or sent no AMQP: correct the port in {_SETTING}, if RabbitMQ there is not"
        f" just starting or stopping"
    )


def permission_refused(message: str) -> str:
    """Returns a line about a refused operation; `message` is what the broker says."""
    named = _REFUSED.search(message)
    remedy = _GRANT.format(**named.groupdict()) if named else "see rabbitmqctl set_permissions"
    return f"{message.strip()}: grant it, {remedy}"


def _of_address(cause: BaseException, url: URL, address: str, timeout_s: float) -> tuple[SessionLoss, str] | None:
    match cause:
        case socket.gaierror():
            why = f"the host {url.host} has no address ({cause.strerror}): correct it in {_SETTING}"
        case ConnectionRefusedError():
            why = f"nothing listens on {address}: start RabbitMQ, or correct host and port in {_SETTING}"
        case TimeoutError():
            why = f"{address} does not answer within {timeout_s:g} s: correct host and port in {_SETTING}"
        case OSError(errno=int()) if not isinstance(cause, ssl.SSLError | FileNotFoundError | ConnectionResetError):
            why = f"no connection to {address} ({cause.strerror or type(cause).__name__}): correct {_SETTING}"
        case _:
            return None
    return SessionLoss.UNREACHABLE, why


def _of_tls(cause: BaseException, url: URL, address: str) -> tuple[SessionLoss, str] | None:
    match cause:
        case ssl.SSLCertVerificationError():
            why = _of_certificate(cause, url, address)
        case ssl.SSLError() if "ALERT" in (cause.reason or "") and "VERSION" not in (cause.reason or ""):
            why = _of_own_certificate(cause.reason or "", url, address)
        case ssl.SSLError():
            why = f"no TLS with {address} ({cause.reason}): use amqp:// in {_SETTING}, or the port with TLS"
        case FileNotFoundError():
            why = f"a file for TLS is not there: correct {', '.join(amqp_tls.NAMES.values())}, or {_SETTING}"
        case ConnectionResetError() if _is_tls(url):
            why = f"no TLS with {address} (connection reset): use amqp:// in {_SETTING}, or the port with TLS"
        case _:
            return None
    return SessionLoss.TLS_FAILED, why


def _of_certificate(cause: ssl.SSLCertVerificationError, url: URL, address: str) -> str:
    """Returns what is wrong with RabbitMQ's certificate. The numbers are those of OpenSSL, x509_vfy.h."""
    said = f"the certificate of {address}"
    match cause.verify_code:
        case 9:  # X509_V_ERR_CERT_NOT_YET_VALID
            return f"{said} is not valid yet: correct the clock of this machine, or the certificate"
        case 10:  # X509_V_ERR_CERT_HAS_EXPIRED
            return (
                f"{said}, or its authority's, has expired: renew it on RabbitMQ, or correct the clock of this machine"
            )
        case 62 | 64:  # X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH
            return f"{said} is for another name ({cause.verify_message}): name the host in {_SETTING} as it has it"
        case _:
            ca = amqp_tls.NAMES["cafile"]
            named = (
                f"correct {ca}, which does not have its authority" if "cafile" in url.query else f"name it with {ca}"
            )
            return f"{said} is of an authority that is not trusted ({cause.verify_message}): {named}"


def _of_own_certificate(reason: str, url: URL, address: str) -> str:
    """Returns why RabbitMQ refuses our certificate: it ends the handshake with an alert (RFC 8446, section 6.2)."""
    setting = amqp_tls.NAMES["certfile"]
    if "certfile" not in url.query:
        return f"{address} wants a client certificate ({reason}): set {setting} and {amqp_tls.NAMES['keyfile']}"
    return (
        f"{address} refuses the client certificate ({reason}): renew it, or correct {setting} or what RabbitMQ trusts"
    )


def _of_vhost(message: str, user: str, vhost: str) -> tuple[SessionLoss, str]:
    if "access to vhost" in message:
        return SessionLoss.PERMISSION_REFUSED, (
            f"the user {user} may not use the virtual host {vhost}: grant it, {_GRANT.format(vhost=vhost, user=user)}"
        )
    if "connection limit" in message and "user" in message:
        return SessionLoss.CREDENTIALS_REFUSED, (
            f"the user {user} has as many connections as it may ({message}): close some, or rabbitmqctl set_user_limits"
        )
    return SessionLoss.VHOST_REFUSED, (
        f"RabbitMQ does not open the virtual host {vhost} ({message}): correct {_SETTING},"
        f" or rabbitmqctl add_vhost '{vhost}'"
    )


def _message_at_open(errors: list[BaseException]) -> str | None:
    """Returns RabbitMQ's message if it closed the connection instead of opening the virtual host.

    aiormq 7.2 leaves that text out of its own message; it is in the stack frame in which aiormq raised.
    """
    for error in errors:
        for frame, _ in traceback.walk_tb(error.__traceback__):
            answer = frame.f_locals.get("frame")
            if isinstance(answer, spec.Connection.Close):
                return str(answer.reply_text)
    return None


async def _alert(url: URL) -> list[BaseException]:
    """Returns the alert with which RabbitMQ refuses our certificate, if it does.

    It comes after our side of the handshake (TLS 1.3). If we have sent something by then, a reset may overtake it, so
    this connection sends nothing.
    """
    with suppress(TimeoutError):
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            try:
                context = ssl.create_default_context(cafile=url.query.get("cafile"))
                if "certfile" in url.query:
                    context.load_cert_chain(url.query["certfile"], url.query.get("keyfile"))
                reader, writer = await asyncio.open_connection(url.host, url.port or 5671, ssl=context)
                try:
                    await reader.read(1)
                finally:
                    writer.transport.abort()
            except OSError as error:
                return [error]
    return []


async def _speaks_tls(url: URL) -> bool:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE  # nothing is sent: this only checks whether the port speaks TLS at all
    with suppress(OSError, TimeoutError):
        async with asyncio.timeout(_PROBE_TIMEOUT_S):
            _, writer = await asyncio.open_connection(url.host, url.port or 5672, ssl=context)
            writer.transport.abort()
            return True
    return False


def _is_tls(url: URL) -> bool:
    return url.scheme == "amqps"


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yields the chain of causes of `error`, the deepest first, `error` last."""
    seen: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and at not in seen:
        seen.append(at)
        at = at.__cause__ or at.__context__
    yield from reversed(seen)
