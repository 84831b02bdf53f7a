"""Parses and checks the values of options. Typer reports an error that is raised here in one line."""

import re
from ipaddress import ip_address

import typer
from yarl import URL

from contract.batches import MAX_NAME_CHARS
from contract.batches import NAME as BATCH_NAME
from contract.keys import NAME, is_id
from contract.webhooks import is_secret
from runtime import amqp_url as amqp
from runtime import ledger_url as ledger

_HOST_NAME = re.compile(r"(?=.{1,253}\Z)[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_-]{1,63})*\.?")
_KEY = re.compile(r"[!-~]+")
_TOPIC = re.compile(r"(?=.{1,255}\Z)(\*|#|[^.*#\s]+)(\.(\*|#|[^.*#\s]+))*")
_LETTER_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")  # as `contract.dead` makes them
_OFFSET = re.compile(r"[0-9]{1,18}|oldest")


def server_url(value: str) -> str:
    """Returns the URL of a server: scheme, host and port.

    Raises:
        BadParameter: `value` is not such a URL.
    """
    try:
        url = URL(value)
        _ = url.port
    except ValueError:
        url = URL()
    has_spaces = not value.isprintable() or " " in value
    if url.scheme not in {"http", "https"} or not url.raw_host or has_spaces:
        raise typer.BadParameter("it must look like http://127.0.0.1:8080, or https:// for TLS")
    if url.path not in {"", "/"} or url.query_string or url.fragment:
        raise typer.BadParameter("it must end after host and port, like http://127.0.0.1:8080")
    if url.user is not None or url.password is not None:
        raise typer.BadParameter("it must not hold a user or password: give an API key with --api-key")
    return value


def webhook_url(value: str) -> str:
    """Returns the URL of a receiver of webhooks, which may have a path.

    Raises:
        BadParameter: `value` is not such a URL.
    """
    try:
        url = URL(value)
        _ = url.port
    except ValueError:
        url = URL()
    if url.scheme not in {"http", "https"} or not url.raw_host or not value.isprintable() or " " in value:
        raise typer.BadParameter("it must look like http://127.0.0.1:9000/path, or https:// for TLS")
    if url.user is not None or url.password is not None:
        raise typer.BadParameter("it must not hold a user or password")
    return value


def webhook_secret(value: str) -> str:
    """Returns the secret of a webhook.

    Raises:
        BadParameter: `value` is none; it is not repeated.
    """
    if not is_secret(value):
        raise typer.BadParameter("a webhook's secret is whsec_ and 24 to 64 bytes in base64")
    return value


def queue(value: str) -> str:
    """Returns the name of a queue.

    Raises:
        BadParameter: RabbitMQ has no queue with such a name.
    """
    if not value or not value.isprintable() or len(value.encode(errors="replace")) > 255:  # noqa: PLR2004 - AMQP's short strings
        raise typer.BadParameter("a queue has a name of 1 to 255 bytes, without line breaks")
    return value


def amqp_url(value: str) -> str:
    """Returns the URL of a RabbitMQ broker.

    Raises:
        BadParameter: `value` is not such a URL. The message leaves it out, because it holds a password.
    """
    fault = amqp.fault_of(value)
    if fault is not None:
        raise typer.BadParameter(fault)
    return value


def ledger_url(value: str) -> str:
    """Returns the URL of the ledger's database.

    Raises:
        BadParameter: `value` is not such a URL. The message leaves it out, because it may hold a password.
    """
    fault = ledger.fault_of(value)
    if fault is not None:
        raise typer.BadParameter(fault)
    return value


def listen_host(value: str) -> str:
    """Returns an address or a name to listen on.

    Raises:
        BadParameter: `value` is neither, but a URL for example.
    """
    try:
        ip_address(value)
    except ValueError:
        if not _HOST_NAME.fullmatch(value) or value.replace(".", "").isdecimal():
            raise typer.BadParameter("it must be an address or a name, such as 127.0.0.1 or localhost") from None
    return value


def api_key(value: str) -> str:
    """Returns a bearer token.

    Raises:
        BadParameter: no header can hold `value`. The message leaves it out, because it is a secret.
    """
    if not _KEY.fullmatch(value):
        raise typer.BadParameter("a key consists of visible ASCII characters without spaces")
    return value


def topic(value: str) -> str:
    """Returns a topic pattern as AMQP 0-9-1 defines it.

    Raises:
        BadParameter: `value` is not a pattern.
    """
    if not _TOPIC.fullmatch(value) or len(value.encode()) > 255:  # noqa: PLR2004 - AMQP's short strings
        raise typer.BadParameter(
            "it must be words separated by dots, at most 255 characters; * and # must be whole words"
        )
    return value


def event_filter(value: str) -> str:
    """Returns a filter of events.

    Raises:
        BadParameter: `value` is no filter. The message says where its fault is.
    """
    from contract.filters import Filter, FilterError

    try:
        return str(Filter.parse(value))
    except FilterError as error:
        raise typer.BadParameter(f"character {error.position}: {error}") from None


def offset(value: str) -> str:
    """Returns an offset of the log, or `oldest`.

    Raises:
        BadParameter: `value` is neither.
    """
    if not _OFFSET.fullmatch(value):
        raise typer.BadParameter("it must be a whole number, or oldest")
    return value


def label(value: str) -> str:
    """Returns a label as `KEY=VALUE`.

    Raises:
        BadParameter: `value` has no key or no =, or is not UTF-8.
    """
    name, equals, _ = value.partition("=")
    if not name or not equals:
        raise typer.BadParameter("it must be KEY=VALUE")
    if not is_utf8(value):
        raise typer.BadParameter("it must be UTF-8")
    return value


def batch(value: str) -> str:
    """Returns the name of a batch.

    Raises:
        BadParameter: no batch can have such a name.
    """
    if not BATCH_NAME.fullmatch(value):
        raise typer.BadParameter(f"it must have 1 to {MAX_NAME_CHARS} characters of UTF-8, none a control character")
    return value


def is_utf8(argument: str) -> bool:
    """Returns True if the bytes of an argument are UTF-8. Python decodes other bytes as lone surrogates."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        return False
    return True


def owner(value: str) -> str:
    """Returns the name of an owner of documents.

    Raises:
        BadParameter: no API key can have such a name.
    """
    if not NAME.fullmatch(value):
        raise typer.BadParameter("a name has 1 to 64 of A-Z a-z 0-9 . _ -")
    return value


def key_id(value: str) -> str:
    """Returns the id of an API key.

    Raises:
        BadParameter: no key can have such an id. The message leaves it out: it may be a whole key.
    """
    if not is_id(value):
        raise typer.BadParameter("the id of a key has 16 of 0-9 a-f: see copydesk keys list")
    return value


def letter_id(value: str) -> str:
    """Returns the id of a dead letter, or its first characters.

    Raises:
        BadParameter: no letter can have such an id.
    """
    if not _LETTER_ID.fullmatch(value):
        raise typer.BadParameter("an id consists of at most 100 letters, digits and . _ ~ -")
    return value
