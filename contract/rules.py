"""Rules of a submission that types cannot express. Each returns the value, or its standard form, or refuses it."""

import re
from datetime import date, datetime
from ipaddress import AddressValueError, IPv6Address
from typing import NoReturn, TypeVar
from urllib.parse import urlsplit

import langcodes
from pydantic_core import PydanticCustomError
from yarl import URL

_T = TypeVar("_T")

_MANY = 64  # chosen: no valid object or array has as many members, and beyond it faults are not listed one by one

# C0 and DEL but for tab, LF and CR. C1 (U+0080 to U+009F) is let through: text that was decoded wrongly is full of it,
# and repairing that needs the original characters.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_VISIBLE = re.compile(r"[^\s\u200b-\u200d\u2060\ufeff]")
_URL_GAP = re.compile(r"[\x00-\x20\x7f\s]")
_HOST_NAME = re.compile(r"(?=.{1,254}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\.?", re.IGNORECASE)
_DATE_TIME = re.compile(r"[0-9W-]{7,10}([T ][0-9:.,]+(Z|[+-][0-9:]+)?)?", re.IGNORECASE)
_DATE_MESSAGE = "must be an existing ISO 8601 date or date-time, as 2024-10-19 or 2024-10-19T08:30:00Z"


def refuse(rule: str, message: str) -> NoReturn:
    """Raises the error that pydantic reports as a fault with `rule` and `message`."""
    raise PydanticCustomError(rule, message)


def without_controls(value: str) -> str:
    """Returns `value` if it holds no control characters but tab, LF and CR."""
    if found := _CONTROL.search(value):
        refuse("control_character", f"holds control character U+{ord(found[0]):04X} at character {found.start()}")
    return value


def filled(value: str) -> str:
    """Returns `value` if anything in it can be seen."""
    if _VISIBLE.search(value) is None:
        refuse("empty", "must hold more than white space")
    return value


def fetchable(value: str) -> str:
    """Returns `value` if it is an absolute http or https URL that names a host, and nobody's password."""
    if _URL_GAP.search(value):
        refuse("url_space", "must not hold spaces or control characters")
    try:
        scheme, authority = urlsplit(value)[:2]
        url = URL(value)
        host = url.raw_host if url.host else ""  # .host decodes IDNA, which can fail
    except ValueError:
        refuse("url_invalid", "is not a URL")
    if scheme not in {"http", "https"}:
        refuse("url_scheme", "must be an absolute URL that starts with http:// or https://")
    if "@" in authority:
        refuse("url_userinfo", "must not hold a user name or password")
    if not _names_host(host or ""):
        refuse("url_host", "must name a host")
    if url.port == 0:
        refuse("url_port", "must not name port 0")
    return value


def _names_host(host: str) -> bool:
    if _HOST_NAME.fullmatch(host):
        return True
    try:
        return IPv6Address(host).scope_id is None  # a zone means something on the sender's machine only
    except AddressValueError:
        return False


def standard_language(value: str) -> str:
    """Returns the standard form of a BCP 47 language tag."""
    try:
        tag = langcodes.standardize_tag(value)
        valid = langcodes.tag_is_valid(tag)
    except ValueError:
        valid = False
    if not valid:
        refuse("language", "must be a BCP 47 language tag, as en or pt-BR")
    return tag


def standard_date(value: str) -> str:
    """Returns an ISO 8601 date or date-time in its usual form."""
    if not _DATE_TIME.fullmatch(value):
        refuse("date", _DATE_MESSAGE)
    parse = datetime if any(mark in value for mark in "Tt ") else date
    try:
        return parse.fromisoformat(value).isoformat()
    except ValueError:
        refuse("date", _DATE_MESSAGE)


def distinct(values: tuple[_T, ...]) -> tuple[_T, ...]:
    """Returns `values` in their order, each once."""
    return tuple(dict.fromkeys(values))


def refuse_many(value: object) -> object:
    """Returns `value` unless it is an object or array of so many members that checking them would take long."""
    if isinstance(value, dict | list) and len(value) > _MANY:
        refuse("too_many", f"has far too many members: {len(value)}")
    return value
