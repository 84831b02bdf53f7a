"""POST /v1/documents: accepts one document. It is stored durably before the 202 is sent."""

import asyncio
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext, suppress
from dataclasses import replace
from itertools import islice
from typing import Final

import orjson
from aiohttp import hdrs, web

from contract.binary import file_kind
from contract.charsets import Decoded
from contract.faults import Fault, InvalidSubmissionError, MalformedSubmissionError
from contract.ids import document_id_for_key, new_document_id
from contract.job import Job, Kind, Lane
from contract.labels import WaitFor
from contract.ledger import Ledger, LedgerUnavailable
from contract.submission import KEY_CHARS, Checked, check_submission, parse_submission, to_job
from service import problems
from service.access.quotas import admitted
from service.api.answers import Receipt, present
from service.api.forms import EVENT_AND_ARTICLE_FORMS, body_of, content_type, is_article, policy
from service.api.operation import JSON, Parameter
from service.api.posting import BATCH_PARAMETERS, IDEMPOTENCY_KEY, LABEL, LISTS, OPTIONS, RAW_KINDS, RAW_PARAMETERS
from service.context import CLOCK, DECODE, KEEPING, LEDGER
from service.http.accept import preferred
from service.http.bodies import BODY_BYTES, CODINGS, coding_of, read_body
from service.http.middlewares import OWNER
from service.http.parameters import UNKNOWN, named, parameter_faults
from service.http.prefer import PREFER
from service.posting.admission import admit_one
from service.posting.batches import CLOSED_BATCHES, Membership, batch_faults, batch_of, put_end, too_late
from service.posting.callbacks import check_callback
from service.posting.idempotency import with_first_body
from service.posting.waits import DocumentWait, waiting
from service.refusals import Problem, ProblemError, broker_refusal

_VISIBLE_ASCII = re.compile(rf"[\x21-\x7e]{{1,{KEY_CHARS}}}")
_LISTS = {parameter.name for parameter in LISTS}
_OPTIONS = {parameter.name for parameter in OPTIONS}
_LABEL_PREFIX = f"{LABEL.name}."
MAX_FAULTS: Final = 20  # in one answer; chosen: as many as a person corrects in one go
_LEDGER_TIMEOUT_S: Final = 1.0  # chosen: a slow ledger is not waited for, because the event comes without it
_NOT_CLOSED: Final = (
    "The document is stored, but its batch may not be closed. After Retry-After seconds post it again with the same "
    "Idempotency-Key, or close the batch."
)
_FORMS: Final = {**EVENT_AND_ARTICLE_FORMS, "json": JSON}  # a client that accepts plain JSON only gets the event
_TRUTH = {"true": True, "false": False}

_HINTS = {
    "application/x-www-form-urlencoded": "a form is not taken: name what you post, "
    "curl -H 'content-type: text/plain' --data-binary @text.txt",
    "application/pdf": "PDF is not taken: post its text, "
    "pdftotext file.pdf - | curl -H 'content-type: text/plain' --data-binary @-",
}


async def post_document(request: web.Request) -> web.Response:
    """Answers 202 with `{"id", "lane"}` once the broker has confirmed. `warnings` list parts that were left out.

    With `Prefer: wait`, 200 with the event, or the form of it that `Accept` asks for, if it is decided in time.

    Raises:
        ProblemError: the request breaks rules, or the broker does not accept the document.
    """
    checked = await read_submission(request, BATCH_PARAMETERS)
    submission, batch = checked.submission, batch_of(request)
    check_callback(request.app, submission)
    lane = submission.options.lane or Lane.INTERACTIVE
    job = to_job(
        submission,
        id=_document_id(request),
        lane=lane,
        accepted_at=request.app[CLOCK](),
        decoded=checked.decoded,
        owner=request[OWNER],
        keep_input=request.app[KEEPING].input,
        batch=None if batch is None else batch.name,
        content_json=checked.content_json,
    )
    if batch is not None and await request.app[CLOSED_BATCHES].outsiders(batch, [job.id]):
        raise ProblemError(too_late())
    forms = preferred(request.headers.getall(hdrs.ACCEPT, []), _FORMS) if PREFER in request.headers else []
    async with with_first_body(request, job, submission) as job, _waiting(request, job, forms) as wait:
        async with admitted(request, size=request[BODY_BYTES]):
            await admit_one(request.app, job)
        if batch is not None and batch.closes:
            await _close(request, batch)
        event = None if wait is None else await _event(request, job, wait)
    location: dict[str, str] = {}
    if request.app[LEDGER] is not None:
        location[hdrs.LOCATION] = f"/v1/documents/{job.id}"
    answer = _receipt(job, checked, location, batch) if event is None else _decided(event, forms, location)
    return answer if wait is None else wait.applied_to(answer)


