"""The check of query parameters that all routes share. What there is, `service.api` says."""

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import unquote_to_bytes

from aiohttp import web

from contract.faults import Fault
from service.api.operation import Location, Parameter
from service.refusals import invalid_parameter

UNKNOWN: Final = "unknown_parameter"  # the rule that an unknown name breaks
SHOWN_NAME_CHARS: Final = 64  # of an unknown name in an answer; chosen: longer than all known names, and a short answer


def parameter_faults(request: web.Request, known: Sequence[Parameter]) -> Iterator[Fault]:
    """Yields the faults of the query parameters, by name: those that are not UTF-8, or else those of names."""
    undecodable = _undecodable(request.rel_url.raw_query_string)
    for name in sorted(undecodable):
        yield Fault(name[:SHOWN_NAME_CHARS], "invalid_utf8", "is not UTF-8 when its percent escapes are decoded")
    if undecodable:
        return  # the names that aiohttp decoded may be others
    for name in sorted(set(request.query)):
        parameter = named(name, known)
        if parameter is None:
            yield unknown_parameter(name)
        elif (parameter.repeatable == 1 or parameter.family) and len(request.query.getall(name)) > 1:
            yield Fault(name[:SHOWN_NAME_CHARS], "repeated", "must stand there once")


def _undecodable(query: str) -> set[str]:
    """Returns the names of the parameters in `query`, still escaped, whose name or value is not UTF-8.

    aiohttp puts U+FFFD for such bytes, so that a name or a label would be stored that nobody sent.
    """
    return {_unescaped(pair.partition("=")[0], "replace") for pair in query.split("&") if not _is_utf8(pair)}


def _is_utf8(escaped: str) -> bool:
    try:
        _unescaped(escaped, "strict")
    except UnicodeDecodeError:
        return False
    return True


def _unescaped(escaped: str, errors: str) -> str:
    return unquote_to_bytes(escaped.replace("+", " ")).decode(errors=errors)


def unknown_parameter(name: str) -> Fault:
    """Returns the fault of a query parameter that the request does not take."""
    return Fault(name[:SHOWN_NAME_CHARS], UNKNOWN, "is not a query parameter of this request")


def named(name: str, known: Sequence[Parameter]) -> Parameter | None:
    """Returns the query parameter of this name, None if there is none."""
    queried = (parameter for parameter in known if parameter.location is Location.QUERY)
    return next((parameter for parameter in queried if _is_named(name, parameter)), None)


def _is_named(name: str, parameter: Parameter) -> bool:
    return name.startswith(f"{parameter.name}.") if parameter.family else name == parameter.name


def check_parameters(request: web.Request, known: Sequence[Parameter]) -> dict[str, str]:
    """Returns the query parameters; of the repeatable ones the last value. Refuses the first of `parameter_faults`.

    Raises:
        ProblemError: a parameter is unknown, is given more than once, or is not UTF-8.
    """
    for fault in parameter_faults(request, known):
        raise invalid_parameter(fault.field, fault.rule, fault.message)
    return dict(request.query)
