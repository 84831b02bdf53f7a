"""POST /v1/documents with multipart/form-data: one document a file."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import PurePath
from typing import Final

from aiohttp import hdrs, web
from multipart import ParserError, parse_options_header

from contract.binary import looks_like_html
from contract.charsets import Decoded
from contract.faults import Fault, InvalidSubmissionError
from contract.job import Kind
from contract.submission import check_submission
from service import problems
from service.api.operation import TEXT
from service.api.posting import BATCH_PARAMETERS, FORM_PARAMETERS, RAW_KINDS
from service.context import DECODE, LIMITS
from service.http.bodies import BrokenBodyError, broken, too_large
from service.http.parameters import parameter_faults
from service.posting.batches import batch_faults
from service.posting.bulk import answer, check
from service.posting.documents import (
    MAX_FAULTS,
    check_coding,
    key_faults,
    of_query,
    raw_submission,
    refuse_files,
    unsupported,
)
from service.posting.entries import Entry, EntryMaker
from service.posting.parts import FormPart, PartCutter
from service.posting.reading import READING, arriving
from service.refusals import Problem, ProblemError, invalid_parameter

_GENERIC: Final = {None, "", "application/octet-stream"}  # what clients send for a file that they do not know
_BY_SUFFIX: Final = {
    **dict.fromkeys((".html", ".htm", ".xhtml"), Kind.HTML),
    **dict.fromkeys((".txt", ".text", ".md", ".markdown"), Kind.TEXT),
}


async def post_parts(request: web.Request) -> web.StreamResponse:
    """Answers 200 with one line for each part: its receipt once it is stored, or its problem.

    Raises:
        ProblemError: header or query break rules. Nothing was read.
    """
    check_coding(request)
    named = parameter_faults(request, (*FORM_PARAMETERS, *BATCH_PARAMETERS))
    check([*key_faults(request), *islice(chain(batch_faults(request), named), MAX_FAULTS)])
    _check_options(request)
    parts = _parts(request)
    return await answer(request, _entries(request, parts))


def _check_options(request: web.Request) -> None:
    """Refuses options and labels that break rules once, not with each part."""
    try:
        check_submission({"text": "Any.", **of_query(request)})
    except InvalidSubmissionError as error:
        faults = [replace(fault, field=fault.field.removeprefix("options.")) for fault in error.faults]
        detail = "The query breaks the rules of a submission."
        raise ProblemError(Problem(problems.INVALID_SUBMISSION, detail, faults)) from None


def _parts(request: web.Request) -> PartCutter:
    _, parameters = parse_options_header(request.headers[hdrs.CONTENT_TYPE])
    try:
        return PartCutter(parameters.get("boundary", ""), request.app[LIMITS].max_body_bytes)
    except ParserError:
        raise invalid_parameter("Content-Type", "boundary", "must have a boundary (RFC 7578, section 4.1)") from None


async def _entries(request: web.Request, parts: PartCutter) -> AsyncGenerator[Sequence[Entry], None]:
    """Yields the documents of the parts as they arrive. If the body breaks off, the last entry says why."""
    files = _Files(request)
    try:
        async with aclosing(arriving(request, parts)) as found:
            async for some in found:
                yield await files.entries(some)
    except TimeoutError:
        yield [Entry({"part": parts.number}, 0, request.app[READING].over(), breaks_off=True)]
    except BrokenBodyError:
        yield [Entry({"part": parts.number}, 0, broken("or is not multipart/form-data"), breaks_off=True)]


@dataclass(frozen=True, slots=True)
class _File:
    """A part that can be a document, as it came."""

    part: FormPart
    kind: Kind
    body: bytes


class _Files:
    """Makes documents of the parts of one request. All have the options and labels of its query."""

    def __init__(self, request: web.Request) -> None:
        self._documents = EntryMaker(request)
        self._fields = of_query(request)
        self._limit_bytes = request.app[LIMITS].max_body_bytes
        self._decode = request.app[DECODE]

    async def entries(self, parts: Sequence[FormPart]) -> Sequence[Entry]:
        """Returns the entries of parts that arrived together."""
        found = list(map(self._file, parts))
        # In a thread, because charset detection can take a large part of a second; all in one, because each takes time.
        texts = iter(await asyncio.to_thread(self._texts, [each for each in found if isinstance(each, _File)]))
        return [each if isinstance(each, Entry) else self._entry(each, next(texts)) for each in found]

    def _file(self, part: FormPart) -> _File | Entry:
        try:
            if part.body is None:
                raise too_large("part", self._limit_bytes)
            kind = _kind(part, part.body)
            refuse_files(kind, part.body)
        except ProblemError as error:
            return Entry(_place(part), 0, error.problem)
        return _File(part, kind, part.body)

    def _texts(self, files: Sequence[_File]) -> Sequence[Decoded]:
        return [self._decode(each.body, each.part.charset) for each in files]

    def _entry(self, file: _File, text: Decoded) -> Entry:
        try:
            checked = raw_submission(file.kind, text, self._fields)
        except InvalidSubmissionError as error:
            detail = "The part breaks the rules of a submission."
            return Entry(_place(file.part), 0, Problem(problems.INVALID_SUBMISSION, detail, error.faults))
        return self._documents.entry(_place(file.part), file.part.number, len(file.body), checked)


def _place(part: FormPart) -> Mapping[str, object]:
    return {"part": part.number} | ({} if part.name is None else {"name": part.name})


def _kind(part: FormPart, body: bytes) -> Kind:
    """Returns what the part holds, by its header, else by the name of its file, else by its first bytes.

    Raises:
        ProblemError: it is a form field, or a file of another type.
    """
    if part.name is None and part.media_type is None:
        fault = Fault("body", "form_field", "is a form field, not a file: options and labels go into the query")
        raise ProblemError(Problem(problems.INVALID_SUBMISSION, "The part is not a file.", [fault]))
    if part.media_type not in _GENERIC:
        if part.media_type in RAW_KINDS:
            return RAW_KINDS[part.media_type]
        raise unsupported("Content-Type", "media_type", f"of a part must be one of {', '.join(RAW_KINDS)}, or absent")
    by_name = _BY_SUFFIX.get(PurePath(part.name or "").suffix.lower())
    if by_name is not None:
        return by_name
    return Kind.HTML if looks_like_html(body) else RAW_KINDS[TEXT]
