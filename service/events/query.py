"""What a request for events asks for."""

import re
from dataclasses import dataclass

from aiohttp import hdrs, web

from contract.consumers import NAME
from contract.filters import Filter, FilterError
from contract.patterns import MAX_PATTERNS, PatternError, checked_pattern
from service import problems
from service.api.events import FORMATS, GET_EVENTS, LAST_EVENT_ID
from service.events.start import Start
from service.events.stream_filter import DecodedEvents, StreamFilter
from service.http.accept import preferred
from service.http.parameters import check_parameters
from service.refusals import Problem, ProblemError, invalid_filter, invalid_parameter

_OFFSET = re.compile(r"-1|[0-9]{1,18}")
_UNTIL = re.compile(r"[0-9]{1,18}")
_COUNT = re.compile(r"[0-9]{1,6}")

DECODED = web.AppKey("DECODED", DecodedEvents)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventQuery:
    """The events of a stream, where it begins, its form (a name in `FORMATS`), and the consumer that it reads for."""

    stream_filter: StreamFilter
    start: Start
    form: str
    consumer: str | None = None

    @classmethod
    def of(cls, request: web.Request) -> "EventQuery":
        """Returns the query in `request`.

        `Last-Event-ID` takes precedence over `after`: an EventSource that reconnects sends both; the URL's is older.

        Raises:
            ProblemError: a parameter is unknown or breaks a rule.
        """
        check_parameters(request, GET_EVENTS.parameters)
        consumer = request.query.get("consumer")
        if consumer is not None and not NAME.fullmatch(consumer):
            raise invalid_parameter("consumer", "name", "must be 1 to 64 of A-Z a-z 0-9 . _ -")
        return cls(stream_filter=_stream_filter(request), start=_start(request), form=_form(request), consumer=consumer)


def _stream_filter(request: web.Request) -> StreamFilter:
    patterns = request.query.getall("pattern", [])
    if len(patterns) > MAX_PATTERNS:
        raise invalid_parameter("pattern", "too_many", f"must stand there at most {MAX_PATTERNS} times")
    wanted = request.query.get("filter")
    chosen = tuple(_pattern(pattern) for pattern in patterns)
    return StreamFilter(request.app[DECODED], chosen, None if wanted is None else _filter(wanted))


def _start(request: web.Request) -> Start:
    after = _offset("after", request.query.getall("after", []))
    resumed = _offset(LAST_EVENT_ID.name, request.headers.getall(LAST_EVENT_ID.name, []))
    last = _count("last", request.query.getall("last", []))
    follow = _flag("follow", request.query.get("follow", "true"))
    until = request.query.get("until")
    if until is not None and not _UNTIL.fullmatch(until):
        raise invalid_parameter("until", "offset", "must be one log offset: a whole number")
    end = None if until is None else int(until)
    if after is not None and last is not None:
        raise invalid_parameter("last", "exclusive", "does not go with after")
    if resumed is not None:
        return Start(after=resumed, follow=follow, until=end, resumes=True)
    return Start(after=after, last=last, follow=follow, until=end)


def _form(request: web.Request) -> str:
    named = request.query.get("format")
    if named is not None and named not in FORMATS:
        raise invalid_parameter("format", "format", f"must be one of {', '.join(FORMATS)}")
    acceptable = [named] if named else preferred(request.headers.getall(hdrs.ACCEPT, []), FORMATS)
    if not acceptable:
        raise ProblemError(Problem(problems.NOT_ACCEPTABLE, f"Events come as {' or '.join(FORMATS.values())}."))
    return acceptable[0]


def _offset(name: str, values: list[str]) -> int | None:
    if not values:
        return None
    value = "-1" if values[0] == "oldest" else values[0]
    if len(values) > 1 or not _OFFSET.fullmatch(value):
        raise invalid_parameter(name, "offset", "must be one log offset: a whole number, or -1 or oldest for the start")
    return int(value)


def _count(name: str, values: list[str]) -> int | None:
    if not values:
        return None
    if len(values) > 1 or not _COUNT.fullmatch(values[0]):
        raise invalid_parameter(name, "count", "must be one whole number of at most six digits")
    return int(values[0])


def _flag(name: str, value: str) -> bool:
    if value not in {"true", "false"}:
        raise invalid_parameter(name, "boolean", "must be true or false")
    return value == "true"


def _filter(text: str) -> Filter:
    try:
        return Filter.parse(text)
    except FilterError as error:
        raise invalid_filter("filter", error) from None


def _pattern(pattern: str) -> str:
    try:
        return checked_pattern(pattern)
    except PatternError as error:
        raise invalid_parameter("pattern", error.rule, str(error)) from None
