"""Exchanges, queues, bindings and policies as data. Processes declare them at start; deploy/rabbitmq has the same."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from contract.job import Lane

INTAKE = "copydesk.intake"
INTAKE_RETRY = "copydesk.intake.retry"
RETRY_KEY = "retry"
LOST = "copydesk.lost"
LOG = "copydesk.log"
DOCUMENTS = "copydesk.documents"
DOCUMENTS_HEADERS = "copydesk.documents.headers"
DEAD = "copydesk.dead"
ACCEPTED = "copydesk.accepted"
ATTEMPTS = "copydesk.attempts"
REQUESTS = "copydesk.requests"
PREVIEWS = "copydesk.previews"
REPLIES = "copydesk.replies"
PROBE = "copydesk.probe"
DELAYED = "copydesk.retry"  # leads to each retry queue by its name; the embedded broker calls all of them so

DELAYS_S = (10.0, 60.0, 600.0, 3600.0)  # chosen: from a site's short outage to its maintenance; setting retry_delays_s
DELIVERY_LIMIT = 20  # the default of RabbitMQ 4; set explicitly so that RabbitMQ 3 behaves the same
LOST_DELIVERY_LIMIT = 1_000  # chosen: lost jobs are not parsed, so only restarts and lost connections redeliver them
DEAD_DELIVERY_LIMIT = 1_000_000  # chosen: each scan is a delivery, and RabbitMQ 4 drops a letter after 20 by default
PREVIEW_WAIT_S = 10  # chosen: a third of the time that an extraction may take; then no worker is free soon
PREVIEWS_AT_MOST = 100  # chosen: ten workers take as many within that time if each takes a second
PREVIEWS_BYTES = 50_000_000  # chosen: a hundred large pages

Argument = str | int


BOUNDS: Mapping[str, str] = {
    "x-max-length": "max_length",
    "x-max-length-bytes": "max_length_bytes",
    "x-max-age": "max_age",
    "x-stream-max-segment-size-bytes": "stream_max_segment_size_bytes",
}
"""The arguments that limit how much a queue holds, with their names in metrics and logs.

Only these may differ on the broker, because an existing queue keeps the arguments that it was declared with. A policy
whose key is the argument without `x-` limits such a queue, too; if both exist, RabbitMQ applies the lower value.
"""

_WRITTEN_ALONE = (LOG, ACCEPTED, ATTEMPTS, REQUESTS, DEAD, PREVIEWS)
"""Queues with an exchange each, which leads to nothing else."""

_LOG_SEGMENT_BYTES = 100_000_000  # chosen: retention removes whole segments, each a two-hundredth of the log's limit
_RECORD_SEGMENT_BYTES = 10_000_000  # chosen for the same reason: a two-hundredth of the records' limit
_REQUESTS_SEGMENT_BYTES = 2_000_000  # chosen: a tenth of the record's limit, which a worker reads whole when it starts


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much a queue or stream holds at most.

    `intake_*` apply to each lane: 100,000 documents are 2 GB at 20 kB each, so either may be reached first. The log is
    for replay: `log_days` is how far back it goes, `log_bytes` its maximum size on disk. Records of acceptances and of
    failed attempts are a few hundred bytes each, and are kept as long as the log. So are requests about documents:
    100,000 of 200 bytes, as many as a worker remembers.
    """

    intake_documents: int = 100_000
    intake_bytes: int = 2_000_000_000
    log_days: int = 7
    log_bytes: int = 20_000_000_000
    accepted_bytes: int = 2_000_000_000
    attempts_bytes: int = 500_000_000
    requests_bytes: int = 20_000_000

    def intake(self) -> dict[str, Argument]:
        """Returns the arguments of a lane's queue."""
        return {"x-max-length": self.intake_documents, "x-max-length-bytes": self.intake_bytes}

    def log(self) -> dict[str, Argument]:
        """Returns the arguments of the event log."""
        return self._stream(self.log_bytes, _LOG_SEGMENT_BYTES)

    def accepted(self) -> dict[str, Argument]:
        """Returns the arguments of the record of acceptances."""
        return self._stream(self.accepted_bytes, _RECORD_SEGMENT_BYTES)

    def attempts(self) -> dict[str, Argument]:
        """Returns the arguments of the record of failed attempts."""
        return self._stream(self.attempts_bytes, _RECORD_SEGMENT_BYTES)

    def requests(self) -> dict[str, Argument]:
        """Returns the arguments of the record of requests."""
        return self._stream(self.requests_bytes, _REQUESTS_SEGMENT_BYTES)

    def _stream(self, size_bytes: int, segment_bytes: int) -> dict[str, Argument]:
        return {
            "x-max-age": f"{self.log_days}D",
            "x-max-length-bytes": size_bytes,
            "x-stream-max-segment-size-bytes": segment_bytes,
        }


