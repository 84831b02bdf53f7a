"""GET /v1/events."""

from typing import Final

from contract.events import MEDIA_TYPE as EVENT_TYPE
from contract.keys import Scope
from contract.patterns import MAX_PATTERN_CHARS, MAX_PATTERNS, PATTERN_SHAPE
from service import problems
from service.api.operation import Answer, Example, Header, Operation, Parameter, Place, Schema, text, whole

MAX_LAST: Final = 999_999  # events; chosen: six digits, far above what one look-back reaches
OFFSET_PATTERN: Final = "^(-1|oldest|[0-9]{1,18})$"
STREAM_TYPE: Final = "text/event-stream"

AFTER: Final = Parameter(
    name="after",
    about="Those behind this log offset; `-1` or `oldest` for all. By default those that are written from now on.",
    schema={"type": "string", "pattern": OFFSET_PATTERN},
)
LAST: Final = Parameter(
    name="last", about="Begin with so many of the newest that match; not with `after`.", schema=whole(0, MAX_LAST)
)
PATTERN: Final = Parameter(
    name="pattern",
    about="Those whose routing key matches one of these: `*` is one word, `#` any number of words.",
    schema=text(least=1, most=MAX_PATTERN_CHARS, pattern=PATTERN_SHAPE),
    repeatable=MAX_PATTERNS,
)
LAST_EVENT_ID: Final = Parameter(
    name="Last-Event-ID",
    place=Place.HEADER,
    about="The `id` of the last event that was read, as an EventSource sends it; it goes before `after`.",
    schema=AFTER.schema,
)

_EVENT: Schema = {
    "type": "object",
    "description": "Each server-sent event.",
    "required": ["id", "data"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9]+$", "description": "The offset in the log."},
        "data": {
            "type": "string",
            "contentMediaType": EVENT_TYPE,
            "description": "The event, in the bytes of the log.",
        },
    },
}

GET_EVENTS: Final = Operation(
    id="get_events",
    method="GET",
    path="/v1/events",
    scope=Scope.ADMIN,
    group="Events",
    summary="The output events, as they are written",
    about=(
        "Server-sent events: `id` is the offset in the log, `data` the event in the bytes of the log. "
        "The stream has no end; comments come while nothing is written."
    ),
    parameters=(AFTER, LAST, PATTERN, LAST_EVENT_ID),
    answers=(
        Answer(
            status=200,
            about="The stream.",
            content={STREAM_TYPE: _EVENT},
            headers=(
                Header("Cache-Control", "`no-cache`."),
                Header("X-Accel-Buffering", "`no`: a proxy passes each event on at once."),
            ),
        ),
    ),
    problems=(
        problems.INVALID_PARAMETER,
        problems.POSITION_GONE,
        problems.BROKER_UNAVAILABLE,
        problems.TOO_MANY_STREAMS,
    ),
    examples={
        "last": Example(
            about="The last article in English, and what follows.", values={"last": 1, "pattern": ["processed.en.#"]}
        ),
        "no word": Example(
            about="A pattern that is none.",
            values={"pattern": ["processed..en"]},
            status=400,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.INVALID_PARAMETER,
        ),
    },
)
