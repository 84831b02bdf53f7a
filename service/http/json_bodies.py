"""Parses a small body of JSON as a type."""

from typing import TYPE_CHECKING, Any, TypeVar, cast

from aiohttp import web
from pydantic import ValidationError

from contract.codec import adapter
from contract.faults import Fault
from service import problems
from service.http.bodies import read_body
from service.http.parameters import SHOWN_NAME_CHARS
from service.refusals import Problem, ProblemError

if TYPE_CHECKING:
    from collections.abc import Hashable

T = TypeVar("T")


async def read_json(request: web.Request, kind: type[T], *, empty: bytes = b"") -> T:
    """Returns the body as a `kind`; a body without a byte as `empty`.

    Raises:
        ProblemError: it is no JSON, no such value, too large, or takes too long.
    """
    try:
        value: T = adapter(cast("Hashable", kind)).validate_json(await read_body(request) or empty)
    except ValidationError as error:
        raise _refusal(error.errors(include_input=False, include_url=False)[0]) from None
    return value


def _refusal(fault: Any) -> ProblemError:  # noqa: ANN401 - pydantic's description of an error
    if fault["type"] == "json_invalid":
        return ProblemError(Problem(problems.MALFORMED_BODY, problems.MALFORMED_BODY.meaning))
    place = ".".join(map(str, fault["loc"]))[:SHOWN_NAME_CHARS] or "body"
    faults = [Fault(place, fault["type"], fault["msg"])]
    return ProblemError(Problem(problems.INVALID_SUBMISSION, f"{place}: {fault['msg']}.", faults))
