"""POST /v1/documents."""

from collections.abc import Mapping
from typing import Final

from contract.article import Article
from contract.batches import MAX_NAME_CHARS
from contract.events import MEDIA_TYPE as EVENT_TYPE
from contract.events import FailedEvent, ProcessedEvent
from contract.ids import line_id
from contract.job import Kind, Lane
from contract.keys import ANONYMOUS, Scope
from contract.options import Focus, Format, OnDuplicate, Part
from contract.rules import MAX_URL_CHARS
from contract.submission import KEY_CHARS, MAX_LABELS, BulkSubmission, Submission
from service import problems
from service.api import samples
from service.api.answers import BatchEnd, LineProblem, LineReceipt, PartProblem, PartReceipt, Receipt, present
from service.api.forms import ARTICLE_TYPE
from service.api.headers import APPLIED, GUARDS, LOCATION, MAYBE_CACHE_CONTROL
from service.api.operation import (
    FLAG,
    JSON,
    TEXT,
    Content,
    Example,
    JsonLines,
    Link,
    Location,
    Operation,
    Parameter,
    Response,
    one_of,
    text,
)

RAW_KINDS: Final = {
    TEXT: Kind.TEXT,
    "text/html": Kind.HTML,
    "text/markdown": Kind.TEXT,
    "application/xhtml+xml": Kind.HTML,
}
RAW: Final[Content] = {"description": "The document itself, in any charset."}
NDJSON: Final = "application/x-ndjson"
FORM: Final = "multipart/form-data"
_RAW = "Of a body that is no JSON: "
LABEL_PREFIX: Final = "labels"

IDEMPOTENCY_KEY: Final = Parameter(
    name="Idempotency-Key",
    location=Location.HEADER,
    about="The same key gives the document the same id, however often it is posted. With another body it is refused.",
    schema=text(least=1, most=KEY_CHARS, pattern="^[\\x21-\\x7e]+$"),
)
PREFER: Final = Parameter(
    name="Prefer",
    location=Location.HEADER,
    about="`wait=20`: answer when the document is decided, or after 20 seconds (RFC 7240).",
    schema={"type": "string"},
)
LISTS: Final = (
    Parameter(
        name="formats",
        about=f"{_RAW}forms of the article, with commas between them, as `text,markdown`.",
        schema={"type": "string", "pattern": f"^({'|'.join(Format)})(,({'|'.join(Format)}))*$"},
    ),
    Parameter(
        name="include",
        about=f"{_RAW}its optional parts that are wanted, with commas between them.",
        schema={"type": "string", "pattern": f"^(({'|'.join(Part)})(,({'|'.join(Part)}))*)?$"},
    ),
)
OPTIONS: Final = (
    Parameter(name="lane", about=f"{_RAW}the queue that it waits in.", schema=one_of(Lane)),
    Parameter(
        name="focus",
        about=f"{_RAW}which error is worse: more text than the article's, or less.",
        schema=one_of(Focus),
    ),
    Parameter(name="keep_all", about=f"{_RAW}keep every line of pasted text.", schema={"type": "boolean"}),
    Parameter(
        name="on_duplicate",
        about=f"{_RAW}publish it even if it is a duplicate of an article before, or drop it then.",
        schema=one_of(OnDuplicate),
    ),
    Parameter(
        name="callback_url",
        about=f"{_RAW}where its event is posted to when it is decided. Proxies may log the query.",
        schema=text(least=1, most=MAX_URL_CHARS),
    ),
    *LISTS,
)
LABEL: Final = Parameter(
    name=LABEL_PREFIX,
    family=True,
    repeatable=MAX_LABELS,
    about=f"{_RAW}its labels, at most {MAX_LABELS}: `labels.desk=foreign` is the label `desk`.",
    schema=text(most=256),
)
RAW_PARAMETERS: Final = (
    Parameter(name="url", about=f"{_RAW}where it came from.", schema=text(least=1, most=MAX_URL_CHARS)),
    *OPTIONS,
    LABEL,
)

FORM_PARAMETERS: Final = (*OPTIONS, LABEL)

BATCH: Final = Parameter(
    name="batch",
    about="The name of the caller's batch that the documents belong to. The receipts have its id.",
    schema=text(least=1, most=MAX_NAME_CHARS, pattern="^[^\\x00-\\x1f\\x7f]+$"),
)
CLOSE_BATCH: Final = Parameter(
    name="close_batch",
    about="`true`: no documents follow in the batch. An event tells when all of it is decided.",
    schema=FLAG,
)
BATCH_PARAMETERS: Final = (BATCH, CLOSE_BATCH)

FILES: Final[Content] = {
    "type": "object",
    "description": "Each part with a file name is a document, in any charset.",
    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
}

_LINKS: Final = tuple(
    Link(name=name, to=operation, parameter="id", value="$response.body#/id")
    for name, operation in (
        ("state", "show_document"),
        ("cancel", "cancel_document"),
        ("rerun", "rerun_document"),
        ("erase", "erase_document"),
    )
)

ManyAnswers = LineReceipt | LineProblem | PartReceipt | PartProblem | BatchEnd
_EVENT: Content = ProcessedEvent | FailedEvent
_FORM: Content = {"type": "string", "description": "The article in this form."}
_RECEIPT = present(Receipt(id=samples.ID, lane=Lane.INTERACTIVE))

BODIES: Final[Mapping[str, Content]] = {JSON: Submission, **dict.fromkeys(RAW_KINDS, RAW)}

