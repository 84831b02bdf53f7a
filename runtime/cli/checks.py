"""What an option's value must be, so that a slip is named at once. Typer reports what is raised here in a line."""

import re
from ipaddress import ip_address

import typer
from yarl import URL

from runtime.amqp_url import fault_of
from runtime.errors import StartError

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_-]{1,63})*\.?")
_KEY = re.compile(r"[!-~]+")
_TOPIC = re.compile(r"(?=.{1,255}\Z)(\*|#|[^.*#\s]+)(\.(\*|#|[^.*#\s]+))*")
_LETTER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")  # as `contract.dead` makes them
_OFFSET = re.compile(r"[0-9]{1,18}|oldest")


def server_url(value: str) -> str:
    """Returns the URL of a server: scheme, host and port.

    Raises:
        BadParameter: it is something else.
    """
    try:
        url = URL(value)
        _ = url.port
    except ValueError:
        url = URL()
    has_spaces = not value.isprintable() or " " in value
    if url.scheme not in {"http", "https"} or not url.host or has_spaces:
        raise typer.BadParameter("it must be as http://127.0.0.1:8080, or https:// for TLS")
    if url.path not in {"", "/"} or url.query_string or url.fragment:
        raise typer.BadParameter("it must end after host and port, as http://127.0.0.1:8080")
    if url.user is not None or url.password is not None:
        raise typer.BadParameter("it must hold no user and no password: an API key goes into --api-key")
    return value


def amqp_url(value: str) -> str:
    """Returns the URL of a RabbitMQ.

    Raises:
        BadParameter: it is something else. The value, which holds a password, is not repeated.
    """
    fault = fault_of(value)
    if fault is not None:
        raise typer.BadParameter(fault)
    return value


def ledger_url(value: str) -> str:
    """Returns the URL of the ledger's database.

    Raises:
        BadParameter: it is something else. The value, which may hold a password, is not repeated.
    """
    from runtime.ledger import database

    try:
        database.ledger_url(value)
    except StartError:
        raise typer.BadParameter("it must be as sqlite:///PATH or postgresql://user:password@host/database") from None
    return value


def listen_host(value: str) -> str:
    """Returns an address or a name to listen on.

    Raises:
        BadParameter: it is something else, such as a URL.
    """
    try:
        ip_address(value)
    except ValueError:
        if not _HOST_NAME.fullmatch(value) or value.replace(".", "").isdecimal():
            raise typer.BadParameter("it must be an address or a name, as 127.0.0.1 or localhost") from None
    return value


def api_key(value: str) -> str:
    """Returns a bearer token.

    Raises:
        BadParameter: no header can hold it. The value, which is a secret, is not repeated.
    """
    if not _KEY.fullmatch(value):
        raise typer.BadParameter("a key has visible ASCII characters alone, with no space between them")
    return value


def topic(value: str) -> str:
    """Returns a topic pattern, as AMQP 0-9-1 has it.

    Raises:
        BadParameter: it is none.
    """
    if not _TOPIC.fullmatch(value) or len(value.encode()) > 255:  # noqa: PLR2004 - AMQP's short strings
        raise typer.BadParameter("it must be words with dots between, at most 255 characters; * and # are whole words")
    return value


def offset(value: str) -> str:
    """Returns an offset of the log, or `oldest`.

    Raises:
        BadParameter: it is neither.
    """
    if not _OFFSET.fullmatch(value):
        raise typer.BadParameter("it must be a whole number, or oldest")
    return value


def label(value: str) -> str:
    """Returns a label.

    Raises:
        BadParameter: it has no name or no =.
    """
    name, equals, _ = value.partition("=")
    if not name or not equals:
        raise typer.BadParameter("it must be as KEY=VALUE")
    return value


def letter_id(value: str) -> str:
    """Returns the id of a dead letter, or the beginning of one.

    Raises:
        BadParameter: no letter has such an id.
    """
    if not _LETTER_ID.fullmatch(value):
        raise typer.BadParameter("an id has letters, digits and . _ ~ - alone, at most 100")
    return value
