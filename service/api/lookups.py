"""GET /v1/documents and GET /v1/documents/{id}."""

from typing import Any, Final

from contract.article import Article
from contract.events import MEDIA_TYPE as EVENT_TYPE
from contract.events import FailedEvent, ProcessedEvent
from contract.job import Kind
from contract.keys import Scope
from contract.ledger import State
from contract.reasons import Reason
from contract.search import MAX_QUERY_CHARS
from contract.submission import MAX_LABELS
from service import problems
from service.api import samples
from service.api.document_answers import DocumentList, DocumentState, UnknownDocument
from service.api.forms import ARTICLE_TYPE, EVENT_AND_ARTICLE_FORMS
from service.api.headers import APPLIED, GUARDS, MAYBE_RETRY_AFTER, RETRY_AFTER, TAGGED
from service.api.operation import (
    JSON,
    TEXT,
    Content,
    Example,
    Link,
    Location,
    Operation,
    Parameter,
    Response,
    Schema,
    one_of,
    text,
    whole,
)
from service.api.posting import BATCH, PREFER

FORMATS: Final = {"status": JSON, **EVENT_AND_ARTICLE_FORMS}  # in order of preference if several are as welcome
MAX_RUN: Final = 999_999_999  # of a run; chosen: nine digits, far above what there is
MAX_LIMIT: Final = 500  # documents on a page; chosen to limit the size of an answer and the time of a query
DEFAULT_LIMIT: Final = 50  # documents on a page; chosen: a few screens
MAX_NAME_CHARS: Final = 320  # of a host name (at most 253) or a label with its name; chosen with a margin

DOCUMENT_ID: Final = Parameter(
    name="id",
    location=Location.PATH,
    required=True,
    about="The id that the receipt named.",
    schema={"type": "string", "minLength": 1},
)
IF_NONE_MATCH: Final = Parameter(
    name="If-None-Match",
    location=Location.HEADER,
    about="The `ETag` of an answer that the caller has.",
    schema={"type": "string"},
)
FORMAT: Final = Parameter(
    name="format",
    about="The form of the answer; it goes before `Accept`, which asks by media type.",
    schema={"type": "string", "enum": list(FORMATS)},
)
RUN: Final = Parameter(name="run", about="A run of the document; by default the latest.", schema=whole(1, MAX_RUN))

