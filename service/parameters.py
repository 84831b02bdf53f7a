"""Checks the names of query parameters, for all routes."""

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from aiohttp import web

from contract.submission import Fault
from service.problems import invalid_parameter

SHOWN_NAME_CHARS: Final = 64  # of an unknown name in an answer; chosen: longer than all known names, and a short answer


def parameter_faults(
    request: web.Request, known: AbstractSet[str], *, repeatable: AbstractSet[str] = frozenset()
) -> Iterator[Fault]:
    """Yields the faults of the query parameters' names, in alphabetical order.

    Parameters in `known` may be given once, those in `repeatable` several times.
    """
    for name in sorted(set(request.query)):
        shown = name[:SHOWN_NAME_CHARS]
        if name not in known and name not in repeatable:
            yield Fault(shown, "unknown_parameter", "is not a query parameter of this request")
        elif name not in repeatable and len(request.query.getall(name)) > 1:
            yield Fault(shown, "repeated", "must stand there once")


def check_parameters(
    request: web.Request, known: AbstractSet[str], *, repeatable: AbstractSet[str] = frozenset()
) -> None:
    """Raises an error for the first of `parameter_faults`.

    Raises:
        ProblemError: a parameter is unknown, or is given more than once.
    """
    for fault in parameter_faults(request, known, repeatable=repeatable):
        raise invalid_parameter(fault.field, fault.rule, fault.message)
