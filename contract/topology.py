"""Exchanges, queues, bindings and policies as data. Processes declare them at start; deploy/rabbitmq holds the same."""

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

DELAYS_S = (10.0, 60.0, 600.0, 3600.0)  # chosen, from a hiccup of a site to its maintenance; setting retry_delays_s
DELIVERY_LIMIT = 20  # RabbitMQ 4 sets this where none is set; explicit, so that RabbitMQ 3 has it, too
LOST_DELIVERY_LIMIT = 1_000  # a lost job is not parsed: only restarts and lost connections count
DEAD_DELIVERY_LIMIT = 1_000_000  # each scan is a delivery, and RabbitMQ 4 drops a letter after 20 by default

Argument = str | int


@dataclass(frozen=True, slots=True)
class Exchange:
    """A durable exchange. `kind` is direct, fanout or topic."""

    name: str
    kind: str


@dataclass(frozen=True, slots=True)
class Queue:
    """A durable queue, with the arguments that correctness depends on."""

    name: str
    arguments: Mapping[str, Argument]


@dataclass(frozen=True, slots=True)
class Binding:
    """Routes messages with the routing key `key` from an exchange to a queue."""

    exchange: str
    queue: str
    key: str


@dataclass(frozen=True, slots=True)
class Policy:
    """Limits of size and age. Operators can change a policy on the broker without declaring the queues again."""

    name: str
    pattern: str
    definition: Mapping[str, Argument]
    apply_to: str = "queues"
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Topology:
    """Everything that Copydesk declares on the broker. `delays_s` are the retry delays in seconds, ascending."""

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
    """Returns the topology that Copydesk declares.

    Args:
        delays_s: the retry delays in seconds, ascending.
        delivery_limit: how many deliveries a job gets beyond the first before it counts as lost.

    Raises:
        ValueError: the delays are not ascending, or there are none.
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
    # At-least-once dead-lettering requires this overflow. On the intake queues it also is the backpressure.
    return {
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": exchange,
        "x-dead-letter-routing-key": key,
        "x-dead-letter-strategy": "at-least-once",
    }


# Chosen, not measured: the sizes fit a disk of 50 GB, and a week of log allows a subscriber to be away over a weekend.
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
)
