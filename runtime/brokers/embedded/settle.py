"""Applies a verdict to the tables and the counters."""

from collections.abc import Callable
from datetime import UTC, datetime
from sqlite3 import Connection

from contract.attempts import failed_attempt
from contract.codec import encode
from contract.dead import Burial
from contract.events import Event
from contract.job import Job
from contract.labels import Destination
from contract.metrics import Metrics
from contract.reasons import Reason
from contract.verdicts import Answer, Bury, Defer, Publish, Retry, Verdict
from runtime.brokers.embedded import dead_rows, streams, tables
from runtime.brokers.embedded.tables import Claimed, Message

Step = Callable[[Connection], None]


def settlement(claimed: Claimed, verdict: Verdict, *, now: float, keep_events: int) -> Step:
    """Returns the operation that executes `verdict` and removes the message from its lane, both or neither.

    All encoding happens here, before the operation runs.

    Args:
        claimed: the message that the verdict is about.
        verdict: what was decided.
        now: Unix seconds.
        keep_events: how many events the log keeps.
    """
    steps: list[Step]
    match verdict:
        case Publish(event):
            steps = [_append(event, keep_events)]
        case Bury(event, cause):
            steps = [_append(event, keep_events)] if event else []
            burial = Burial(
                message_id=claimed.message_id,
                event_id=event.id if event else None,
                reason=event.reason if event else Reason.UNDECODABLE,
                cause=cause,
                at=datetime.fromtimestamp(now, UTC),
            )
            steps.append(lambda db: dead_rows.bury(db, claimed.body, burial))
        case Retry(job, delay_s):
            attempt = failed_attempt(verdict, datetime.fromtimestamp(now, UTC))
            steps = [_insert(job, now + delay_s), lambda db: streams.note(db, attempt, keep=keep_events)]
        case Defer(job, delay_s):
            steps = [_insert(job, now + delay_s)]
        case Answer():
            raise TypeError("a job in a lane is no preview")
    return _all([*steps, lambda db: tables.remove(db, claimed.seq)])


def count(verdict: Verdict, metrics: Metrics) -> None:
    """Counts what `verdict` wrote. The worker counts the verdict itself."""
    match verdict:
        case Publish(event):
            metrics.published.labels(Destination.LOG).inc()
            metrics.observe_decided(verdict.acceptance, event.trace)
        case Bury(event):
            if event:
                metrics.published.labels(Destination.LOG).inc()
                metrics.observe_decided(verdict.acceptance, event.trace)
            metrics.published.labels(Destination.DEAD).inc()
        case Retry() | Defer():
            metrics.published.labels(Destination.RETRY).inc()


def decided_by(verdict: Verdict) -> Event | None:
    """Returns the event that `verdict` writes to the log, if any."""
    return verdict.event if isinstance(verdict, Publish | Bury) else None


def _append(event: Event, keep: int) -> Step:
    routing_key, body = event.routing_key, encode(event)
    return lambda db: tables.append(db, routing_key, body, keep=keep)


def _insert(job: Job, due: float) -> Step:
    message = Message(message_id=job.id, lane=job.lane, due=due, body=encode(job))
    return lambda db: tables.insert(db, message)


def _all(steps: list[Step]) -> Step:
    def run(db: Connection) -> None:
        for step in steps:
            step(db)

    return run
