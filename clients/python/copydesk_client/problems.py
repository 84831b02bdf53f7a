"""What can go wrong, named by what follows from it.

    CopydeskError
        Unreachable             no answer: the server is away, or the address is wrong
        TakesTooLong            a document is not decided in the time that you gave
        StreamEnded             an event stream ended for good; `reason` says why
        BadSignature            a webhook is not genuine, too old, or incomplete (copydesk_client.webhooks)
        Problem                 the server answered with a problem (RFC 9457)
            NotAllowed          the API key is missing, wrong, or may not do this: 401, 403, 421
            Invalid             the request breaks a rule, `errors` names fields: 400, 413, 415, 422 and others
            KeyReused           the idempotency key stands for another document
            Missing             there is nothing, or nothing yet: 404, 406
            Erased              the document was erased for good
            PositionGone        the log no longer has this position: begin with after="oldest"
            Conflict            not in this state: 409
            Busy                later, after `retry_after_s`: 408, 429, 502, 503, 504
                QuotaExceeded   the API key has posted as much as it may for now
                NotConfigured   the server lacks what this needs, and waiting does not help
            ServerError         a defect of the server: 500 and others

The client repeats what fails with `Unreachable` or `Busy`, and raises it when its patience is over.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from copydesk_client.schemas import Fault


class CopydeskError(Exception):
    """Something went wrong with Copydesk."""


class Unreachable(CopydeskError):
    """There is no answer, or none that Copydesk gives."""

    retry_after_s: float | None = None


class TakesTooLong(CopydeskError):
    """The document is not decided yet. Its id is `document_id`; wait again, or look later."""

    def __init__(self, document_id: str) -> None:
        super().__init__(f"document {document_id} is not decided yet")
        self.document_id = document_id


class StreamEnded(CopydeskError):
    """An event stream ended for good.

    `reason` is one of docs/subscribing.md: `superseded`, `consumer_gone`, or one that is new.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"the event stream ended: {reason}")
        self.reason = reason


class Problem(CopydeskError):
    """The server answered with a problem (RFC 9457).

    Attributes:
        slug: what kind of problem it is, as `intake-full`. It is stable.
        status: of HTTP.
        detail: for people.
        errors: each a field, the rule that it breaks, and a message.
        retry_after_s: seconds after which to ask again, None where the server does not say.
        line: in a bulk, the number of the document, counted from 1.
    """

    def __init__(self, problem: Mapping[str, Any], status: int, retry_after_s: float | None = None) -> None:
        self.slug = str(problem.get("type", "about:blank")).rpartition("#")[2].rpartition("/")[2]
        self.status = status
        self.detail = str(problem.get("detail") or problem.get("title") or f"status {status}")
        self.errors: Sequence[Fault] = problem.get("errors", ())
        self.violated_policies: Sequence[str] = problem.get("violated-policies", ())
        self.retry_after_s = retry_after_s
        self.line: int | None = problem.get("line")
        super().__init__(self._in_words())

    def _in_words(self) -> str:
        faults = "; ".join(f"{fault['field']}: {fault['message']}" for fault in self.errors)
        return f"{self.slug} ({self.status}): {faults or self.detail}"


class NotAllowed(Problem):
    """The API key is missing, wrong, or may not do this."""


class Invalid(Problem):
    """The request breaks a rule."""


class KeyReused(Invalid):
    """The idempotency key came with another document before."""


class Missing(Problem):
    """There is no such thing, or not in this form."""


class Erased(Missing):
    """The document was erased for good."""


class PositionGone(Problem):
    """The log no longer has this position. Begin with after="oldest"; a named consumer has to be removed first."""


class Conflict(Problem):
    """It is not in the state for this."""


class Busy(Problem):
    """The server cannot do it now."""


class QuotaExceeded(Busy):
    """The API key has posted as much as it may for now. `violated_policies` names the limits."""


class NotConfigured(Busy):
    """The server lacks what this needs, such as a ledger. Waiting does not help."""


class ServerError(Problem):
    """A defect of the server."""


_BY_SLUG: Mapping[str, type[Problem]] = {
    "idempotency-key-reused": KeyReused,
    "erased": Erased,
    "position-gone": PositionGone,
    "quota-exceeded": QuotaExceeded,
    "ledger-not-configured": NotConfigured,
    "event-tokens-not-configured": NotConfigured,
    "foreign-host": NotAllowed,
}
_BY_STATUS: Mapping[int, type[Problem]] = {
    HTTPStatus.UNAUTHORIZED: NotAllowed,
    HTTPStatus.FORBIDDEN: NotAllowed,
    HTTPStatus.NOT_FOUND: Missing,
    HTTPStatus.NOT_ACCEPTABLE: Missing,
    HTTPStatus.GONE: Missing,
    HTTPStatus.CONFLICT: Conflict,
    HTTPStatus.REQUEST_TIMEOUT: Busy,
    HTTPStatus.TOO_MANY_REQUESTS: Busy,
    HTTPStatus.BAD_GATEWAY: Busy,
    HTTPStatus.SERVICE_UNAVAILABLE: Busy,
    HTTPStatus.GATEWAY_TIMEOUT: Busy,
}


def problem_of(problem: Mapping[str, Any], status: int, retry_after: str | None = None) -> Problem:
    """Returns the exception for a problem's JSON, or for a bare status, with its `Retry-After` header."""
    made = Problem(problem, status)
    default = ServerError if status >= HTTPStatus.INTERNAL_SERVER_ERROR else Invalid
    kind = _BY_SLUG.get(made.slug) or _BY_STATUS.get(status, default)
    return kind(problem, status, seconds(retry_after))


def seconds(retry_after: str | None) -> float | None:
    """Returns the seconds of a `Retry-After` header: a number, or a date (RFC 9110, section 10.2.3). Else None."""
    if not retry_after:
        return None
    if retry_after.isdecimal():
        return float(retry_after)
    try:
        until = parsedate_to_datetime(retry_after)
    except ValueError:
        return None
    return max(0.0, (until - datetime.now(UTC)).total_seconds())
