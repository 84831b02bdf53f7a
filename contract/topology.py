"""Exchanges, queues, bindings and policies as data: what is declared at start and what deploy/rabbitmq holds."""

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
DEAD = "copydesk.dead"
ACCEPTED = "copydesk.accepted"
ATTEMPTS = "copydesk.attempts"

DELAYS_S = (10.0, 60.0, 600.0, 3600.0)
DELIVERY_LIMIT = 20
LOST_DELIVERY_LIMIT = 1_000  # a lost job is not parsed: only restarts and lost connections count
DEAD_DELIVERY_LIMIT = 1_000_000  # each look at a dead letter counts, and RabbitMQ 4 drops it after 20 by default

Argument = str | int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange. `kind` is direct, fanout or topic."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue with the arguments that correctness needs."""

    name: str
    arguments: Mapping[str, Argument]


@dataclass(frozen=True, slots=True)
class Binding:
    """From an exchange to a queue."""

    exchange: str
    queue: str
    key: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Sizes and ages: an operator may change them on the broker without touching the queues."""

    name: str
    pattern: str
    definition: Mapping[str, Argument]
    apply_to: str = "queues"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Topology:
    """All that stands on the broker. `delays_s` are the retry queues' delays in seconds, growing."""

    exchanges: Sequence[Exchange]
    queues: Sequence[Queue]
    bindings: Sequence[Binding]
    policies: Sequence[Policy] = field(default_factory=tuple)
    delays_s: Sequence[float] = DELAYS_S

    def delay_queue(self, delay_s: float) -> str:
        """Returns the name of the retry queue with the smallest delay not below `delay_s`, else the longest."""
        return retry_queue(next((delay for delay in self.delays_s if delay >= delay_s), self.delays_s[-1]))


def retry_queue(delay_s: float) -> str:
    """Returns the name of the retry queue of this delay, as `copydesk.retry.10s`."""
    return f"copydesk.retry.{delay_s:g}s"


def lane_queue(lane: Lane) -> str:
    """Returns the name of a lane's intake queue."""
    return f"{INTAKE}.{lane}"


def design(delays_s: Sequence[float] = DELAYS_S, delivery_limit: int = DELIVERY_LIMIT) -> Topology:
    """Returns the topology that stands on the broker.

    Args:
        delays_s: the retry delays in seconds, growing.
        delivery_limit: how many deliveries a job gets beyond the first before it counts as lost.

    Raises:
        ValueError: the delays do not grow, or there are none.
    """
    if not delays_s or any(later <= earlier for earlier, later in pairwise((0.0, *delays_s))):
        raise ValueError(f"retry delays must grow from above 0: {list(delays_s)}")
    intake = {**_quorum(delivery_limit), **_dead_letter("", LOST)}
    lanes = [Queue(lane_queue(lane), intake) for lane in Lane]
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
        exchanges=(Exchange(INTAKE, "direct"), Exchange(LOG, "fanout"), Exchange(DOCUMENTS, "topic")),
        queues=(
            Queue(LOST, {**_quorum(LOST_DELIVERY_LIMIT), **_dead_letter("", DEAD)}),
            Queue(DEAD, _quorum(DEAD_DELIVERY_LIMIT)),
            *lanes,
            Queue(INTAKE_RETRY, intake),
            *delays,
            Queue(LOG, {"x-queue-type": "stream"}),
            Queue(ACCEPTED, {"x-queue-type": "stream"}),
            Queue(ATTEMPTS, {"x-queue-type": "stream"}),
        ),
        bindings=(
            *(Binding(INTAKE, lane_queue(lane), lane) for lane in Lane),
            Binding(INTAKE, INTAKE_RETRY, RETRY_KEY),
            Binding(LOG, LOG, ""),
        ),
        policies=_POLICIES,
        delays_s=tuple(delays_s),
    )


def _quorum(delivery_limit: int | None) -> dict[str, Argument]:
    limit: dict[str, Argument] = {} if delivery_limit is None else {"x-delivery-limit": delivery_limit}
    return {"x-queue-type": "quorum", **limit}


def _dead_letter(exchange: str, key: str) -> dict[str, Argument]:
    # At-least-once dead-lettering works with this overflow alone; on the intake it is the backpressure, too.
    return {
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-routing-key": key,
        "x-dead-letter-strategy": "at-least-once",
    }


_POLICIES = (
    Policy(
        "copydesk-intake",
        r"^copydesk\.intake\.(interactive|bulk)$",
        {"max-length": 100_000, "max-length-bytes": 2_000_000_000},
    ),
    Policy(
        "copydesk-log",
        r"^copydesk\.log$",
        {"max-age": "7D", "max-length-bytes": 20_000_000_000, "stream-max-segment-size-bytes": 100_000_000},
        apply_to="queues",
    ),
    Policy(
        "copydesk-accepted",
        r"^copydesk\.accepted$",
        {"max-age": "7D", "max-length-bytes": 2_000_000_000, "stream-max-segment-size-bytes": 10_000_000},
        apply_to="queues",
    ),
    Policy(
        "copydesk-attempts",
        r"^copydesk\.attempts$",
        {"max-age": "7D", "max-length-bytes": 500_000_000, "stream-max-segment-size-bytes": 10_000_000},
        apply_to="queues",
    ),
)
