"""POST /v1/extract."""

from typing import Final

from contract.article import Article
from contract.keys import Scope
from service import problems
from service.api import samples
from service.api.forms import ARTICLE_TYPE
from service.api.headers import CACHE_CONTROL, GUARDS
from service.api.operation import JSON, TEXT, Example, Operation, Response
from service.api.posting import BODIES, IDEMPOTENCY_KEY, RAW_PARAMETERS

EXTRACT_DOCUMENT: Final = Operation(
    id="extract_document",
    method="POST",
    path="/v1/extract",
    scope=Scope.SUBMIT,
    charged=True,
    group="Posting",
    summary="Preview the article of a document",
    about=(
        "Takes the same requests as `POST /v1/documents`. The document is not stored: it has no event, and no retries. "
        "`Accept` chooses the form of the article. `lane` and `Idempotency-Key` have no effect."
    ),
    parameters=(IDEMPOTENCY_KEY, *RAW_PARAMETERS),
    bodies=BODIES,
    responses=(
        Response(
            status=200,
            about="The article.",
            content={
                ARTICLE_TYPE: Article,
                JSON: Article,
                TEXT: {"type": "string", "description": "The article's text."},
                "text/markdown": {"type": "string", "description": "The article's Markdown."},
                "text/html": {"type": "string", "description": "The article's HTML, sanitised."},
            },
            headers=(CACHE_CONTROL, *GUARDS),
        ),
    ),
    problems=(
        problems.INVALID_PARAMETER,
        problems.MALFORMED_BODY,
        problems.NOT_ACCEPTABLE,
        problems.BODY_TIMEOUT,
        problems.CONTENT_TOO_LARGE,
        problems.UNSUPPORTED_MEDIA_TYPE,
        problems.INVALID_SUBMISSION,
        problems.EXTRACTION_FAILED,
        problems.INTAKE_FULL,
        problems.BROKER_UNAVAILABLE,
        problems.TOO_MANY_EXTRACTIONS,
        problems.NO_WORKER,
        problems.EXTRACTION_TIMEOUT,
    ),
    examples={
        "text": Example(
            about="Pasted text.",
            media_type=JSON,
            body={"text": samples.TEXT},
            answer_type=ARTICLE_TYPE,
            answer=samples.EVENT.data,
        ),
        "two contents": Example(
            about="A body that breaks a rule.",
            media_type=JSON,
            body={"text": "a", "html": "<p>a"},
            status=422,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.INVALID_SUBMISSION,
        ),
    },
)