_TIME: Schema = {"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}
_NAME: Schema = text(least=1, most=MAX_NAME_CHARS, pattern="^[^\\x00]+$")
LIMIT: Final = Parameter(name="limit", about="So many at most.", schema=whole(1, MAX_LIMIT, default=DEFAULT_LIMIT))
ID_CURSOR: Final = Parameter(
    name="cursor",
    about="Behind the page that named it as its `next`.",
    schema={"type": "string", "pattern": "^[0-9a-f-]{36}$"},
)
LIST_PARAMETERS: Final = (
    Parameter(name="state", about="In this state.", schema=one_of(State)),
    Parameter(name="reason", about="That failed, or wait for a retry, for this reason.", schema=one_of(Reason)),
    Parameter(name="kind", about="Submitted as this.", schema=one_of(Kind)),
    Parameter(name="host", about="Of this host, as `www.example.com`.", schema=_NAME),
    Parameter(name="language", about="In this language, as `en`.", schema=_NAME),
    Parameter(
        name="label",
        about="With this label, as `desk:7`; several times: with all of them.",
        schema=text(least=2, most=MAX_NAME_CHARS + 1, pattern="^[^:\\x00]+:[^\\x00]*$"),
        repeatable=MAX_LABELS,
    ),
    Parameter(name="batch", about="Of the batch with this id or name.", schema=BATCH.schema),
    Parameter(name="accepted_after", about="Accepted at this time or later; without a zone in UTC.", schema=_TIME),
    Parameter(name="accepted_before", about="Accepted before this time.", schema=_TIME),
    Parameter(name="published_after", about="Published at this time or later.", schema=_TIME),
    Parameter(name="published_before", about="Published before this time.", schema=_TIME),
    Parameter(
        name="q",
        about='Whose title or text holds all these words and "phrases", and none of those with a `-` before them.',
        schema=text(least=1, most=MAX_QUERY_CHARS),
    ),
    LIMIT,
    Parameter(
        name="cursor",
        about="Behind the page that named it as its `next`.",
        schema={"type": "string", "minLength": 1},
    ),
)

_LEDGER_PROBLEMS = (problems.INVALID_PARAMETER, problems.LEDGER_NOT_CONFIGURED, problems.LEDGER_UNAVAILABLE)
NOT_MODIFIED: Final = Response(
    status=304, about="The caller has it: `If-None-Match` holds its `ETag`.", headers=(*TAGGED, APPLIED, *GUARDS)
)

LIST_DOCUMENTS: Final = Operation(
    id="list_documents",
    method="GET",
    path="/v1/documents",
    scope=Scope.READ,
    group="Looking up",
    summary="List documents, newest first",
    about="Those for which all that is given holds, by their latest run. Pages do not shift under new documents.",
    parameters=(*LIST_PARAMETERS, IF_NONE_MATCH),
    responses=(
        Response(
            status=200,
            about="A page.",
            content={JSON: DocumentList},
            headers=TAGGED,
            links=(Link(name="next page", to="list_documents", parameter="cursor", value="$response.body#/next"),),
        ),
        NOT_MODIFIED,
    ),
    problems=_LEDGER_PROBLEMS,
    examples={
        "search": Example(
            about="What was found.",
            values={"q": 'ferry "lower town" -tunnel', "state": "processed", "label": ["desk:foreign"], "limit": 10},
            answer=DocumentList(documents=(samples.RUN,), next=None),
        ),
        "too many": Example(
            about="More than a page holds.",
            values={"limit": MAX_LIMIT + 1},
            status=400,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.INVALID_PARAMETER,
        ),
    },
)

_HTML: Content = {"type": "string", "description": "The article's HTML, sanitised."}
_STATE: Content = DocumentState | UnknownDocument


def _shown(name: str, status: int = 200, **more: Any) -> Example:  # noqa: ANN401 - fields of an example
    return Example(about=FORMATS[name], values={"id": samples.ID, "format": name}, status=status, **more)


SHOW_DOCUMENT: Final = Operation(
    id="show_document",
    method="GET",
    path="/v1/documents/{id}",
    scope=Scope.READ,
    group="Looking up",
    summary="What became of a document",
    about="Its state, or, as `format` or `Accept` says, its event or its article in one of its forms.",
    parameters=(DOCUMENT_ID, FORMAT, RUN, IF_NONE_MATCH, PREFER),
    responses=(
        Response(
            status=200,
            about="Here it is. `Retry-After` comes with the state of a document that is not decided.",
            content={
                JSON: DocumentState,
                EVENT_TYPE: ProcessedEvent | FailedEvent,
                ARTICLE_TYPE: Article,
                TEXT: {"type": "string", "description": "The article's text."},
                "text/markdown": {"type": "string", "description": "The article's Markdown."},
                "text/html": _HTML,
            },
            headers=(*TAGGED, MAYBE_RETRY_AFTER, APPLIED, *GUARDS),
        ),
        Response(
            status=202,
            about="Nothing could have this form yet, or nothing is recorded of this id yet: ask again.",
            content={JSON: _STATE},
            headers=(*TAGGED, RETRY_AFTER, APPLIED),
        ),
        NOT_MODIFIED,
    ),
    problems=(*_LEDGER_PROBLEMS, problems.NOT_FOUND, problems.NO_ARTICLE, problems.NOT_ACCEPTABLE, problems.ERASED),
    examples={
        "state": _shown("status", answer=samples.state()),
        "event": _shown("event", answer_type=EVENT_TYPE, answer=samples.EVENT),
        "article": _shown("article", answer_type=ARTICLE_TYPE, answer=samples.EVENT.data),
        "text": _shown("text", answer_type=TEXT, answer=samples.EVENT.data.text),
        "markdown": _shown("markdown", answer_type="text/markdown", answer=samples.EVENT.data.markdown),
        "html": _shown("html", answer_type="text/html", answer=samples.EVENT.data.html),
        "not yet": Example(
            about="A document that is not decided.", values={"id": samples.WAITING_ID, "format": "text"}, status=202
        ),
        "failed": Example(
            about="The text of a document that failed.",
            values={"id": samples.FAILED_ID, "format": "text"},
            status=404,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.NO_ARTICLE,
        ),
        "missing": Example(
            about="An id that is not known.",
            values={"id": samples.MISSING_ID},
            status=404,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.NOT_FOUND,
        ),
    },
)
