"""The JSON answers of the API. A field with a default is left out where it has it: see `present`."""

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field

from contract.faults import Fault, PlacedFault
from contract.job import Lane
from contract.replays import ReplayCause, ReplayState, ReplayTarget
from contract.webhooks import DeliveryState, DisabledCause, Documents, Payload

MAX_TOKEN_S: Final = 900  # chosen: a token in a URL may be seen by others; a page asks for a new one when it opens
DEFAULT_TOKEN_S: Final = 300  # chosen: a page opens its stream within seconds, and once more if its network is lost
VIOLATED: Final = {"violated_policies": "violated-policies"}
"""A member of problems whose name in JSON Python has no identifier for."""


def _as_integer(value: object) -> object:
    return int(value) if isinstance(value, float) and value.is_integer() else value


_Whole = Annotated[int, BeforeValidator(_as_integer)]
"""A whole number as JSON Schema has it: 98.0 is one, too."""


def present(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - any of the types below
    """Returns the fields of `answer`, without those that have their defaults."""
    values = {field.name: (getattr(answer, field.name), field.default) for field in fields(answer)}
    return {
        VIOLATED.get(name, name): value
        for name, (value, default) in values.items()
        if default is MISSING or value != default
    }


def known(answer: Any) -> dict[str, Any]:  # noqa: ANN401 - as above
    """Returns the fields of `answer`, for an answer that has more."""
    return {field.name: getattr(answer, field.name) for field in fields(answer)}


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemDetails:
    """An error, as RFC 9457 has it. `type` is a path at which the server says what it means, or a registered URI.

    `violated-policies` names the limits of the API key that were exceeded.
    """

    type: str
    title: str
    status: int
    detail: str
    errors: tuple[PlacedFault | Fault, ...] = ()
    violated_policies: Annotated[tuple[str, ...], Field(serialization_alias=VIOLATED["violated_policies"])] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerState:
    """A named consumer. All events of the log up to `offset` are done; -1: it begins with the oldest."""

    name: str
    offset: int
    created_at: str
    committed_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsumerList:
    """The consumers of an owner, by name."""

    consumers: tuple[ConsumerState, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CommitRequest:
    """All events up to `offset` are done."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    offset: Annotated[_Whole, Field(ge=0, lt=10**18)]


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenRequest:
    """For how many seconds the token is valid."""

    __pydantic_config__ = ConfigDict(extra="forbid", strict=True)

    seconds: Annotated[_Whole, Field(ge=1, le=MAX_TOKEN_S)] = DEFAULT_TOKEN_S


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedToken:
    """A token for `GET /v1/events?token=…`."""

    token: str
    expires_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackSecret:
    """What the callbacks of the caller's documents are signed with: `whsec_` and a key in base64."""

    secret: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A document is stored. `warnings` say what of the request was left out; there are none where they are absent.

    `batch` is the id of its batch.
    """

    id: str
    lane: Lane
    warnings: tuple[Fault, ...] = ()
    batch: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineReceipt(Receipt):
    """The document of a line is stored. Lines are counted from 1, blank ones too."""

    line: int
    status: Literal[202]


@dataclass(frozen=True, slots=True, kw_only=True)
class LineProblem(ProblemDetails):
    """The document of a line is not stored, or the request cannot be read from this line on.

    `retry_after`: seconds after which it makes sense to send it again.
    """

    line: int
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PartReceipt(Receipt):
    """The document of a part is stored. `name` is that of the file."""

    part: int
    name: str | None = None
    status: Literal[202]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartProblem(ProblemDetails):
    """The document of a part is not stored, or the request cannot be read from this part on. See `LineProblem`."""

    part: int
    name: str | None = None
    retry_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchEnd:
    """The last line, where the request was to close its batch: `closed` says if it did, and `detail` why not.

    `status` is 202, 409 where documents are not stored that may be sent again, and 503 where the broker is away.
    """

    batch: str
    closed: bool
    status: Literal[202, 409, 503]
    detail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLoad:
    """What waits in a lane. Without a ledger, and while it is away, what comes from it is null.

    - `depth`: documents that wait. On the embedded broker those that workers have taken count, too.
    - `oldest_s`: for how many seconds the first has waited; 0 where none waits. On RabbitMQ from the ledger.
    - `decided_per_s`: documents decided in a second, in the window before. From the ledger.
    - `expected_wait_s`: how long a document that is posted now waits, if all goes on as in the window before.
    """

    depth: int
    oldest_s: float | None
    decided_per_s: float | None
    expected_wait_s: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneLoads:
    """What waits, by lane."""

    interactive: LaneLoad
    bulk: LaneLoad


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """How much waits at the time `at`. `retrying` are documents that wait for another attempt."""

    at: str
    window_s: float
    lanes: LaneLoads
    retrying: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownWebhook:
    """A webhook. Times are RFC 3339 in UTC.

    `place` is the offset in the log up to which all is delivered, or is a delivery that is made again. `failing_since`:
    nothing got through since. `missed_at`: the log no longer had events that were to be delivered. `disabled_cause`:
    why Copydesk disabled it. `former_until`: until when the secret before signs, too. `secret`: only in the answer to
    the request that set it.
    """

    id: str
    owner: str
    url: str
    patterns: Sequence[str]
    filter: str | None
    documents: Documents
    payload: Payload
    ordered: bool
    enabled: bool
    description: str
    created_at: str
    updated_at: str
    place: int
    failing_since: str | None
    missed_at: str | None
    disabled_cause: DisabledCause | None
    disabled_at: str | None
    former_until: str | None
    secret: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookList:
    """All webhooks that the caller sees, the oldest first."""

    webhooks: Sequence[ShownWebhook]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDelivery:
    """What became of one event for one webhook. Times are RFC 3339 in UTC; what there is not is null.

    `requested`: it is a test, or was sent again on request; `replay` is the replay that did. `next_at`: when the next
    attempt is due. `status` and `excerpt` are of the last answer; without an answer `error` says what happened.
    `took_ms`: of the last attempt.
    """

    id: str
    event_id: str
    event_type: str
    document_id: str | None
    offset: int | None
    state: DeliveryState
    requested: bool
    attempts: int
    created_at: str
    next_at: str | None
    last_at: str | None
    status: int | None
    error: str | None
    took_ms: int | None
    excerpt: str | None
    replay: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryList:
    """A page of deliveries, newest first. `next` is the `cursor` of the page behind, null on the last."""

    deliveries: Sequence[ShownDelivery]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestedDelivery:
    """A delivery will be made, or made again. `deliveries` is where to look up what came of it."""

    id: str
    event_id: str
    deliveries: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownReplay:
    """A replay. Times are RFC 3339 in UTC; what there is not is null.

    `after` and `until` are offsets in the log; all events behind `after` up to `place` are handed on, and `progress` is
    that part in [0, 1]. `read`: events that were looked at; `sent`: those that were handed on: as deliveries, to the
    queue, or to the client. `delivered`, `failed` and `pending`: deliveries to a webhook. `events`: where to download.
    """

    id: str
    owner: str
    target: ReplayTarget
    webhook: str | None
    queue: str | None
    events: str | None
    documents: Documents
    patterns: Sequence[str]
    filter: str | None
    since: str | None
    before: str | None
    after: int
    until: int
    per_second: int
    state: ReplayState
    cause: ReplayCause | None
    place: int
    progress: float
    read: int
    sent: int
    delivered: int
    failed: int
    pending: int
    created_at: str
    updated_at: str
    ended_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayList:
    """A page of replays, newest first. `next` is the `cursor` of the page behind, null on the last."""

    replays: Sequence[ShownReplay]
    next: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """What this server is, and its routes with a line about each."""

    name: str
    about: str
    routes: Mapping[str, str]
