"""POST /v1/extract: a preview. The article of a document that is not stored, logged, or told to anybody else."""

from dataclasses import replace
from typing import Any, Final

import orjson
from aiohttp import hdrs, web

from contract.broker import BrokerError, BrokerUnavailable, NotTaken
from contract.codec import MessageTooLarge
from contract.faults import Fault
from contract.ids import new_document_id
from contract.job import Job, Lane
from contract.labels import WaitFor, WaitOutcome
from contract.reasons import FailureClass, Reason
from contract.submission import to_job
from service import problems
from service.access.quotas import admitted
from service.api.forms import ARTICLE_FORMS, body_of, content_type, is_article, policy
from service.context import BROKER, CLOCK, LIMITS
from service.http.accept import preferred
from service.http.bodies import BODY_BYTES
from service.http.middlewares import OWNER
from service.posting.admission import job_too_large
from service.posting.callbacks import refuse_callback
from service.posting.documents import read_submission
from service.posting.traces import Sending
from service.posting.waits import WAITS, Ended
from service.problems import ProblemType
from service.refusals import Problem, ProblemError, broker_refusal

_FORMS: Final = {**ARTICLE_FORMS, "json": "application/json"}
_PLACE_FREE_S: Final = "2"  # chosen: most extractions take less
_HOST_BACK_S: Final = "10"  # the first delay after which a failed attempt is made again: `contract.topology.DELAYS_S`
_UNAVAILABLE: Final = (
    "The message broker is away, or was lost meanwhile. Nothing of the document is kept. "
    "Ask again after Retry-After seconds."
)


async def extract_document(request: web.Request) -> web.Response:
    """Answers with the article, in the form that `Accept` asks for.

    One attempt is made, within a time limit. Nothing is kept of the document.

    Raises:
        ProblemError: the request breaks rules, the document cannot become an article, or no worker had time for it.
    """
    forms = preferred(request.headers.getall(hdrs.ACCEPT, []), _FORMS)
    if not forms:
        raise _not_acceptable()
    checked = await read_submission(request)
    refuse_callback(checked.submission)
    job = to_job(
        checked.submission,
        id=new_document_id(),
        lane=Lane.INTERACTIVE,
        accepted_at=request.app[CLOCK](),
        decoded=checked.decoded,
        content_json=checked.content_json,
    )
    with request.app[WAITS].place(WaitFor.EXTRACTION) as granted:
        if not granted:
            raise _refusal(problems.TOO_MANY_EXTRACTIONS, _PLACE_FREE_S)
        async with admitted(request, size=request[BODY_BYTES]):
            event = await _extracted(request, replace(job, owner=request[OWNER]))
    return _answer(event, forms)


async def _extracted(request: web.Request, job: Job) -> bytes:
    waits, outcome = request.app[WAITS], WaitOutcome.DECIDED
    try:
        with Sending(request.app, [job]) as sending:
            preview = request.app[BROKER].preview(sending.jobs[0])
            return await waits.within(request, preview, timeout_s=request.app[LIMITS].extract_timeout_s, stops=False)
    except NotTaken as error:
        outcome = WaitOutcome.TIMED_OUT
        raise _refusal(problems.NO_WORKER, str(error.retry_after_s)) from None
    except BrokerError as error:
        outcome = WaitOutcome.BROKER_LOST if isinstance(error, BrokerUnavailable) else WaitOutcome.REFUSED
        raise broker_refusal(error, _UNAVAILABLE) from None
    except MessageTooLarge as error:
        outcome = WaitOutcome.REFUSED
        raise job_too_large(error) from None
    except Ended as ended:
        outcome = ended.outcome
        if outcome is WaitOutcome.CLIENT_GONE:
            raise ConnectionResetError from None  # nobody is there to be answered, and nothing was refused
        raise ProblemError(Problem(problems.EXTRACTION_TIMEOUT, problems.EXTRACTION_TIMEOUT.meaning)) from None
    finally:
        waits.count(WaitFor.EXTRACTION, outcome)


def _answer(event: bytes, forms: list[str]) -> web.Response:
    if not is_article(event):
        raise _failure(orjson.loads(event)["data"])
    for form in forms:
        body = body_of("article" if form == "json" else form, event)
        if body is not None:
            return web.Response(
                body=body, headers={hdrs.CONTENT_TYPE: content_type(form, _FORMS[form]), **policy(form)}
            )
    raise _not_acceptable()


def _failure(data: dict[str, Any]) -> ProblemError:
    reason = Reason(data["reason"])
    detail = f"{reason}: {data['detail']}" if data["detail"] else str(reason)
    headers: dict[str, str] = {}
    if reason.failure_class is FailureClass.TRANSIENT:
        headers[hdrs.RETRY_AFTER] = _HOST_BACK_S
    return ProblemError(
        Problem(problems.EXTRACTION_FAILED, detail, [Fault(data["kind"] or "body", reason, data["detail"])], headers)
    )


def _not_acceptable() -> ProblemError:
    detail = (
        f"{problems.NOT_ACCEPTABLE.meaning} There are, where options.formats has them: {', '.join(_FORMS.values())}."
    )
    return ProblemError(Problem(problems.NOT_ACCEPTABLE, detail))


def _refusal(kind: ProblemType, retry_after_s: str) -> ProblemError:
    headers: dict[str, str] = {hdrs.RETRY_AFTER: retry_after_s}
    return ProblemError(Problem(kind, kind.meaning, headers=headers))
