"""GET /v1/events."""

from typing import Final

from contract.event_tokens import MAX_TOKEN_CHARS
from contract.events import MEDIA_TYPE as EVENT_TYPE
from contract.filters import MAX_FILTER_CHARS
from contract.keys import NAME, Scope
from contract.labels import StreamEnd
from contract.patterns import MAX_PATTERN_CHARS, MAX_PATTERNS, PATTERN_SHAPE
from service import problems
from service.api.operation import Example, Header, Location, Operation, Parameter, Response, Schema, text, whole

MAX_LAST: Final = 999_999  # events; chosen: six digits, far above what one look-back reaches
OFFSET_PATTERN: Final = "^(-1|oldest|[0-9]{1,18})$"
STREAM_TYPE: Final = "text/event-stream"
LINES_TYPE: Final = "application/x-ndjson"
FORMATS: Final = {"sse": STREAM_TYPE, "ndjson": LINES_TYPE}  # in order of preference if both are as welcome

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
FILTER: Final = Parameter(
    name="filter",
    about='Those of which this expression is true, as `language = en and labels.desk = "City"`.',
    schema=text(least=1, most=MAX_FILTER_CHARS),
)
UNTIL: Final = Parameter(
    name="until",
    about="End with this log offset, which may be one to come.",
    schema={"type": "string", "pattern": "^[0-9]{1,18}$"},
)
FOLLOW: Final = Parameter(
    name="follow",
    about=(
        "`false`: end with the newest event of now. Such a stream, like one with `until`, begins with the oldest event "
        "unless something else is said."
    ),
    schema={"type": "boolean", "default": True},
)
CONSUMER: Final = Parameter(
    name="consumer",
    about=(
        "Begin behind the offset that this named consumer of the caller has committed. One that there is not is made: "
        "`after` and `last` say where it begins."
    ),
    schema=text(least=1, most=64, pattern=f"^{NAME.pattern}$"),
)
TOKEN: Final = Parameter(
    name="token",
    about="A token of `POST /v1/event-tokens`, in place of an API key.",
    schema=text(least=1, most=MAX_TOKEN_CHARS),
)
FORMAT: Final = Parameter(
    name="format",
    about="The form of the stream; it goes before `Accept`, which asks by media type.",
    schema={"type": "string", "enum": list(FORMATS)},
)
LAST_EVENT_ID: Final = Parameter(
    name="Last-Event-ID",
    location=Location.HEADER,
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

LINE: Schema = {
    "type": "string",
    "description": "One object a line. All before `offset` is read, whether it was wanted or not.",
    "contentSchema": {
        "type": "object",
        "properties": {
            "offset": {"type": ["integer", "null"], "description": "In the log; null before the first event."},
            "event": {"type": "object", "description": "The event, in the bytes of the log. Absent in a heartbeat."},
            "ended": {
                "enum": list(StreamEnd),
                "description": "Why the stream ends: in its last line, which has no more.",
            },
        },
    },
}

GET_EVENTS: Final = Operation(
    id="get_events",
    method="GET",
    path="/v1/events",
    scope=Scope.ADMIN,
    takes_token=True,
    group="Events",
    summary="The output events, as they are written",
    about=(
        "Server-sent events: `id` is the offset in the log, `data` the event in the bytes of the log. "
        "Or a JSON object a line: `offset` and `event`. "
        "The stream has no end unless `follow` is `false`; comments, or lines with an offset alone, come while nothing "
        "is written."
    ),
    parameters=(AFTER, LAST, PATTERN, FILTER, UNTIL, FOLLOW, CONSUMER, TOKEN, FORMAT, LAST_EVENT_ID),
    responses=(
        Response(
            status=200,
            about="The stream.",
            content={STREAM_TYPE: _EVENT, LINES_TYPE: LINE},
            headers=(
                Header("Cache-Control", "`no-cache`."),
                Header(
                    "Access-Control-Allow-Origin",
                    "`*` with an event token: a page of any site may read it.",
                    required=False,
                ),
                Header("X-Accel-Buffering", "`no`: a proxy passes each event on at once."),
            ),
        ),
    ),
    problems=(
        problems.INVALID_PARAMETER,
        problems.NOT_ACCEPTABLE,
        problems.POSITION_GONE,
        problems.BROKER_UNAVAILABLE,
        problems.TOO_MANY_STREAMS,
        problems.TOO_MANY_CONSUMERS,
        problems.NOT_FOUND,
        problems.LEDGER_NOT_CONFIGURED,
        problems.LEDGER_UNAVAILABLE,
    ),
    examples={
        "last": Example(
            about="The last article in English, and what follows.", values={"last": 1, "pattern": ["processed.en.#"]}
        ),
        "stored": Example(
            about="All articles of the desk for foreign news that are in the log, as lines.",
            values={"filter": "type = processed and labels.desk = foreign", "format": "ndjson", "follow": False},
            answer_type=LINES_TYPE,
        ),
        "no filter": Example(
            about="A filter that is none.",
            values={"filter": "language == en"},
            status=400,
            answer_type=problems.MEDIA_TYPE,
            answer=problems.INVALID_PARAMETER,
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
