"""The check of query parameters that all routes share."""

from collections.abc import Set as AbstractSet

from aiohttp import web

from service.problems import invalid_parameter

_SHOWN_NAME_CHARS = 64  # of a name that a client made up: more says no more, and the answer stays short


def check_parameters(
    request: web.Request, known: AbstractSet[str], *, repeatable: AbstractSet[str] = frozenset()
) -> None:
    """Checks the names of the query parameters. Those in `known` may be given once, those in `repeatable` more often.

    Raises:
        ProblemError: a parameter is unknown, or is given more than once.
    """
    for name in request.query:
        if name not in known and name not in repeatable:
            raise invalid_parameter(
                name[:_SHOWN_NAME_CHARS], "unknown_parameter", "is not a query parameter of this request"
            )
        if name not in repeatable and len(request.query.getall(name)) > 1:
            raise invalid_parameter(name, "repeated", "must stand there once")