_DEFAULT_BOUNDS = Bounds()


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange. `kind` is direct, fanout, topic or headers."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue, with the arguments that correctness depends on."""

    name: str
    arguments: Mapping[str, Argument]

    @property
    def is_stream(self) -> bool:
        """Returns True if its entries stay after they are read."""
        return self.arguments.get("x-queue-type") == "stream"


@dataclass(frozen=True, slots=True)
class Binding:
    """Routes messages with the routing key `key` from an exchange to a queue."""

    exchange: str
    queue: str
    key: str


@dataclass(frozen=True, slots=True)
class ExchangeBinding:
    """Routes messages whose routing key matches `key` from an exchange to the exchange `to`, which routes them on."""

    exchange: str
    to: str
    key: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Bounds for queues that were declared without them. An operator may lower them on the broker at any time."""

    name: str
    pattern: str
    definition: Mapping[str, Argument]
    apply_to: str = "queues"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that Copydesk declares on the broker.

    `delays_s` are the retry delays in seconds, ascending. With `only_checked` a process declares nothing of it at
    start, and only asks whether it is there: its user may not declare.
    """

    exchanges: Sequence[Exchange]
    queues: Sequence[Queue]
    bindings: Sequence[Binding | ExchangeBinding]
    policies: Sequence[Policy] = field(default_factory=tuple)
    delays_s: Sequence[float] = DELAYS_S
    only_checked: bool = False

    def delay_queue(self, delay_s: float) -> str:
        """Returns the name of the retry queue with the smallest delay not below `delay_s`, else the longest."""
        return retry_queue(next((delay for delay in self.delays_s if delay >= delay_s), self.delays_s[-1]))


def retry_queue(delay_s: float) -> str:
    """Returns the name of the retry queue of this delay, as `copydesk.retry.10s`."""
    return f"copydesk.retry.{delay_s:g}s"


def exchange_to(queue: str) -> str:
    """Returns the name of the exchange through which alone `queue` is written, as `copydesk.to.log`.

    RabbitMQ grants rights by name, and does not tell an exchange from a queue. So no exchange has the name of a queue:
    whoever may read the log may bind nothing to what is written to it. And nobody has to publish to the default
    exchange, which leads to every queue.
    """
    return f"copydesk.to.{queue.removeprefix('copydesk.')}"


def lane_queue(lane: Lane) -> str:
    """Returns the name of a lane's intake queue."""
    return f"{INTAKE}.{lane}"


