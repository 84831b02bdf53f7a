"""POST /v1/documents: one document in, durable when the 202 goes out."""

import asyncio
import codecs
import re
from dataclasses import replace
from typing import Final

from aiohttp import hdrs, web

from contract.broker import Broker, BrokerError, BrokerFull, BrokerUnavailable
from contract.codec import MAX_JOB_BYTES, encode
from contract.ids import document_id_for_key, new_document_id
from contract.job import Job, Kind, Lane
from contract.submission import (
    Fault,
    InvalidSubmissionError,
    MalformedSubmissionError,
    Submission,
    check_submission,
    parse_submission,
    to_job,
)
from service import problems
from service.context import BROKER, CLOCK, LEDGER, LIMITS, METRICS
from service.middlewares import OWNER
from service.problems import Problem, ProblemError, invalid_parameter

IDEMPOTENCY_KEY: Final = "Idempotency-Key"

_VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")
_JSON = "application/json"
_RAW_KINDS = {"text/plain": Kind.TEXT, "text/html": Kind.HTML}
_LISTS = {"formats", "include"}
_RAW_PARAMETERS = {"url", "lane", "focus", "keep_all", *_LISTS}
_TRUTH = {"true": True, "false": False}
_CODINGS = {"gzip", "deflate", "identity"}

# The charsets of the Encoding Standard (encoding.spec.whatwg.org) under their Python names. Python knows others that
# are no charsets of documents, and some of them (punycode, idna) take quadratic time.
_CHARSETS = {
    *("ascii", "utf-8", "utf-16", "utf-16-le", "utf-16-be"),
    *(f"iso8859-{part}" for part in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 16)),
    *(f"cp{page}" for page in (866, 874, 932, 949, *range(1250, 1259))),
    *("koi8-r", "koi8-u", "mac-roman", "mac-cyrillic"),
    *("gb2312", "gbk", "gb18030", "big5", "big5hkscs", "euc_jp", "iso2022_jp", "shift_jis", "euc_kr"),
}


async def post_document(request: web.Request) -> web.Response:
    """Answers 202 with `{"id", "lane"}` once the broker has confirmed.

    Raises:
        ProblemError: the request breaks a rule, or the broker does not take the document.
    """
    document_id = _document_id(request)
    submission = await _submission(request)
    lane = submission.options.lane or Lane.INTERACTIVE
    job = to_job(submission, id=document_id, lane=lane, accepted_at=request.app[CLOCK]())
    job = replace(job, owner=request[OWNER])
    _check_size(job)
    await _put(request.app[BROKER], job, request.app[LIMITS].put_timeout_s)
    request.app[METRICS].accepted.labels(job.kind, job.lane).inc()
    location = {} if request.app[LEDGER] is None else {hdrs.LOCATION: f"/v1/documents/{job.id}"}
    return web.json_response({"id": job.id, "lane": job.lane}, status=202, headers=location)


def _document_id(request: web.Request) -> str:
    keys = request.headers.getall(IDEMPOTENCY_KEY, [])
    if not keys:
        return new_document_id()
    if len(keys) > 1 or not _VISIBLE_ASCII.fullmatch(keys[0]):
        raise invalid_parameter(
            IDEMPOTENCY_KEY, "visible_ascii", "must be one value of 1 to 255 visible ASCII characters"
        )
    return document_id_for_key(request[OWNER], keys[0])


async def _submission(request: web.Request) -> Submission:
    _check_coding(request)
    media_type = request.content_type if hdrs.CONTENT_TYPE in request.headers else ""
    _check_parameters(request, known=_RAW_PARAMETERS if media_type in _RAW_KINDS else set())
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
    raise _unsupported("Content-Type", "media_type", f"must be one of {', '.join((_JSON, *_RAW_KINDS))}")


async def _json_submission(request: web.Request) -> Submission:
    if (request.charset or "utf-8").lower() not in {"utf-8", "utf8"}:
        raise _unsupported("Content-Type", "charset", "must be UTF-8 for JSON (RFC 8259, section 8.1)")
    return parse_submission(await _body(request))


async def _raw_submission(request: web.Request, kind: Kind) -> Submission:
    charset = _charset(request.charset or "utf-8")
    fields: dict[str, object] = {kind.value: _decoded(await _body(request), charset, field=kind.value)}
    if "url" in request.query:
        fields["url"] = request.query["url"]
    return check_submission(fields | _options(request))


