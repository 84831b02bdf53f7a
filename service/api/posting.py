"""POST /v1/documents."""

from collections.abc import Mapping
from typing import Final

from contract.article import Article
from contract.events import MEDIA_TYPE as EVENT_TYPE
from contract.events import FailedEvent, ProcessedEvent
from contract.job import Kind, Lane
from contract.keys import Scope
from contract.options import Focus, Format, Part
from contract.rules import MAX_URL_CHARS
from contract.submission import MAX_LABELS, Submission
from service import problems
from service.api import samples
from service.api.answers import Receipt, present
from service.api.headers import APPLIED, CACHE_CONTROL, GUARDS, LOCATION
from service.api.operation import (
    JSON,
    TEXT,
    Answer,
    Content,
    Example,
    Link,
    Operation,
    Parameter,
    Place,
    one_of,
    text,
)
from service.forms import ARTICLE_TYPE

RAW_KINDS: Final = {
    TEXT: Kind.TEXT,
    "text/html": Kind.HTML,
    "text/markdown": Kind.TEXT,
    "application/xhtml+xml": Kind.HTML,
}
RAW: Final[Content] = {"description": "The document itself, in any charset."}
KEY_CHARS: Final = 255  # of an Idempotency-Key; chosen
_RAW = "Of a body that is no JSON: "
LABEL_PREFIX: Final = "labels"

IDEMPOTENCY_KEY: Final = Parameter(
    name="Idempotency-Key",
    place=Place.HEADER,
    about="The same key gives the document the same id, however often it is posted.",
    schema=text(least=1, most=KEY_CHARS, pattern="^[\\x21-\\x7e]+$"),
)
PREFER: Final = Parameter(
    name="Prefer",
    place=Place.HEADER,
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

_LINKS: Final = tuple(
    Link(name=name, to=operation, parameter="id", value="$response.body#/id")
    for name, operation in (
        ("state", "show_document"),
        ("cancel", "cancel_document"),
        ("rerun", "rerun_document"),
        ("erase", "erase_document"),
    )
)

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
        "`Content-Encoding: gzip`, `zstd` or `deflate`."
    ),
    parameters=(IDEMPOTENCY_KEY, PREFER, *RAW_PARAMETERS),
    bodies=BODIES,
    answers=(
        Answer(
            status=200,
            about="Decided, while the request waited: the event, or the form of the article that `Accept` asks for.",
            content={EVENT_TYPE: _EVENT, JSON: _EVENT, ARTICLE_TYPE: Article}
            | dict.fromkeys((TEXT, "text/markdown", "text/html"), _FORM),
            headers=(LOCATION, APPLIED, CACHE_CONTROL, *GUARDS),
        ),
        Answer(status=202, about="Stored.", content={JSON: Receipt}, headers=(LOCATION, APPLIED), links=_LINKS),
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
        problems.INTAKE_FULL,
        problems.BROKER_UNAVAILABLE,
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