def _waiting(request: web.Request, job: Job, forms: Sequence[str]) -> AbstractAsyncContextManager[DocumentWait | None]:
    """Waits for nothing where `Accept` takes none of the forms that could come of it."""
    return waiting(request, job.id, WaitFor.SUBMISSION) if forms else nullcontext()


async def _event(request: web.Request, job: Job, wait: DocumentWait) -> bytes | None:
    """Returns the document's event, None if there is none in time.

    A document that was posted before is not decided anew: its first event counts.
    """
    ledger = request.app[LEDGER]
    if ledger is not None and IDEMPOTENCY_KEY.name in request.headers:
        event = await _recorded_event(ledger, job)
        if event is not None:
            return event
    return await wait.event(job.run)


async def _recorded_event(ledger: Ledger, job: Job) -> bytes | None:
    with suppress(LedgerUnavailable, TimeoutError):
        async with asyncio.timeout(_LEDGER_TIMEOUT_S):
            return await ledger.event(job.id, job.run)
    return None


async def _close(request: web.Request, batch: Membership) -> None:
    """Closes the batch of a document that is stored.

    Raises:
        ProblemError: the broker is away.
    """
    error = await put_end(request.app, batch)
    if error is not None:
        raise broker_refusal(error, _NOT_CLOSED)


def _receipt(job: Job, checked: Checked, location: Mapping[str, str], batch: Membership | None) -> web.Response:
    receipt = Receipt(id=job.id, lane=job.lane, warnings=checked.warnings, batch=None if batch is None else batch.id)
    return web.Response(body=orjson.dumps(present(receipt)), content_type=JSON, status=202, headers=location)


def _decided(event: bytes, forms: Sequence[str], location: Mapping[str, str]) -> web.Response:
    for form in forms:
        body = event if form == "json" else body_of(form, event)
        if body is not None:
            headers = {hdrs.CONTENT_TYPE: content_type(form, _FORMS[form]), **policy(form), **location}
            return web.Response(body=body, headers=headers)
    kind = problems.NOT_ACCEPTABLE if is_article(event) else problems.NO_ARTICLE
    raise ProblemError(Problem(kind, kind.meaning, headers=location))


def _document_id(request: web.Request) -> str:
    key = request.headers.get(IDEMPOTENCY_KEY.name)
    return new_document_id() if key is None else document_id_for_key(request[OWNER], key)


async def read_submission(request: web.Request, more: Sequence[Parameter] = ()) -> Checked:
    """Reads the body. Reports the faults of headers, query and body together.

    `more` are query parameters that bodies of all types take.
    """
    media_type = request.content_type if hdrs.CONTENT_TYPE in request.headers else ""
    faults = [*key_faults(request), *islice(query_faults(request, media_type, more), MAX_FAULTS)]
    try:
        checked = await _submission(request, media_type)
    except ProblemError as error:
        raise ProblemError(replace(error.problem, errors=(*faults, *error.problem.errors))) from None
    if faults:
        detail = "; ".join(f"{fault.field} {fault.message}" for fault in faults) + "."
        raise ProblemError(Problem(problems.INVALID_PARAMETER, detail, faults))
    return checked


def key_faults(request: web.Request) -> Iterator[Fault]:
    """Yields what is wrong with the `Idempotency-Key`, if there is one."""
    keys = request.headers.getall(IDEMPOTENCY_KEY.name, [])
    if keys and (len(keys) > 1 or not _VISIBLE_ASCII.fullmatch(keys[0])):
        yield Fault(IDEMPOTENCY_KEY.name, "visible_ascii", "must be one value of 1 to 255 visible ASCII characters")


def query_faults(request: web.Request, media_type: str, more: Sequence[Parameter] = ()) -> Iterator[Fault]:
    """Yields what is wrong with the query, for a body of this type. `more` are parameters of all types."""
    if more:
        yield from batch_faults(request)
    if media_type != JSON:
        yield from parameter_faults(request, (*RAW_PARAMETERS, *more))
        return
    for fault in parameter_faults(request, more):
        name = fault.field
        if fault.rule == UNKNOWN and named(name, RAW_PARAMETERS):
            place = f"options.{name}" if name in _OPTIONS else name
            yield Fault(place, UNKNOWN, f"goes into the JSON body as {place}, not into the query")
        else:
            yield fault


