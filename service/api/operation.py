"""What describes a route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import UnionType
from typing import Any

from contract.keys import Scope
from service.problems import ProblemType

Schema = Mapping[str, Any]
"""A JSON Schema (2020-12) as it stands in the document."""


@dataclass(frozen=True, slots=True)
class JsonLines:
    """JSON values of a type, one a line (https://github.com/ndjson/ndjson-spec)."""

    kind: type | UnionType


Content = type | UnionType | JsonLines | Schema
"""What a body holds: a type, whose schema pydantic makes, lines of a type, or a schema."""


class Location(StrEnum):
    """Where a parameter stands."""

    QUERY = "query"
    PATH = "path"
    HEADER = "header"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of a request.

    Attributes:
        name: as the request has it.
        about: what it does.
        schema: of its value; of a repeatable parameter, of each value.
        repeatable: it may stand there at most so many times.
        family: there may be any number of query parameters whose names begin with `name` and a dot.
    """

    name: str
    about: str
    schema: Schema
    location: Location = Location.QUERY
    required: bool = False
    repeatable: int = 1
    family: bool = False


@dataclass(frozen=True, slots=True)
class Header:
    """A header of an answer. Not `required`: only some of the answers with this status have it."""

    name: str
    about: str
    schema: Schema = field(default_factory=lambda: {"type": "string"})
    required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A call that an answer makes possible: a parameter of the operation `to` is a value of the answer."""

    name: str
    to: str
    parameter: str
    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer that is no problem: its status, what it means, its content by media type."""

    status: int
    about: str
    content: Mapping[str, Content] = field(default_factory=dict)
    headers: Sequence[Header] = ()
    links: Sequence[Link] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A request, and the answer to it.

    Attributes:
        about: what it shows.
        values: of parameters, by name.
        media_type, body: what is posted; a body that is no text is JSON.
        status: of the answer.
        answer: the answer's body where it is worth showing, in the media type `answer_type`.
    """

    about: str
    values: Mapping[str, Any] = field(default_factory=dict)
    media_type: str | None = None
    body: Any = None
    status: int = 200
    answer_type: str = "application/json"
    answer: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a route takes and answers.

    Attributes:
        id: the name of the operation for programs.
        path: with names in braces.
        scope: that the caller's API key needs, where the server has keys; None: it is open to all.
        summary: one line.
        about: the rest, in CommonMark.
        group: under which it is listed.
        takes_token: an event token in the query may stand in place of the API key.
        charged: it counts against the limits of the caller's key, and its answers may say what is left.
        bodies: what may be posted, by media type.
        needs_body: something must be posted, where anything may be.
        problems: its own, besides those that any route may answer with.
        examples: by name.
    """

    id: str
    method: str
    path: str
    summary: str
    group: str
    about: str = ""
    scope: Scope | None = None
    takes_token: bool = False
    charged: bool = False
    parameters: Sequence[Parameter] = ()
    bodies: Mapping[str, Content] = field(default_factory=dict)
    needs_body: bool = True
    responses: Sequence[Response] = ()
    problems: Sequence[ProblemType] = ()
    examples: Mapping[str, Example] = field(default_factory=dict)

    @property
    def needs_key(self) -> bool:
        """True if callers present an API key, where the server has any."""
        return self.scope is not None


def one_of(words: type[StrEnum]) -> Schema:
    """Returns the schema of a word of `words`."""
    return {"type": "string", "enum": list(words)}


def text(*, least: int = 0, most: int, pattern: str | None = None) -> Schema:
    """Returns the schema of a string of so many characters."""
    return {"type": "string", "minLength": least, "maxLength": most} | ({"pattern": pattern} if pattern else {})


def whole(least: int, most: int, *, default: int | None = None) -> Schema:
    """Returns the schema of a whole number in these bounds."""
    return {"type": "integer", "minimum": least, "maximum": most} | ({} if default is None else {"default": default})


FLAG: Schema = {"type": "boolean", "default": False}
JSON = "application/json"
TEXT = "text/plain"
