"""The facts that entries of the broker's records state, as values."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from contract.accepted import AcceptedEntry
from contract.batches import BatchClosed
from contract.broker import LogEntry
from contract.codec import UndecodableError, decode_acceptances, decode_attempts, decode_requests, encode
from contract.duplicates import Signature, signature_of
from contract.events import BATCH_COMPLETED, ERASED, FAILED, PROCESSED, WEBHOOK_DISABLED, host_of
from contract.ids import batch_id
from contract.ledger import State
from contract.requests import Action, OwnerRequest
from contract.streams import Stream
from contract.tracing import TraceContext, stated_in
from runtime.audit import digest
from runtime.ledger.times import parsed_milliseconds

_MAX_ID_CHARS = 255  # AMQP 0-9-1: a message id is a short string
_MAX_RUN = 2**31 - 1  # the largest INTEGER of PostgreSQL
_MAX_CHARS = 2048  # of a text that is copied from an event into a row: the limit of a URL, and longer than titles


class Unreadable(Exception):
    """The entry is not one that belongs into its record. Other programs may write to the broker."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedFact:
    """A run was accepted. Times are in milliseconds since 1970 here, and in every fact. `input` is JSON, or empty.

    `batch` is the id of the batch that it was posted with.
    """

    document_id: str
    run: int
    at_ms: int
    lane: str
    kind: str | None
    owner: str | None
    url: str | None
    labels: Mapping[str, str]
    input: bytes = b""
    body_digest: str | None = None
    batch: str | None = None
    batch_name: str | None = None
    callback_url: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptFact:
    """An attempt failed, and another one follows."""

    document_id: str
    run: int
    at_ms: int
    attempt: int
    reason: str
    detail: str
    next_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictFact:
    """A run is decided. `text` is the article's text, `body` the bytes of the event in the log.

    `signature` is that of the article; `original` is the document that it is a duplicate of; `trace` is where the event
    was made.
    """

    document_id: str
    run: int
    at_ms: int
    state: State
    digest: bytes
    body: bytes
    kind: str | None = None
    url: str | None = None
    host: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    attempts: int | None = None
    reason: str | None = None
    detail: str | None = None
    title: str | None = None
    language: str | None = None
    published: str | None = None
    text: str | None = None
    signature: Signature | None = None
    original: str | None = None
    trace: TraceContext | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasedFact:
    """A document is erased, with all its runs. The log does not tell its owner, the record of requests does."""

    document_id: str
    at_ms: int
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClosedFact:
    """A batch is closed, if it is one of `owner`, or if that is None. `name` is None if only its id is known."""

    batch: str
    at_ms: int
    owner: str | None
    name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CompletedFact:
    """The log holds the event that a batch is completed. `body` is that event."""

    batch: str
    at_ms: int
    name: str | None
    body: bytes


BatchFact = ClosedFact | CompletedFact
"""The facts about a whole batch."""

Fact = AcceptedFact | AttemptFact | VerdictFact | ErasedFact | BatchFact


def facts_of(stream: Stream, entry: LogEntry) -> Sequence[Fact]:
    """Returns the facts in `entry` of `stream`.

    Raises:
        Unreadable: it does not belong into that record.
    """
    try:
        if stream is Stream.LOG:
            return _of_log(entry.body)
        if stream is Stream.ACCEPTED:
            return [_of_acceptances(record) for record in decode_acceptances(entry.body)]
        if stream is Stream.REQUESTS:
            return [_erasure(it) for it in decode_requests(entry.body) if it.action is Action.ERASE]
        return [_attempt(record) for record in decode_attempts(entry.body)]
    except (UndecodableError, orjson.JSONDecodeError, LookupError, TypeError, ValueError, AttributeError) as error:
        raise Unreadable(type(error).__name__) from None


def _of_acceptances(record: AcceptedEntry) -> AcceptedFact | ClosedFact:
    return _closed(record) if isinstance(record, BatchClosed) else _accepted(record)


def _closed(record: BatchClosed) -> ClosedFact:
    return ClosedFact(
        batch=_checked_id(record.closed_batch),
        at_ms=parsed_milliseconds(record.at),
        owner=record.owner,
        name=_short(record.name),
    )


