"""POST /v1/documents: accepts one document. It is stored durably before the 202 is sent."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import asdict, replace
from itertools import islice
from typing import Final

from aiohttp import hdrs, web

from contract.binary import file_kind
from contract.broker import BrokerError, BrokerUnavailable, JobSink
from contract.codec import MAX_JOB_BYTES, encode
from contract.ids import document_id_for_key, new_document_id
from contract.job import Job, Kind, Lane
from contract.submission import (
    Checked,
    Fault,
    InvalidSubmissionError,
    MalformedSubmissionError,
    check_submission,
    parse_submission,
    to_job,
)
from service import problems
from service.bodies import CODINGS, coding_of, read_body, too_large
from service.broker_errors import broker_refusal
from service.context import BROKER, CLOCK, DECODE, KEEPING, LEDGER, LIMITS, METRICS
from service.middlewares import OWNER
from service.parameters import SHOWN_NAME_CHARS, parameter_faults
from service.problems import Problem, ProblemError

IDEMPOTENCY_KEY: Final = "Idempotency-Key"

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")
_JSON = "application/json"
_RAW_KINDS = {
    "text/plain": Kind.TEXT,
    "text/html": Kind.HTML,
    "text/markdown": Kind.TEXT,
    "application/xhtml+xml": Kind.HTML,
}
_LISTS = {"formats", "include"}
_OPTIONS = {"lane", "focus", "keep_all", *_LISTS}
_RAW_PARAMETERS = {"url", *_OPTIONS}
_LABEL_PREFIX = "labels."
_MAX_FAULTS: Final = 20  # in one answer; chosen: as many as a person corrects in one go
_TRUTH = {"true": True, "false": False}

_HINTS = {
    "multipart/form-data": "a form is not taken: post the file itself, "
    "curl -H 'content-type: text/html' --data-binary @page.html",
    "application/x-www-form-urlencoded": "a form is not taken: name what you post, "
    "curl -H 'content-type: text/plain' --data-binary @text.txt",
    "application/pdf": "PDF is not taken: post its text, "
    "pdftotext file.pdf - | curl -H 'content-type: text/plain' --data-binary @-",
}


async def post_document(request: web.Request) -> web.Response:
    """Answers 202 with `{"id", "lane"}` once the broker has confirmed. `warnings` list parts that were left out.

    Raises:
        ProblemError: the request breaks rules, or the broker does not accept the document.
    """
    checked = await _read(request)
    submission = checked.submission
    lane = submission.options.lane or Lane.INTERACTIVE
    job = to_job(
        submission, id=_document_id(request), lane=lane, accepted_at=request.app[CLOCK](), decoded=checked.decoded
    )
    job = replace(job, owner=request[OWNER], keep_input=request.app[KEEPING].input)
    check_size(job)
    await put(request.app[BROKER], job, request.app[LIMITS].put_timeout_s)
    request.app[METRICS].accepted.labels(job.kind, job.lane).inc()
    receipt: dict[str, object] = {"id": job.id, "lane": job.lane}
    if checked.warnings:
        receipt["warnings"] = [asdict(warning) for warning in checked.warnings]
    location = {} if request.app[LEDGER] is None else {hdrs.LOCATION: f"/v1/documents/{job.id}"}
    return web.json_response(receipt, status=202, headers=location)


def _document_id(request: web.Request) -> str:
    key = request.headers.get(IDEMPOTENCY_KEY)
    return new_document_id() if key is None else document_id_for_key(request[OWNER], key)


async def _read(request: web.Request) -> Checked:
    """Reads the body. Reports the faults of headers, query and body together."""
    media_type = request.content_type if hdrs.CONTENT_TYPE in request.headers else ""
    faults = [*key_faults(request), *islice(_parameter_faults(request, media_type), _MAX_FAULTS)]
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
    keys = request.headers.getall(IDEMPOTENCY_KEY, [])
    if keys and (len(keys) > 1 or not _VISIBLE_ASCII.fullmatch(keys[0])):
        yield Fault(IDEMPOTENCY_KEY, "visible_ascii", "must be one value of 1 to 255 visible ASCII characters")


def _parameter_faults(request: web.Request, media_type: str) -> Iterator[Fault]:
    known = _RAW_PARAMETERS | {name for name in request.query if name.startswith(_LABEL_PREFIX)}
    if media_type != _JSON:
        yield from parameter_faults(request, known)
        return
    for name in sorted(known & set(request.query)):
        place = f"options.{name}" if name in _OPTIONS else name[:SHOWN_NAME_CHARS]
        yield Fault(place, "unknown_parameter", f"goes into the JSON body as {place}, not into the query")
    yield from parameter_faults(request, frozenset(), repeatable=known)


async def _submission(request: web.Request, media_type: str) -> Checked:
    _check_coding(request)
    try:
        if media_type == _JSON:
            return await _json_submission(request)
        if media_type in _RAW_KINDS:
            return await _raw_submission(request, _RAW_KINDS[media_type])
    except MalformedSubmissionError as error:
        raise ProblemError(Problem(problems.MALFORMED_BODY, "The body cannot be read.", error.faults)) from None
    except InvalidSubmissionError as error:
        detail = "The body breaks the rules of a submission."
        raise ProblemError(Problem(problems.INVALID_SUBMISSION, detail, error.faults)) from None
    taken = f"must be one of {', '.join((_JSON, *_RAW_KINDS))}"
    raise _unsupported("Content-Type", "media_type", "; ".join(filter(None, (taken, _HINTS.get(media_type)))))


async def _json_submission(request: web.Request) -> Checked:
    if (request.charset or "utf-8").strip("'\" ").lower() not in {"", "utf-8", "utf8"}:
        raise _unsupported("Content-Type", "charset", "must be UTF-8 for JSON (RFC 8259, section 8.1)")
    return parse_submission(await read_body(request))


async def _raw_submission(request: web.Request, kind: Kind) -> Checked:
    body = await read_body(request)
    if found := file_kind(body):
        message = f"looks like {found}, which is neither plain text nor HTML: extract its text first, and post that"
        raise _unsupported(kind.value, "binary", message)
    # In a thread, because charset detection can take a large part of a second.
    decoded = await asyncio.to_thread(request.app[DECODE], body, request.charset)
    fields: dict[str, object] = {kind.value: decoded.text, "labels": _labels(request), "options": _options(request)}
    if "url" in request.query:
        fields["url"] = request.query["url"]
    try:
        return replace(check_submission(fields), decoded=decoded)
    except InvalidSubmissionError as error:
        faults = [replace(fault, field=fault.field.removeprefix("options.")) for fault in error.faults]
        raise InvalidSubmissionError(faults) from None


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


def _check_coding(request: web.Request) -> None:
    if coding_of(request) not in CODINGS:
        raise _unsupported("Content-Encoding", "content_coding", "must be gzip or deflate, or absent")


def check_size(job: Job) -> None:
    """Refuses a job that is over the size limit.

    Raises:
        ProblemError: it is.
    """
    if len(encode(job)) > MAX_JOB_BYTES:
        raise too_large("document, encoded as JSON,", MAX_JOB_BYTES)


async def put(intake: JobSink, job: Job, timeout_s: float) -> None:
    """Returns when `job` is durable.

    Raises:
        ProblemError: the broker does not take it in time.
    """
    try:
        async with asyncio.timeout(timeout_s):
            await intake.put(job)
    except BrokerError as error:
        raise broker_refusal(error) from error
    except TimeoutError as error:
        raise broker_refusal(BrokerUnavailable()) from error


def _unsupported(header: str, rule: str, message: str) -> ProblemError:
    return ProblemError(
        Problem(
            problems.UNSUPPORTED_MEDIA_TYPE,
            f"{header} {message}.",
            [Fault(header, rule, message)],
            {"Accept-Post": ", ".join((_JSON, *_RAW_KINDS)), hdrs.ACCEPT_ENCODING: "gzip, deflate"},
        )
    )
