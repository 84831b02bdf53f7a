"""What filters can say of an event: its fields, their values, and how these are compared."""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from ipaddress import ip_address
from typing import Any, Final

from contract.article import Flag, PageKind
from contract.events import SHORT_TYPES, host_of
from contract.job import Kind
from contract.reasons import Reason

Event = Mapping[str, object]
Test = Callable[[Event], bool]

_EQUALITY: Final = ("=", "!=")
_ORDER: Final = {">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt}
_NO_HOST: Final = re.compile(r"[/@?#:\s]")
_NOTHING: Final[Mapping[str, object]] = {}


class FilterError(ValueError):
    """The text is no filter. `position` is that of the fault's first character, from 1."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


@dataclass(frozen=True, slots=True)
class Field:
    """A field that filters can compare, or ask for with `has`.

    Attributes:
        name: as filters write it.
        of: returns its values in an event, none where the event lacks it.
        value: returns a filter's text as a value to compare with. Raises ValueError, whose message is for users.
        covers: returns True if a filter's value stands for one of an event.
        comparisons: those that may be used.
    """

    name: str
    of: Callable[[Event], Iterable[Any]]
    value: Callable[[str], Any] = str
    covers: Callable[[Any, Any], bool] = operator.eq
    comparisons: tuple[str, ...] = _EQUALITY

    def test(self, comparison: str, values: Iterable[Any]) -> Test:
        """Returns the test whether any value of the event compares so with any of `values`; for `!=` that none does."""
        wanted = tuple(values)
        of, compare = self.of, _ORDER.get(comparison)
        if compare is not None:
            return lambda event: any(compare(found, value) for found in of(event) for value in wanted)
        covers, negated = self.covers, comparison == "!="
        return lambda event: any(covers(value, found) for found in of(event) for value in wanted) is not negated

    def is_there(self, event: Event) -> bool:
        """Returns True if the event has it, and not empty."""
        return any(found not in ("", [], {}) for found in self.of(event))


def label(name: str) -> Field:
    """Returns the field of the label `name`."""

    def of(event: Event) -> Iterable[object]:
        return _in(_data(event).get("labels"), name)

    return Field(f"labels.{name}", of)


def _data(event: Event) -> Mapping[str, object]:
    data = event.get("data")
    return data if isinstance(data, Mapping) else _NOTHING


def _in(holder: object, name: str) -> Iterable[Any]:
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return () if value is None else (value,)


def _of_data(name: str) -> Callable[[Event], Iterable[Any]]:
    return lambda event: _in(_data(event), name)


def _of_type(event: Event) -> Iterable[str]:
    name = SHORT_TYPES.get(str(event.get("type")))
    return () if name is None else (name,)


def _of_host(event: Event) -> Iterable[str]:
    """The host of an article, or of the URL that failed: the one in the routing key."""
    data = _data(event)
    host = data.get("host") or host_of(str(data["url"]) if data.get("url") else None)
    return () if host is None else (str(host),)


def _of_flags(event: Event) -> Iterable[object]:
    quality = _data(event).get("quality")
    flags = quality.get("flags") if isinstance(quality, Mapping) else None
    return flags if isinstance(flags, list | tuple) else ()


def _of_confidence(event: Event) -> Iterable[float]:
    found = _in(_data(event).get("quality"), "confidence")
    return [number for number in found if isinstance(number, int | float)]


def _of_time(event: Event) -> Iterable[datetime]:
    try:
        return (_instant(str(event.get("time"))),)
    except ValueError:
        return ()


def _instant(text: str) -> datetime:
    """Returns an ISO 8601 date or time, aware; without a zone it is in UTC."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("time is like 2026-11-29 or 2026-11-29T12:00:00Z") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _one_of(name: str, values: Iterable[str]) -> Callable[[str], str]:
    known = tuple(values)

    def value(text: str) -> str:
        if text not in known:
            raise ValueError(f"{name} is one of {', '.join(known)}")
        return text

    return value


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise ValueError("confidence is a number from 0 to 1")
    return share


def _host(text: str) -> str:
    try:
        return ip_address(text).compressed
    except ValueError:
        host = host_of(f"//{text.rstrip('.')}")
    if not host or _NO_HOST.search(text):
        raise ValueError("host is a host name or an address, without scheme and port")
    return host


def _is_host_or_above(wanted: str, host: str) -> bool:
    return host == wanted or host.endswith(f".{wanted}")


def _is_language_or_above(wanted: str, language: object) -> bool:
    """Returns True for the same language tag, or one below: `en` covers `en-GB` (RFC 4647, section 3.3.1)."""
    return f"{language}-".lower().startswith(f"{wanted}-")


def _known() -> Iterable[Field]:
    yield Field("type", _of_type, _one_of("type", SHORT_TYPES.values()))
    yield Field("time", _of_time, _instant, comparisons=tuple(_ORDER))
    yield Field("kind", _of_data("kind"), _one_of("kind", Kind))
    yield Field("language", _of_data("language"), str.lower, _is_language_or_above)
    yield Field("host", _of_host, _host, _is_host_or_above)
    yield Field("url", _of_data("url"))
    yield Field("page_kind", _of_data("page_kind"), _one_of("page_kind", PageKind))
    yield Field("reason", _of_data("reason"), _one_of("reason", Reason))
    yield Field("flags", _of_flags, _one_of("flags", Flag))
    yield Field("confidence", _of_confidence, _share, comparisons=tuple(_ORDER))
    for name in ("title", "authors", "published", "modified", "description", "image", "duplicate_of"):
        yield Field(name, _of_data(name), comparisons=())


FIELDS: Final[Mapping[str, Field]] = {each.name: each for each in _known()}
"""All fields but labels, by name."""

NAMES: Final = (*FIELDS, "labels.NAME")
"""The names of all fields, as messages list them."""
