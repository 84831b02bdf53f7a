"""What the server tells about itself."""

from typing import Final

from contract.schemas import FILES
from service import problems
from service.api.answers import Index
from service.api.headers import GUARDS, TAGGED
from service.api.lookups import IF_NONE_MATCH, NOT_MODIFIED
from service.api.operation import JSON, TEXT, Example, Location, Operation, Parameter, Response

_GROUP = "About"
SCHEMA_TYPE: Final = "application/schema+json"  # JSON Schema 2020-12, section 14
DOCS_FILES: Final = {
    "page.js": "text/javascript",
    "page.css": "text/css",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
"""The files of the page, by name."""

GET_INDEX: Final = Operation(
    id="get_index",
    method="GET",
    path="/",
    group=_GROUP,
    summary="What this is",
    responses=(Response(status=200, about="Its name and its routes.", content={JSON: Index}),),
    examples={"index": Example(about="What this is.")},
)
GET_PROBLEM: Final = Operation(
    id="get_problem",
    method="GET",
    path="/problems/{slug}",
    group=_GROUP,
    summary="What a problem type means",
    parameters=(
        Parameter(
            name="slug",
            location=Location.PATH,
            required=True,
            about="The last part of a problem's `type`.",
            schema={"type": "string", "enum": [kind.slug for kind in problems.ALL]},
        ),
    ),
    responses=(Response(status=200, about="In words.", content={TEXT: {"type": "string"}}),),
    problems=(problems.NOT_FOUND,),
    examples={
        "full": Example(
            about="A full queue.",
            values={"slug": problems.INTAKE_FULL.slug},
            answer_type=TEXT,
            answer=problems.INTAKE_FULL.in_words,
        ),
        "missing": Example(
            about="No such type.",
            values={"slug": "no-such-problem"},
            status=404,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.NOT_FOUND,
        ),
    },
)
GET_OPENAPI: Final = Operation(
    id="get_openapi",
    method="GET",
    path="/openapi.json",
    group=_GROUP,
    summary="This document",
    parameters=(IF_NONE_MATCH,),
    responses=(
        Response(
            status=200,
            about="OpenAPI 3.1.",
            content={JSON: {"type": "object", "required": ["openapi", "info", "paths", "components"]}},
            headers=TAGGED,
        ),
        NOT_MODIFIED,
    ),
    examples={"document": Example(about="All of it.")},
)
GET_ASYNCAPI: Final = Operation(
    id="get_asyncapi",
    method="GET",
    path="/asyncapi.json",
    group=_GROUP,
    summary="The events on the exchange and in the log",
    parameters=(IF_NONE_MATCH,),
    responses=(
        Response(
            status=200,
            about="AsyncAPI 3.0.",
            content={JSON: {"type": "object", "required": ["asyncapi", "info", "channels", "operations"]}},
            headers=TAGGED,
        ),
        NOT_MODIFIED,
    ),
    examples={"document": Example(about="All of it.")},
)
GET_SCHEMA: Final = Operation(
    id="get_schema",
    method="GET",
    path="/schemas/{file}",
    group=_GROUP,
    summary="The JSON Schema of a message",
    about="Of submissions, events, and what is in queues and streams.",
    parameters=(
        Parameter(
            name="file",
            location=Location.PATH,
            required=True,
            about="The name of its file.",
            schema={"type": "string", "enum": list(FILES)},
        ),
        IF_NONE_MATCH,
    ),
    responses=(
        Response(
            status=200,
            about="JSON Schema 2020-12.",
            content={SCHEMA_TYPE: {"type": "object", "required": ["$schema", "$id"]}},
            headers=TAGGED,
        ),
        NOT_MODIFIED,
    ),
    problems=(problems.NOT_FOUND,),
    examples={
        "event": Example(
            about="That of an article's event.",
            values={"file": "document.processed.v1.json"},
            answer_type=SCHEMA_TYPE,
        ),
        "missing": Example(
            about="No such schema.",
            values={"file": "document.v0.json"},
            status=404,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.NOT_FOUND,
        ),
    },
)
GET_DOCS: Final = Operation(
    id="get_docs",
    method="GET",
    path="/docs",
    group=_GROUP,
    summary="This document, to read and to try",
    about="Swagger UI, from this server alone.",
    responses=(
        Response(status=200, about="The page.", content={"text/html": {"type": "string"}}, headers=(*TAGGED, *GUARDS)),
        NOT_MODIFIED,
    ),
    parameters=(IF_NONE_MATCH,),
    examples={"page": Example(about="The page.")},
)
GET_DOCS_FILE: Final = Operation(
    id="get_docs_file",
    method="GET",
    path="/docs/{name}",
    group=_GROUP,
    summary="A file of the page",
    parameters=(
        Parameter(
            name="name",
            location=Location.PATH,
            required=True,
            about="The name of the file.",
            schema={"type": "string", "enum": list(DOCS_FILES)},
        ),
        IF_NONE_MATCH,
    ),
    responses=(
        Response(
            status=200,
            about="The file.",
            content={media_type: {"type": "string"} for media_type in DOCS_FILES.values()},
            headers=(*TAGGED, *GUARDS),
        ),
        NOT_MODIFIED,
    ),
    problems=(problems.NOT_FOUND,),
    examples={
        "style": Example(about="A style sheet.", values={"name": "page.css"}),
        "missing": Example(
            about="No such file.",
            values={"name": "no-such-file"},
            status=404,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.NOT_FOUND,
        ),
    },
)
