"""What a client asks for when it has a part of the log sent again: its shape and its rules."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Final

import orjson
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field, ValidationError

from contract import rules
from contract.codec import adapter
from contract.faults import Fault, fault_of
from contract.patterns import MAX_PATTERNS
from contract.replays import Replay, ReplayTarget
from contract.webhook_request import FilterText, Pattern
from contract.webhooks import BEFORE_ALL, Documents, new_id

MAX_PER_SECOND: Final = 10_000  # chosen: more than a queue on two cores takes (docs/performance.md)
DEFAULT_PER_SECOND: Final = 100  # chosen: a million events in three hours, beside what is new
MAX_QUEUE_BYTES: Final = 255  # of a queue's name: AMQP 0-9-1, a short string
_MAX_OFFSET: Final = 10**18 - 1  # of the log: as `after` of `GET /v1/events` takes it
_QUEUE: Final = re.compile(
    r"[A-Za-z0-9_.:@#,/+ -]*"
)  # pamqp, which encodes AMQP frames, takes no other names of queues
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]", re.ASCII)  # RFC 3339: pydantic takes numbers, too
_MAX_FAULTS: Final = 20  # in one answer; chosen: as many as a person corrects in one go


class ReplayError(ValueError):
    """The body is no replay; `faults` say why."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(map(str, faults)))
        self.faults = faults


def _queue(value: str) -> str:
    if len(value.encode()) > MAX_QUEUE_BYTES:
        rules.refuse("too_long", f"must have at most {MAX_QUEUE_BYTES} bytes")
    if value.startswith(("copydesk.", "amq.")):
        rules.refuse("reserved", "must not begin with copydesk. or amq.: those are Copydesk's own, and RabbitMQ's")
    rules.without_controls(value)
    if not _QUEUE.fullmatch(value):
        rules.refuse("characters", "must be of A-Z a-z 0-9 _ . : @ # , / + - and spaces: no other names can be sent to")
    return value


def _time(value: object) -> object:
    if not isinstance(value, str) or not _TIME.match(value):
        rules.refuse("time", "must be a date-time as 2024-10-19T08:30:00Z")
    return value


def _in_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:  # the first and the last hours of all years, in other zones
        rules.refuse("time", "must be in the years 1 to 9999, in UTC, too")


_Time = Annotated[AwareDatetime, BeforeValidator(_time), AfterValidator(_in_utc)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayRequest:
    """A part of the log to be sent again to one target: `webhook`, `queue` or `download`.

    - `webhook`: the id of one. It gets what it would hear of now, narrowed by `patterns` and `filter`.
    - `queue`: the name of a queue that exists on RabbitMQ. Needs the scope `admin`.
    - `download`: true, to fetch the events as lines from `/v1/replays/{id}/events`.
    - `after`, `until`: offsets in the log. The events behind `after`, -1 for all, up to `until`; by default up to the
      newest of now.
    - `since`, `before`: the events that were made from, and before, these times (RFC 3339).
    - `patterns`, `filter`: as of a webhook.
    - `documents`: `own`, or `all`, which needs the scope `admin` and is the default with it.
    - `per_second`: most events in a second.
    """

    __pydantic_config__ = ConfigDict(extra="forbid")

    webhook: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    queue: Annotated[str, Field(min_length=1, max_length=MAX_QUEUE_BYTES), AfterValidator(_queue)] | None = None
    download: Annotated[bool, Field(strict=True)] = False
    after: Annotated[int, Field(ge=BEFORE_ALL, le=_MAX_OFFSET, strict=True)] = BEFORE_ALL
    until: Annotated[int, Field(ge=0, le=_MAX_OFFSET, strict=True)] | None = None
    since: _Time | None = None
    before: _Time | None = None
    patterns: Annotated[tuple[Pattern, ...], Field(max_length=MAX_PATTERNS)] = ()
    filter: FilterText = ""
    documents: Documents | None = None
    per_second: Annotated[int, Field(ge=1, le=MAX_PER_SECOND, strict=True)] = DEFAULT_PER_SECOND

    @property
    def target(self) -> ReplayTarget:
        """Where to."""
        if self.webhook is not None:
            return ReplayTarget.WEBHOOK
        return ReplayTarget.DOWNLOAD if self.queue is None else ReplayTarget.QUEUE


def parse_replay(body: bytes) -> ReplayRequest:
    """Returns the request in `body`, JSON in UTF-8.

    Raises:
        ReplayError: it is none.
    """
    try:
        asked: ReplayRequest = adapter(ReplayRequest).validate_python(orjson.loads(body))
    except orjson.JSONDecodeError as error:
        raise ReplayError(Fault("body", "invalid_json", f"is not JSON: {error}")) from None
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)[:_MAX_FAULTS]
        raise ReplayError(*map(fault_of, details)) from None
    if sum((asked.webhook is not None, asked.queue is not None, asked.download)) != 1:
        raise ReplayError(Fault("body", "one_target", "must have one of webhook, queue and download"))
    if asked.since is not None and asked.before is not None and asked.since >= asked.before:
        raise ReplayError(Fault("before", "empty", "must be later than since"))
    if asked.until is not None and asked.until <= asked.after:
        raise ReplayError(Fault("until", "empty", "must be above after"))
    return asked


@dataclass(frozen=True, slots=True)
class ReplaySpan:
    """A part of the log: the events behind the offset `after`, up to `until`."""

    after: int
    until: int


def made(asked: ReplayRequest, span: ReplaySpan, *, owner: str, documents: Documents, at: datetime) -> Replay:
    """Returns the new replay that a request asks for. `documents` counts where the request says nothing of them."""
    return Replay(
        id=new_id(),
        owner=owner,
        documents=asked.documents or documents,
        target=asked.target,
        webhook_id=asked.webhook,
        queue=asked.queue,
        patterns=asked.patterns,
        filter=asked.filter or None,
        since=asked.since,
        before=asked.before,
        after=span.after,
        until=span.until,
        place=span.after,
        per_second=asked.per_second,
        created_at=at,
        updated_at=at,
    )