def _options(request: web.Request) -> dict[str, object]:
    """Returns the options of a raw body: query parameters, lists with commas between their entries."""
    given: dict[str, object] = {name: value for name, value in request.query.items() if name != "url"}
    for name in _LISTS & given.keys():
        given[name] = [entry for entry in request.query[name].split(",") if entry]
    if "keep_all" in given:
        given["keep_all"] = _TRUTH.get(request.query["keep_all"], given["keep_all"])
    return {"options": given} if given else {}


def _charset(label: str) -> str:
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):  # ValueError: a label with a null byte
        name = ""
    if name not in _CHARSETS:
        raise _unsupported("Content-Type", "charset", "must be a charset of the Encoding Standard")
    return "utf-8-sig" if name == "utf-8" else name  # a byte order mark is not text


def _decoded(body: bytes, charset: str, *, field: str) -> str:
    try:
        return body.decode(charset)
    except UnicodeDecodeError as error:
        name = charset.removesuffix("-sig")
        message = f"is not {name} at byte {error.start}; name the charset in Content-Type"
        raise MalformedSubmissionError([Fault(field, f"invalid_{name.replace('-', '')}", message)]) from None


async def _body(request: web.Request) -> bytes:
    limits = request.app[LIMITS]
    if (request.content_length or 0) > limits.max_body_bytes:
        raise _too_large("body", limits.max_body_bytes)
    try:
        async with asyncio.timeout(limits.body_timeout_s):
            return await request.read()
    except web.HTTPRequestEntityTooLarge:
        raise _too_large("body", limits.max_body_bytes) from None
    except TimeoutError:
        raise ProblemError(Problem(problems.BODY_TIMEOUT, problems.BODY_TIMEOUT.meaning)) from None
    except web.RequestPayloadError:
        fault = Fault("body", "framing", "does not follow its Content-Encoding or Transfer-Encoding")
        raise ProblemError(Problem(problems.MALFORMED_BODY, "The body cannot be read.", [fault])) from None


def _check_coding(request: web.Request) -> None:
    coding = request.headers.get(hdrs.CONTENT_ENCODING, "identity").lower()
    if coding not in _CODINGS:
        raise _unsupported("Content-Encoding", "content_coding", "must be gzip or deflate, or absent")


def _check_parameters(request: web.Request, *, known: set[str]) -> None:
    for name in request.query:
        if name not in known:
            raise invalid_parameter(name[:64], "unknown_parameter", "is not a query parameter of this request")
        if len(request.query.getall(name)) > 1:
            raise invalid_parameter(name, "repeated", "must stand there once")


def _check_size(job: Job) -> None:
    if len(encode(job)) > MAX_JOB_BYTES:
        raise _too_large("document, encoded as JSON,", MAX_JOB_BYTES)


async def _put(broker: Broker, job: Job, timeout_s: float) -> None:
    try:
        async with asyncio.timeout(timeout_s):
            await broker.put(job)
    except BrokerFull as error:
        raise _retry_later(problems.INTAKE_FULL, error) from error
    except BrokerError as error:
        raise _retry_later(problems.BROKER_UNAVAILABLE, error) from error
    except TimeoutError as error:
        raise _retry_later(problems.BROKER_UNAVAILABLE, BrokerUnavailable()) from error


def _retry_later(kind: problems.ProblemType, error: BrokerError) -> ProblemError:
    return ProblemError(Problem(kind, kind.meaning, headers={hdrs.RETRY_AFTER: str(error.retry_after_s)}))


def _too_large(what: str, limit_bytes: int) -> ProblemError:
    message = f"must have at most {limit_bytes} bytes"
    return ProblemError(
        Problem(problems.CONTENT_TOO_LARGE, f"The {what} {message}.", [Fault("body", "too_large", message)])
    )


def _unsupported(header: str, rule: str, message: str) -> ProblemError:
    return ProblemError(
        Problem(
            problems.UNSUPPORTED_MEDIA_TYPE,
            f"{header} {message}.",
            [Fault(header, rule, message)],
            {"Accept-Post": ", ".join((_JSON, *_RAW_KINDS)), hdrs.ACCEPT_ENCODING: "gzip, deflate"},
        )
    )
