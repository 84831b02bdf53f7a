"""Refusals: how a request that fails is answered, as RFC 9457 `application/problem+json`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson
from aiohttp import hdrs, web

from contract.broker import BrokerError, BrokerFull
from contract.faults import Fault, PlacedFault
from contract.filters import FilterError
from service import problems
from service.api.answers import ProblemDetails, present
from service.problems import ProblemType

_BY_STATUS = {
    404: problems.NOT_FOUND,
    405: problems.METHOD_NOT_ALLOWED,
    413: problems.CONTENT_TOO_LARGE,
    415: problems.UNSUPPORTED_MEDIA_TYPE,
    500: problems.INTERNAL_ERROR,
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One error answer. `errors` name field and rule. Neither they nor `detail` contain text of the document.

    `violated_policies` are the limits of the key that were exceeded.
    """

    type: ProblemType
    detail: str
    errors: Sequence[Fault] = ()
    headers: Mapping[str, str] = field(default_factory=dict)
    violated_policies: Sequence[str] = ()

    @property
    def slug(self) -> str:
        """The last part of the type's URL. It is stable."""
        return self.type.slug

    def response(self) -> web.Response:
        """Returns the HTTP response."""
        body = orjson.dumps(present(self.details()))
        return web.Response(status=self.type.status, body=body, content_type=problems.MEDIA_TYPE, headers=self.headers)

    def wire(self, server: str) -> bytes:
        """Returns the response as bytes, for a connection without a parsed request; the connection closes after it."""
        body = orjson.dumps(present(self.details()))
        headers = {
            hdrs.CONTENT_TYPE: problems.MEDIA_TYPE,
            hdrs.CONTENT_LENGTH: str(len(body)),
            hdrs.CONNECTION: "close",
            hdrs.SERVER: server,
            **self.headers,
        }
        lines = [f"HTTP/1.1 {self.type.status} {HTTPStatus(self.type.status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode() + body

    def details(self) -> ProblemDetails:
        """Returns the body of the answer."""
        return ProblemDetails(
            type=self.type.path,
            title=self.type.title,
            status=self.type.status,
            detail=self.detail,
            errors=tuple(self.errors),
            violated_policies=tuple(self.violated_policies),
        )


class ProblemError(Exception):
    """The request is answered with `problem`."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.slug)
        self.problem = problem


def invalid_parameter(name: str, rule: str, message: str) -> ProblemError:
    """Returns the error for a header or query parameter that breaks a rule."""
    return ProblemError(Problem(problems.INVALID_PARAMETER, f"{name} {message}.", [Fault(name, rule, message)]))


def invalid_filter(name: str, error: FilterError) -> ProblemError:
    """Returns the error for the query parameter `name`, which is no filter."""
    fault = PlacedFault(name, "filter", str(error), error.position)
    return ProblemError(Problem(problems.INVALID_PARAMETER, f"{fault}.", [fault]))


def of_http_error(error: web.HTTPException) -> Problem:
    """Returns aiohttp's own error as a problem. Headers that matter (Allow) are kept."""
    kind = _BY_STATUS.get(error.status, problems.BAD_REQUEST)
    headers = {"Allow": error.headers["Allow"]} if "Allow" in error.headers else {}
    return Problem(kind, kind.meaning, headers=headers)


def broker_problem(error: BrokerError, unavailable: str = problems.BROKER_UNAVAILABLE.meaning) -> Problem:
    """Returns 429 for a full queue, else 503 with `unavailable` as its detail; both with `Retry-After`."""
    retry_after: dict[str, str] = {hdrs.RETRY_AFTER: str(error.retry_after_s)}
    if isinstance(error, BrokerFull):
        return Problem(problems.INTAKE_FULL, problems.INTAKE_FULL.meaning, headers=retry_after)
    return Problem(problems.BROKER_UNAVAILABLE, unavailable, headers=retry_after)


def broker_refusal(error: BrokerError, unavailable: str = problems.BROKER_UNAVAILABLE.meaning) -> ProblemError:
    """Returns the exception that answers the request with `broker_problem`."""
    return ProblemError(broker_problem(error, unavailable))


async def get_problem(request: web.Request) -> web.Response:
    """Answers GET /problems/{slug} with the description of the problem type."""
    for kind in problems.ALL:
        if kind.slug == request.match_info["slug"]:
            return web.Response(text=kind.in_words)
    raise web.HTTPNotFound