def design(
    delays_s: Sequence[float] = DELAYS_S, delivery_limit: int = DELIVERY_LIMIT, bounds: Bounds = _DEFAULT_BOUNDS
) -> Topology:
    """Returns the topology that Copydesk declares.

    Args:
        delays_s: the retry delays in seconds, ascending.
        delivery_limit: how many deliveries a job gets beyond the first before it counts as lost.
        bounds: how much the lanes and the streams hold at most.

    Raises:
        ValueError: the delays are not ascending, or there are none.
    """
    if not delays_s or any(later <= earlier for earlier, later in pairwise((0.0, *delays_s))):
        raise ValueError(f"retry delays must grow from above 0: {list(delays_s)}")
    intake = {**_quorum(delivery_limit), **_dead_letter("", LOST)}
    lanes = [Queue(lane_queue(lane), {**intake, **bounds.intake()}) for lane in Lane]
    delays = [
        Queue(
            retry_queue(delay),
            {
                **_quorum(None),
                **_dead_letter(INTAKE, RETRY_KEY),
                "x-message-ttl": round(delay * 1000),
            },
        )
        for delay in delays_s
    ]
    return Topology(
        exchanges=(
            Exchange(INTAKE, "direct"),
            *(Exchange(exchange_to(queue), "fanout") for queue in _WRITTEN_ALONE),
            Exchange(DELAYED, "direct"),
            Exchange(DOCUMENTS, "topic"),
            Exchange(DOCUMENTS_HEADERS, "headers"),
            Exchange(REPLIES, "direct"),
            Exchange(PROBE, "direct"),
        ),
        queues=(
            Queue(LOST, {**_quorum(LOST_DELIVERY_LIMIT), **_dead_letter("", DEAD)}),
            Queue(DEAD, _quorum(DEAD_DELIVERY_LIMIT)),
            *lanes,
            Queue(INTAKE_RETRY, intake),
            *delays,
            Queue(LOG, {"x-queue-type": "stream", **bounds.log()}),
            Queue(ACCEPTED, {"x-queue-type": "stream", **bounds.accepted()}),
            Queue(ATTEMPTS, {"x-queue-type": "stream", **bounds.attempts()}),
            Queue(REQUESTS, {"x-queue-type": "stream", **bounds.requests()}),
            Queue(PREVIEWS, _previews()),
        ),
        bindings=(
            *(Binding(INTAKE, lane_queue(lane), lane) for lane in Lane),
            Binding(INTAKE, INTAKE_RETRY, RETRY_KEY),
            *(Binding(exchange_to(queue), queue, "") for queue in _WRITTEN_ALONE),
            *(Binding(DELAYED, queue.name, queue.name) for queue in delays),
            ExchangeBinding(DOCUMENTS, DOCUMENTS_HEADERS, "#"),
        ),
        policies=_policies(bounds),
        delays_s=tuple(delays_s),
    )


def _quorum(delivery_limit: int | None) -> dict[str, Argument]:
    limit: dict[str, Argument] = {} if delivery_limit is None else {"x-delivery-limit": delivery_limit}
    return {"x-queue-type": "quorum", **limit}


def _dead_letter(exchange: str, key: str) -> dict[str, Argument]:
    # At-least-once dead-lettering requires this overflow. On the intake queues it also provides backpressure.
    return {
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-routing-key": key,
        "x-dead-letter-strategy": "at-least-once",
    }


def _previews() -> dict[str, Argument]:
    """What nobody takes in time returns to who asked: each preview has the name of a reply queue as its routing key.

    A quorum queue although nothing in it matters for long: a classic one is away with its node, and with it all
    sessions, which declare it.
    """
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": DELIVERY_LIMIT,
        "x-message-ttl": PREVIEW_WAIT_S * 1000,
        "x-max-length": PREVIEWS_AT_MOST,
        "x-max-length-bytes": PREVIEWS_BYTES,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": "",
    }


def _policies(bounds: Bounds) -> tuple[Policy, ...]:
    lanes = "|".join(Lane)
    return (
        Policy("copydesk-intake", rf"^copydesk\.intake\.({lanes})$", _by_policy(bounds.intake())),
        Policy("copydesk-log", r"^copydesk\.log$", _by_policy(bounds.log())),
        Policy("copydesk-accepted", r"^copydesk\.accepted$", _by_policy(bounds.accepted())),
        Policy("copydesk-attempts", r"^copydesk\.attempts$", _by_policy(bounds.attempts())),
        Policy("copydesk-requests", r"^copydesk\.requests$", _by_policy(bounds.requests())),
        Policy(
            "copydesk-previews",
            r"^copydesk\.previews$",
            {"max-length": PREVIEWS_AT_MOST, "max-length-bytes": PREVIEWS_BYTES},
        ),
    )


def _by_policy(arguments: Mapping[str, Argument]) -> dict[str, Argument]:
    return {name.removeprefix("x-"): value for name, value in arguments.items()}
