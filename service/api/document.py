"""Makes the OpenAPI 3.1 document of the operations. The schemas are those of `contract.codec`, as in docs/schemas."""

from collections.abc import Iterable, Mapping, Sequence
from types import UnionType
from typing import Any, Final, Literal

from pydantic import TypeAdapter

from contract.codec import adapter
from contract.submission import BulkSubmission, Submission
from service import problems
from service.api.answers import ProblemDetails
from service.api.headers import LIMITS, PROBLEM_HEADERS
from service.api.operation import Content, Example, Header, JsonLines, Location, Operation, Parameter, Response, Schema
from service.problems import ProblemType

VERSION: Final = "1"  # of the API
_REF = "#/components/schemas/{model}"
_ABOUT = """\
Post raw documents: a URL, pasted text, HTML. Look up what became of them, or subscribe to the articles.

Errors are `application/problem+json` (RFC 9457); their `type` is a path that says what it means. A `GET` goes with
`HEAD`, but for event streams and dead letters. Without an API key in the server's settings no caller needs one.
A method that a path does not take is answered with 405 and `Allow`. Unknown query parameters and fields are refused
by name.
"""

# What stands before the routes: any of them may answer with these.
_ANYWHERE: Final = (
    problems.BAD_REQUEST,
    problems.HEADER_TIMEOUT,
    problems.TARGET_TOO_LONG,
    problems.FOREIGN_HOST,
    problems.HEADER_TOO_LARGE,
    problems.INTERNAL_ERROR,
    problems.TOO_MANY_CONNECTIONS,
)
_WHERE_KEYS_ARE = (
    problems.UNAUTHORIZED,
    problems.FOREIGN_ORIGIN,
    problems.INSUFFICIENT_SCOPE,
    problems.KEYS_UNAVAILABLE,
)
_WHERE_IT_COUNTS = (problems.QUOTA_EXCEEDED,)


def problems_of(operation: Operation) -> Sequence[ProblemType]:
    """Returns all that `operation` may answer with."""
    with_keys = _WHERE_KEYS_ARE if operation.needs_key else ()
    return (*operation.problems, *_ANYWHERE, *with_keys, *(_WHERE_IT_COUNTS if operation.charged else ()))


def openapi(operations: Sequence[Operation], *, needs_key: bool) -> dict[str, Any]:
    """Returns the document. `needs_key` says whether this server has API keys."""
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        fields = _operation(operation, schemas)
        fields["security"] = _security(operation, needs_key=needs_key)
        paths.setdefault(operation.path, {})[operation.method.lower()] = fields
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Copydesk",
            "version": VERSION,
            "summary": "Raw copy in, clean articles out.",
            "description": _ABOUT,
        },
        "tags": [{"name": group} for group in dict.fromkeys(operation.group for operation in operations)],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key (RFC 6750). Each operation names the scope that the key needs.",
                },
                "event_token": {
                    "type": "apiKey",
                    "in": "query",
                    "name": "token",
                    "description": "A token of `POST /v1/event-tokens`, for an EventSource.",
                },
            },
            "schemas": schemas.components,
        },
    }


def _security(operation: Operation, *, needs_key: bool) -> list[dict[str, list[str]]]:
    """Returns what a caller needs: a key with a scope, or nothing (OpenAPI 3.1, Security Requirement Object)."""
    if operation.scope is None:
        return []
    ways: list[dict[str, list[str]]] = [{"key": [operation.scope]}]
    if operation.takes_token:
        ways.append({"event_token": []})
    return ways if needs_key else [*ways, {}]