def _accepted(record: Any) -> AcceptedFact:  # noqa: ANN401 - what the codec returns
    document_id, run = _split(record.id)
    return AcceptedFact(
        document_id=document_id,
        run=run,
        at_ms=parsed_milliseconds(record.at),
        lane=record.lane,
        kind=record.kind,
        owner=record.owner,
        url=_short(record.url),
        labels=_labels(record.labels),
        input=b"" if record.input is None else encode(record.input),
        body_digest=_short(record.body_digest),
        batch=None if record.batch is None else batch_id(record.owner or "", record.batch),
        batch_name=_short(record.batch),
        callback_url=_short(record.callback_url),
    )


def _attempt(record: Any) -> AttemptFact:  # noqa: ANN401 - what the codec returns
    document_id, run = _split(record.id)
    return AttemptFact(
        document_id=document_id,
        run=run,
        at_ms=parsed_milliseconds(record.at),
        attempt=record.attempt,
        reason=record.reason,
        detail=_short(record.detail) or "",
        next_ms=parsed_milliseconds(record.next_at),
    )


def _erasure(request: OwnerRequest) -> ErasedFact:
    return ErasedFact(document_id=_checked_id(request.id), at_ms=parsed_milliseconds(request.at), owner=request.owner)


def _of_log(body: bytes) -> Sequence[VerdictFact | ErasedFact | CompletedFact]:
    event = orjson.loads(body)
    if event["type"] == WEBHOOK_DISABLED:
        return ()
    if event["type"] == ERASED:
        return (ErasedFact(document_id=_checked_id(event["subject"]), at_ms=parsed_milliseconds(event["time"])),)
    if event["type"] == BATCH_COMPLETED:
        return (_completed(event, body),)
    return (_verdict(event, body),)


def _completed(event: Mapping[str, Any], body: bytes) -> CompletedFact:
    return CompletedFact(
        batch=_checked_id(event["subject"]),
        at_ms=parsed_milliseconds(event["time"]),
        name=_short(event["data"]["name"]),
        body=body,
    )


def _verdict(event: Mapping[str, Any], body: bytes) -> VerdictFact:
    data = event["data"]
    document_id, run = _split(event["id"])
    if document_id != event["subject"]:
        raise Unreadable("subject")
    state = {PROCESSED: State.PROCESSED, FAILED: State.FAILED}[event["type"]]
    return VerdictFact(
        document_id=document_id,
        run=run,
        at_ms=parsed_milliseconds(event["time"]),
        state=state,
        digest=digest(data),
        body=body,
        kind=_short(data.get("kind")),
        url=_short(data.get("url")),
        host=_short(data.get("host") or host_of(data.get("url"))),
        labels=_labels(data.get("labels") or {}),
        attempts=data.get("attempts") if isinstance(data.get("attempts"), int) else None,
        reason=_short(data["reason"]) if state is State.FAILED else None,
        detail=_short(data.get("detail")) if state is State.FAILED else None,
        title=_short(data.get("title")),
        language=_short(data.get("language")),
        published=_short(data.get("published")),
        text=data["text"] if state is State.PROCESSED else None,
        signature=_signature(data) if state is State.PROCESSED else None,
        original=_short((data.get("duplicate_of") or {}).get("id")),
        trace=stated_in(event),
    )


def _signature(data: Mapping[str, Any]) -> Signature | None:
    return signature_of(
        content_sha256=data.get("content_sha256"),
        simhash=data.get("simhash"),
        sketch=data.get("sketch"),
        canonical_url=data.get("canonical_url"),
    )


def _split(event_id: str) -> tuple[str, int]:
    document_id, dot, run = event_id.rpartition(".")
    if not dot or not 0 < int(run) <= _MAX_RUN:
        raise Unreadable("id")
    return _checked_id(document_id), int(run)


def _checked_id(document_id: str) -> str:
    if len(document_id) > _MAX_ID_CHARS or "\0" in document_id:
        raise Unreadable("id")
    return document_id


def _short(value: object) -> str | None:
    """Returns a string fit for a column: PostgreSQL has no U+0000."""
    return value[:_MAX_CHARS].replace("\0", "") if isinstance(value, str) else None


def _labels(labels: Mapping[str, str]) -> dict[str, str]:
    return {_short(name) or "": _short(value) or "" for name, value in labels.items()}
