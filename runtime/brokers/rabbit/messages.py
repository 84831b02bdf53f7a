"""Converts jobs, events and dead letters to AMQP messages, and messages to deliveries."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from aio_pika import DeliveryMode, Message

from contract.accepted import Accepted
from contract.attempts import FailedAttempt
from contract.batches import BatchClosed
from contract.broker import Delivery, LogEntry
from contract.codec import (
    MAX_EVENT_BYTES,
    MAX_JOB_BYTES,
    MAX_PREVIEW_BYTES,
    UndecodableError,
    decode_event,
    encode,
    encode_within,
)
from contract.event_headers import headers_of
from contract.events import MEDIA_TYPE, AnyEvent, Event, FailedEvent, ProcessedEvent
from contract.job import Job, Lane
from contract.reasons import Reason
from contract.requests import OwnerRequest
from contract.streams import Stream
from contract.tracing import TraceContext

if TYPE_CHECKING:
    from aio_pika.abc import AbstractIncomingMessage, HeadersType

LANE = "x-copydesk-lane"
CAUSE = "x-copydesk-cause"
EVENT_ID = "x-copydesk-event-id"
MESSAGE_ID = "x-copydesk-message-id"
BURIED_AT = "x-copydesk-buried-at"
REASON = "x-copydesk-reason"

_MAX_CAUSE_CHARS = 8_000  # chosen: at most 32 kB in UTF-8; all headers share one frame, of 128 KiB by default


def job_message(job: Job) -> Message:
    """Returns `job` as a persistent message with its id and its lane.

    Raises:
        MessageTooLarge: over `MAX_JOB_BYTES`.
    """
    body = encode_within(MAX_JOB_BYTES, job)
    return _persistent(body, "application/json", job.id, {LANE: str(job.lane), **_trace_headers(job.trace)})


def acceptance_message(records: Sequence[Accepted]) -> Message:
    """Returns the records of stored jobs, at least one, as a persistent message with the first one's id."""
    return _persistent(encode(records), "application/json", records[0].id, {})


def closed_batch_message(closed: BatchClosed) -> Message:
    """Returns the end of a batch as a persistent message with the batch's id: an entry of the record of acceptances."""
    return _persistent(encode([closed]), "application/json", closed.closed_batch, {})


def attempts_message(records: Sequence[FailedAttempt]) -> Message:
    """Returns the records of attempts, at least one, as a persistent message with the first one's id."""
    return _persistent(encode(records), "application/json", records[0].id, {})


def requests_message(requests: Sequence[OwnerRequest]) -> Message:
    """Returns requests about documents, at least one, as a persistent message that bears the first one's id."""
    return _persistent(encode(requests), "application/json", requests[0].id, {})


def event_message(event: AnyEvent, also_to: str | None = None) -> Message:
    """Returns `event` as a persistent message with the event's id, and headers to be bound by.

    `also_to` is a second routing key, which the broker removes before it delivers the message. RabbitMQ calls it
    sender-selected distribution (https://www.rabbitmq.com/docs/sender-selected).

    Raises:
        MessageTooLarge: over `MAX_EVENT_BYTES`.
    """
    headers: HeadersType = {**event_headers(event)} if also_to is None else {**event_headers(event), "BCC": [also_to]}
    return _persistent(encode_within(MAX_EVENT_BYTES, event), MEDIA_TYPE, event.id, headers)


def event_headers(event: AnyEvent) -> "HeadersType":
    """Returns the AMQP headers of an event: those to be bound by, and its trace context."""
    trace = event.trace if isinstance(event, ProcessedEvent | FailedEvent) else None
    return {**headers_of(event), **_trace_headers(trace)}


def entry_message(stream: Stream, entry: LogEntry) -> Message:
    """Returns an entry of a record as the persistent message that it was when it was written, with the same bytes."""
    if stream is not Stream.LOG:
        return _persistent(entry.body, "application/json", f"{stream} {entry.offset}", {})
    try:
        event = decode_event(entry.body)
    except UndecodableError:  # another program may write to the log
        return _persistent(entry.body, None, f"{stream} {entry.offset}", {})
    return _persistent(entry.body, MEDIA_TYPE, event.id, event_headers(event))


def preview_message(job: Job, reply_to: str, wait_s: float) -> Message:
    """Returns `job` as a preview, to be answered to the queue `reply_to`, that waits `wait_s` for a worker.

    Raises:
        MessageTooLarge: over `MAX_PREVIEW_BYTES`.
    """
    body = encode_within(MAX_PREVIEW_BYTES, job)
    headers = _trace_headers(job.trace)
    return Message(
        body,
        content_type="application/json",
        message_id=job.id,
        headers=headers,
        reply_to=reply_to,
        expiration=wait_s,
    )


def reply_message(event: Event) -> Message:
    """Returns `event` as the answer to a preview. It need not outlive the broker.

    Raises:
        MessageTooLarge: over `MAX_EVENT_BYTES`.
    """
    return Message(encode_within(MAX_EVENT_BYTES, event), content_type=MEDIA_TYPE, message_id=event.id)


def dead_letter(delivered: "AbstractIncomingMessage", cause: str, event: Event | None) -> Message:
    """Returns the message to bury: the body as it was delivered, with cause, time and id in its headers."""
    headers: HeadersType = {CAUSE: cause[:_MAX_CAUSE_CHARS], BURIED_AT: datetime.now(UTC).isoformat()}
    headers[REASON] = event.reason if event else str(Reason.UNDECODABLE)
    if event is not None:
        headers[EVENT_ID] = event.id
    if delivered.message_id is not None:
        headers[MESSAGE_ID] = delivered.message_id  # AMQP libraries invent one for a message without an id
    return _persistent(delivered.body, delivered.content_type, delivered.message_id, headers)


def delivery_of(message: "AbstractIncomingMessage", *, lost: bool = False, preview: bool = False) -> Delivery:
    """Returns the delivery that a handler gets for `message`."""
    before = message.headers.get("x-delivery-count", 0)
    return Delivery(
        body=message.body,
        message_id=message.message_id,
        deliveries=(before if isinstance(before, int) else 0) + 1,
        lost=lost,
        preview=preview,
    )


def lane_of(message: "AbstractIncomingMessage") -> Lane:
    """Returns the lane that the message names; bulk if it names none that is known."""
    return Lane.INTERACTIVE if message.headers.get(LANE) == Lane.INTERACTIVE else Lane.BULK


def _trace_headers(trace: TraceContext | None) -> "HeadersType":
    return {} if trace is None else {**trace.headers()}


def _persistent(body: bytes, content_type: str | None, message_id: str | None, headers: "HeadersType") -> Message:
    return Message(
        body,
        content_type=content_type,
        message_id=message_id,
        headers=headers,
        delivery_mode=DeliveryMode.PERSISTENT,
    )