class _Schemas:
    """The schemas of all types that the operations name. Types that are used twice stand in `components` once."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        contents = dict.fromkeys(content for one in operations for content in _types(one))
        inputs = [(kind, _mode(kind), adapter(kind)) for kind in (ProblemDetails, *contents)]
        found, definitions = TypeAdapter.json_schemas(inputs, ref_template=_REF)
        self._found = {kind: schema for (kind, _), schema in found.items()}
        self.components: dict[str, Any] = definitions["$defs"]

    def of(self, content: Content) -> Schema:
        """Returns the schema of what a body holds."""
        if isinstance(content, JsonLines):
            return {"type": "string", "description": "One value a line.", "contentSchema": self._found[content.kind]}
        return content if isinstance(content, Mapping) else self._found[content]


def _types(operation: Operation) -> Iterable[type | UnionType]:
    bodies = [operation.bodies, *(response.content for response in operation.responses)]
    contents = [content for body in bodies for content in body.values()]
    kinds = [content.kind if isinstance(content, JsonLines) else content for content in contents]
    return [kind for kind in kinds if not isinstance(kind, Mapping)]


def _mode(kind: type | UnionType) -> Literal["validation", "serialization"]:
    return "validation" if kind in {Submission, BulkSubmission} else "serialization"


def _operation(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    fields: dict[str, Any] = {"operationId": operation.id, "tags": [operation.group], "summary": operation.summary}
    if operation.about:
        fields["description"] = operation.about
    if operation.parameters:
        fields["parameters"] = [_parameter(parameter, operation.examples) for parameter in operation.parameters]
    if operation.bodies:
        fields["requestBody"] = {"required": operation.needs_body, "content": _bodies(operation, schemas)}
    fields["responses"] = {**_responses(operation, schemas), **_problems(operation, schemas)}
    return fields


def _parameter(parameter: Parameter, examples: Mapping[str, Example]) -> dict[str, Any]:
    fields: dict[str, Any] = {"name": parameter.name, "in": parameter.location, "description": parameter.about}
    fields["required"] = parameter.required or parameter.location is Location.PATH
    fields["schema"] = _parameter_schema(parameter)
    shown = {
        name: {"summary": example.about, "value": example.values[parameter.name]}
        for name, example in examples.items()
        if parameter.name in example.values
    }
    return {**fields, "examples": shown} if shown else fields


def _parameter_schema(parameter: Parameter) -> Schema:
    if parameter.family:
        name = f"^{parameter.name}\\..+$"
        bounds = {"maxProperties": parameter.repeatable, "additionalProperties": False}
        return {"type": "object", "patternProperties": {name: parameter.schema}, **bounds}
    if parameter.repeatable > 1:
        return {"type": "array", "items": parameter.schema, "maxItems": parameter.repeatable}
    return parameter.schema


def _bodies(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    bodies = {}
    for media_type, content in operation.bodies.items():
        posted = {
            name: {"summary": example.about, "value": example.body}
            for name, example in operation.examples.items()
            if example.media_type == media_type
        }
        bodies[media_type] = {"schema": schemas.of(content)} | ({"examples": posted} if posted else {})
    return bodies


def _responses(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    return {str(response.status): _response(response, operation, schemas) for response in operation.responses}


def _response(response: Response, operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    fields: dict[str, Any] = {"description": response.about}
    if response.content:
        fields["content"] = {
            media_type: {"schema": schemas.of(content)} | _shown(operation, response.status, media_type)
            for media_type, content in response.content.items()
        }
    headers = (*response.headers, *(LIMITS if operation.charged else ()))
    if headers:
        fields["headers"] = _headers(headers)
    if response.links:
        fields["links"] = {
            link.name: {"operationId": link.to, "parameters": {link.parameter: link.value}} for link in response.links
        }
    return fields


def _problems(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    by_status: dict[int, list[ProblemType]] = {}
    for kind in problems_of(operation):
        by_status.setdefault(kind.status, []).append(kind)
    return {str(status): _problem(operation, status, by_status[status], schemas) for status in sorted(by_status)}


def _problem(operation: Operation, status: int, kinds: Sequence[ProblemType], schemas: _Schemas) -> dict[str, Any]:
    narrowed = {"properties": {"type": {"enum": [kind.path for kind in kinds]}, "status": {"const": status}}}
    content = {"schema": {"allOf": [schemas.of(ProblemDetails), narrowed]}}
    fields: dict[str, Any] = {
        "description": "\n".join(f"- `{kind.slug}`: {kind.meaning}" for kind in kinds),
        "content": {problems.MEDIA_TYPE: content | _shown(operation, status, problems.MEDIA_TYPE)},
    }
    headers = (*PROBLEM_HEADERS.get(status, ()), *(LIMITS if operation.charged else ()))
    return {**fields, "headers": _headers(headers)} if headers else fields


def _shown(operation: Operation, status: int, media_type: str) -> dict[str, Any]:
    shown = {
        name: {"summary": example.about, "value": _plain(example.answer)}
        for name, example in operation.examples.items()
        if (example.status, example.answer_type) == (status, media_type) and example.answer is not None
    }
    return {"examples": shown} if shown else {}


def _plain(answer: object) -> object:
    """Returns an answer as it stands in JSON, but for types that orjson knows."""
    if not isinstance(answer, ProblemType):
        return answer
    return {"type": answer.path, "title": answer.title, "status": answer.status, "detail": answer.meaning}


def _headers(headers: Iterable[Header]) -> dict[str, Any]:
    return {
        header.name: {"description": header.about, "required": header.required, "schema": header.schema}
        for header in headers
    }
