"""Maps the broker's errors to problems."""

from aiohttp import hdrs

from contract.broker import BrokerError, BrokerFull
from service import problems
from service.refusals import Problem, ProblemError


def broker_problem(error: BrokerError, unavailable: str = problems.BROKER_UNAVAILABLE.meaning) -> Problem:
    """Returns 429 for a full queue, else 503 with `unavailable` as its detail; both with `Retry-After`."""
    retry_after: dict[str, str] = {hdrs.RETRY_AFTER: str(error.retry_after_s)}
    if isinstance(error, BrokerFull):
        return Problem(problems.INTAKE_FULL, problems.INTAKE_FULL.meaning, headers=retry_after)
    return Problem(problems.BROKER_UNAVAILABLE, unavailable, headers=retry_after)


def broker_refusal(error: BrokerError, unavailable: str = problems.BROKER_UNAVAILABLE.meaning) -> ProblemError:
    """Returns the exception that answers the request with `broker_problem`."""
    return ProblemError(broker_problem(error, unavailable))