async def _submission(request: web.Request, media_type: str) -> Checked:
    check_coding(request)
    try:
        if media_type == JSON:
            return await _json_submission(request)
        if media_type in RAW_KINDS:
            return await _raw_submission(request, RAW_KINDS[media_type])
    except MalformedSubmissionError as error:
        raise ProblemError(Problem(problems.MALFORMED_BODY, "The body cannot be read.", error.faults)) from None
    except InvalidSubmissionError as error:
        detail = "The body breaks the rules of a submission."
        raise ProblemError(Problem(problems.INVALID_SUBMISSION, detail, error.faults)) from None
    taken = f"must be one of {', '.join((JSON, *RAW_KINDS))}"
    raise unsupported("Content-Type", "media_type", "; ".join(filter(None, (taken, _HINTS.get(media_type)))))


async def _json_submission(request: web.Request) -> Checked:
    check_json_charset(request)
    return parse_submission(await read_body(request))


def check_json_charset(request: web.Request) -> None:
    """Refuses a body of JSON whose header names another charset than UTF-8.

    Raises:
        ProblemError: it names another charset.
    """
    if (request.charset or "utf-8").strip("'\" ").lower() not in {"", "utf-8", "utf8"}:
        raise unsupported("Content-Type", "charset", "must be UTF-8 for JSON (RFC 8259, section 8.1)")


async def _raw_submission(request: web.Request, kind: Kind) -> Checked:
    body = await read_body(request)
    refuse_files(kind, body)
    # In a thread, because charset detection can take a large part of a second.
    decoded = await asyncio.to_thread(request.app[DECODE], body, request.charset)
    return raw_submission(kind, decoded, of_query(request))


def refuse_files(kind: Kind, body: bytes) -> None:
    """Refuses a `body` that begins like a file of a kind that is not taken.

    Raises:
        ProblemError: it does.
    """
    if found := file_kind(body):
        message = f"looks like {found}, which is neither plain text nor HTML: extract its text first, and post that"
        raise unsupported(kind.value, "binary", message)


def raw_submission(kind: Kind, decoded: Decoded, fields: Mapping[str, object]) -> Checked:
    """Returns the document that came as bytes, with the other `fields` of a submission.

    Raises:
        InvalidSubmissionError: it breaks rules.
    """
    try:
        checked = check_submission({kind.value: decoded.text, **fields}, _json_of(decoded.text))
        return replace(checked, decoded=decoded)
    except InvalidSubmissionError as error:
        faults = [replace(fault, field=fault.field.removeprefix("options.")) for fault in error.faults]
        raise InvalidSubmissionError(faults) from None


def _json_of(text: str) -> bytes | None:
    try:
        return orjson.dumps(text)
    except orjson.JSONEncodeError:  # a lone surrogate, for which the text is refused
        return None


def of_query(request: web.Request) -> dict[str, object]:
    """Returns the fields of a submission that the query of a raw body has."""
    fields: dict[str, object] = {"labels": _labels(request), "options": _options(request)}
    return fields | ({"url": request.query["url"]} if "url" in request.query else {})


def _labels(request: web.Request) -> dict[str, str]:
    """Returns the labels of a raw body, which come as query parameters such as `labels.desk=7`."""
    return {
        name.removeprefix(_LABEL_PREFIX): value
        for name, value in request.query.items()
        if name.startswith(_LABEL_PREFIX)
    }


def _options(request: web.Request) -> dict[str, object]:
    """Returns the options of a raw body, which come as query parameters; commas separate the entries of lists."""
    given: dict[str, object] = {name: request.query[name] for name in _OPTIONS & request.query.keys()}
    for name in _LISTS & given.keys():
        given[name] = [entry for entry in request.query[name].split(",") if entry]
    if "keep_all" in given:
        given["keep_all"] = _TRUTH.get(request.query["keep_all"], given["keep_all"])
    return given


def check_coding(request: web.Request) -> None:
    """Refuses a body with a content coding that is not taken.

    Raises:
        ProblemError: it has another one. Only then the answer names codings (RFC 7694, section 3).
    """
    if coding_of(request) not in CODINGS:
        taken: dict[str, str] = {hdrs.ACCEPT_ENCODING: "gzip, zstd, deflate"}
        raise unsupported("Content-Encoding", "content_coding", "must be gzip, zstd or deflate, or absent", taken)


def unsupported(header: str, rule: str, message: str, taken: Mapping[str, str] | None = None) -> ProblemError:
    """Returns the problem of a body of another type or coding than those that are taken, with the headers `taken`."""
    fault = Fault(header, rule, message)
    return ProblemError(Problem(problems.UNSUPPORTED_MEDIA_TYPE, f"{header} {message}.", [fault], taken or {}))