POST_DOCUMENT: Final = Operation(
    id="post_document",
    method="POST",
    path="/v1/documents",
    scope=Scope.SUBMIT,
    charged=True,
    group="Posting",
    summary="Submit a document",
    about=(
        "The answer comes when the document is stored: from then on it is not lost. JSON has everything in the body. "
        "Any other body is the document itself, and the query has the rest. The body may be compressed: "
        "`Content-Encoding: gzip`, `zstd` or `deflate`.\n\n"
        "`application/x-ndjson` holds any number of documents, one a line. Each is answered with a line of its own "
        "as soon as it is stored. A line that breaks rules does not concern the others. With `Idempotency-Key`, the id "
        "of a line follows from the key and the number of the line. `idempotency_key` in a line counts in its place, "
        "as if the line were posted alone with this key. `Prefer` is ignored.\n\n"
        "`multipart/form-data` holds files, each a document, which are answered in the same way. The type of a file "
        "follows from the header of its part, else from its name, else from its first bytes.\n\n"
        "With `batch` the documents belong to a batch, which `GET /v1/batches/{id}` shows. With `close_batch=true` it "
        "ends with this request, if all that may be stored is stored; the last line of many says so."
    ),
    parameters=(IDEMPOTENCY_KEY, PREFER, *RAW_PARAMETERS, *BATCH_PARAMETERS),
    bodies={**BODIES, NDJSON: JsonLines(BulkSubmission), FORM: FILES},
    responses=(
        Response(
            status=200,
            about=(
                "Decided, while the request waited: the event, or the form of the article that `Accept` asks for. "
                "Of many documents: what became of each, in their order, while the rest is still being sent."
            ),
            content={EVENT_TYPE: _EVENT, JSON: _EVENT, ARTICLE_TYPE: Article, NDJSON: JsonLines(ManyAnswers)}
            | dict.fromkeys((TEXT, "text/markdown", "text/html"), _FORM),
            headers=(LOCATION, APPLIED, MAYBE_CACHE_CONTROL, *GUARDS),
        ),
        Response(status=202, about="Stored.", content={JSON: Receipt}, headers=(LOCATION, APPLIED), links=_LINKS),
    ),
    problems=(
        problems.INVALID_PARAMETER,
        problems.MALFORMED_BODY,
        problems.NO_ARTICLE,
        problems.NOT_ACCEPTABLE,
        problems.BODY_TIMEOUT,
        problems.CONTENT_TOO_LARGE,
        problems.UNSUPPORTED_MEDIA_TYPE,
        problems.INVALID_SUBMISSION,
        problems.IDEMPOTENCY_KEY_REUSED,
        problems.BATCH_CLOSED,
        problems.INTAKE_FULL,
        problems.LEDGER_NOT_CONFIGURED,
        problems.CALLBACKS_NOT_CONFIGURED,
        problems.BROKER_UNAVAILABLE,
        problems.STOPPING,
    ),
    examples={
        "text": Example(
            about="Pasted text, in all forms.",
            values={IDEMPOTENCY_KEY.name: samples.KEY},
            media_type=JSON,
            body={
                "text": samples.TEXT,
                "labels": {"desk": "foreign"},
                "options": {"formats": ["text", "markdown", "html"]},
            },
            status=202,
            answer=_RECEIPT,
        ),
        "url": Example(
            about="A page to fetch, after those that somebody waits for.",
            media_type=JSON,
            body={"url": "https://example.com/news/ferry", "options": {"lane": "bulk"}},
            status=202,
            answer=present(Receipt(id=samples.WAITING_ID, lane=Lane.BULK)),
        ),
        "raw": Example(
            about="The same text as it is.",
            media_type=TEXT,
            body=samples.TEXT,
            status=202,
            answer=_RECEIPT,
        ),
        "lines": Example(
            about="Two documents, one a line.",
            values={IDEMPOTENCY_KEY.name: samples.KEY},
            media_type=NDJSON,
            body='{"url": "https://example.com/news/ferry"}\n{"text": "The ferry sails again from Monday."}\n',
            status=200,
            answer_type=NDJSON,
            answer="".join(
                f'{{"line":{line},"id":"{line_id(ANONYMOUS, samples.KEY, line)}","lane":"bulk","status":202}}\n'
                for line in (1, 2)
            ),
        ),
        "batch": Example(
            about="A whole batch.",
            values={IDEMPOTENCY_KEY.name: samples.KEY, BATCH.name: samples.BATCH_NAME, CLOSE_BATCH.name: True},
            media_type=NDJSON,
            body='{"url": "https://example.com/news/ferry"}\n',
            status=200,
            answer_type=NDJSON,
            answer=(
                f'{{"line":1,"id":"{line_id(ANONYMOUS, samples.KEY, 1)}","lane":"bulk","status":202,'
                f'"batch":"{samples.BATCH_ID}"}}\n{{"batch":"{samples.BATCH_ID}","closed":true,"status":202}}\n'
            ),
        ),
        "two contents": Example(
            about="A body that breaks a rule.",
            media_type=JSON,
            body={"text": "a", "html": "<p>a"},
            status=422,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.INVALID_SUBMISSION,
        ),
        "form": Example(
            about="A form is not taken.",
            media_type="application/x-www-form-urlencoded",
            body="text=a",
            status=415,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.UNSUPPORTED_MEDIA_TYPE,
        ),
    },
)
