"""POST /v1/documents with application/x-ndjson: one document a line."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from itertools import islice

from aiohttp import web

from contract.faults import InvalidSubmissionError, MalformedSubmissionError
from contract.submission import parse_line
from service import problems
from service.api.operation import JSON
from service.api.posting import BATCH_PARAMETERS
from service.context import LIMITS
from service.http.bodies import BrokenBodyError, broken, too_large
from service.posting.bulk import answer, check
from service.posting.documents import MAX_FAULTS, check_coding, check_json_charset, key_faults, query_faults
from service.posting.entries import Entry, EntryMaker
from service.posting.lines import LineCutter, NumberedLine
from service.posting.reading import READING, arriving
from service.refusals import Problem


async def post_lines(request: web.Request) -> web.StreamResponse:
    """Answers 200 with one line for each line that is not blank: its receipt once it is stored, or its problem.

    Raises:
        ProblemError: header or query break rules. Nothing was read.
    """
    check_coding(request)
    check_json_charset(request)
    check([*key_faults(request), *islice(query_faults(request, JSON, BATCH_PARAMETERS), MAX_FAULTS)])
    return await answer(request, _entries(request))


async def _entries(request: web.Request) -> AsyncGenerator[Sequence[Entry], None]:
    """Yields the documents of the lines as they arrive. If the body breaks off, the last entry says why."""
    limits, documents = request.app[LIMITS], EntryMaker(request)
    lines = LineCutter(limits.max_body_bytes)
    try:
        async with aclosing(arriving(request, lines)) as found:
            async for some in found:
                yield [_entry(line, documents, limits.max_body_bytes) for line in some]
    except TimeoutError:
        yield [Entry({"line": lines.number}, 0, request.app[READING].over(), breaks_off=True)]
    except BrokenBodyError:
        yield [Entry({"line": lines.number}, 0, broken(), breaks_off=True)]


def _entry(line: NumberedLine, documents: EntryMaker, limit_bytes: int) -> Entry:
    place = {"line": line.number}
    if line.body is None:
        return Entry(place, 0, too_large("line", limit_bytes).problem)
    try:
        return documents.entry(place, line.number, len(line.body), parse_line(line.body))
    except MalformedSubmissionError as error:
        return Entry(place, 0, Problem(problems.MALFORMED_BODY, "The line cannot be read.", error.faults))
    except InvalidSubmissionError as error:
        detail = "The line breaks the rules of a submission."
        return Entry(place, 0, Problem(problems.INVALID_SUBMISSION, detail, error.faults))
