"""Rules of a submission that types cannot express. Each returns the value or its standard form, or raises an error."""

import re
from datetime import date, datetime
from typing import Final, NoReturn, TypeVar

from pydantic import ValidationInfo
from pydantic_core import PydanticCustomError

from contract.binary import is_binary
from contract.urls import UrlError, standard_url

_T = TypeVar("_T")

MAX_URL_CHARS: Final = 2048  # chosen: what common servers and proxies accept, and longer than URLs of articles

_MANY = 64  # members of an object or array; chosen: no valid one has as many, so pydantic need not check each member

# C0 and DEL but for tab, LF and CR. C1 (U+0080 to U+009F) may be letters that were decoded wrongly.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_BREAK = re.compile(r"[\t\n\v\f\r]+")
_VISIBLE = re.compile(r"[^\s\x00-\x1f\x7f\u200b-\u200d\u2060\ufeff]")
_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]+")
_DATE_TIME = re.compile(r"[0-9W-]{7,10}([T ][0-9:.,]+(Z|[+-][0-9:]+)?)?", re.IGNORECASE)
_DATE_MESSAGE = "must be an existing ISO 8601 date or date-time, as 2024-10-19 or 2024-10-19T08:30:00Z"


POSITION: Final = "position"
"""What pydantic's context calls the place of a fault within a value."""


def refuse(rule: str, message: str) -> NoReturn:
    """Raises the error that pydantic reports as a fault with `rule` and `message`."""
    raise PydanticCustomError(rule, message)


def refuse_at(position: int, rule: str, message: str) -> NoReturn:
    """Raises as `refuse`, for a fault that begins at the character `position` of the value, from 1."""
    raise PydanticCustomError(rule, "{message}", {"message": message, POSITION: position})


def without_controls(value: str) -> str:
    """Returns `value` if it holds no control characters but tab, LF and CR."""
    if found := _CONTROL.search(value):
        refuse("control_character", f"holds control character U+{ord(found[0]):04X} at character {found.start()}")
    return value


def holds_controls(value: str) -> bool:
    """Returns True if `value` holds control characters other than tab, LF and CR."""
    return _CONTROL.search(value) is not None


def visible_ascii(value: str) -> str:
    """Returns `value` if it holds visible ASCII characters only, at least one."""
    if not _VISIBLE_ASCII.fullmatch(value):
        refuse("visible_ascii", "must be visible ASCII characters")
    return value


def spaced(value: str) -> str:
    """Returns `value` on one line: white space becomes a space, other control characters are removed."""
    return _CONTROL.sub("", _BREAK.sub(" ", value))


def is_text(value: str, info: ValidationInfo[int | None]) -> str:
    """Returns `value` if it is text; stray control characters are allowed.

    The context is the size in bytes of the JSON that held it, None if it came in another form.
    """
    if is_binary(value, info.context):
        refuse("binary", "is no text: more than 5 % of it are control characters or bytes that no charset knows")
    return value


def filled(value: str) -> str:
    """Returns `value` if it holds more than white space."""
    if _VISIBLE.search(value) is None:
        refuse("empty", "must hold more than white space")
    return value


def fetchable(value: str) -> str:
    """Returns the normal form of an absolute http or https URL with a host and without credentials."""
    try:
        return standard_url(value)
    except UrlError as error:
        refuse(error.rule, str(error))


def short_url(value: str) -> str:
    """Returns `value`, a URL in normal form, if it has at most MAX_URL_CHARS characters: encoding makes it longer."""
    if len(value) > MAX_URL_CHARS:
        refuse("url_too_long", f"must have at most {MAX_URL_CHARS} characters in its normal form")
    return value


def standard_language(value: str) -> str:
    """Returns the standard form of a BCP 47 language tag."""
    import langcodes  # noqa: PLC0415 - 2.6 MB of tables, which few submissions need

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
    """Returns `value` unless it is an object or array of so many members that checking them would take too long."""
    if isinstance(value, dict | list) and len(value) > _MANY:
        refuse("too_many", f"has far too many members: {len(value)}")
    return value
