"""Converts contract types to bytes and back: orjson writes, pydantic checks what another process wrote."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from typing import Annotated, Any, Final, TypeVar

import orjson
from pydantic import Field, TypeAdapter, ValidationError

from contract.accepted import AcceptedEntry, Input
from contract.attempts import FailedAttempt
from contract.events import TRACE_ATTRIBUTES, AnyEvent, FailedEvent, ProcessedEvent
from contract.job import Job, PostedJob
from contract.requests import OwnerRequest

T = TypeVar("T")

MAX_JOB_BYTES = 12 * 1024 * 1024  # chosen: RabbitMQ 4 closes the channel at 16 MiB
# chosen: larger pages are rare. A worker holds up to four previews beside its jobs, within its memory limit
MAX_PREVIEW_BYTES = 2 * 1024 * 1024
MAX_EVENT_BYTES = 12 * 1024 * 1024  # chosen for the same reason
_MAX_DETAIL_CHARS = 500  # of an error message; chosen: the first faults fit, and a log line stays readable


# From left to right: nearly all are acceptances, and to compare both kinds takes longer.
ACCEPTANCES: Final = list[Annotated[AcceptedEntry, Field(union_mode="left_to_right")]]


_ATTRIBUTES: Final[Mapping[type, Sequence[str]]] = {
    kind: [field.name for field in fields(kind)] for kind in (ProcessedEvent, FailedEvent)
}


class UndecodableError(ValueError):
    """The bytes are not a message of the expected type."""


class MessageTooLarge(ValueError):
    """The message is larger than brokers accept: over `limit_bytes`."""

    def __init__(self, size_bytes: int, limit_bytes: int) -> None:
        super().__init__(f"{size_bytes} bytes are over the limit of {limit_bytes}")
        self.limit_bytes = limit_bytes


@cache
def adapter(kind: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - a type expression, which typing cannot name yet
    """Returns the pydantic adapter of a contract type, made once."""
    return TypeAdapter(kind)


def encode(value: object) -> bytes:
    """Returns `value`, a contract dataclass, as UTF-8 JSON."""
    if isinstance(value, PostedJob):
        return orjson.dumps(_with_json_of_content(value))
    return orjson.dumps(_present(value) if isinstance(value, ProcessedEvent | FailedEvent) else value)


def _present(event: ProcessedEvent | FailedEvent) -> dict[str, Any]:
    """Returns the attributes that an event has: one without a trace has the bytes that it always had."""
    return {
        name: value
        for name in _ATTRIBUTES[type(event)]
        if (value := getattr(event, name)) is not None or name not in TRACE_ATTRIBUTES
    }


def _with_json_of_content(job: PostedJob) -> dict[str, Any]:
    return {name: getattr(job, name) for name in _job_fields()} | {"content": orjson.Fragment(job.content_json)}


@cache
def _job_fields() -> Sequence[str]:
    return [field.name for field in fields(Job)]


def encode_within(limit_bytes: int, value: object) -> bytes:
    """Returns `value`, a contract dataclass, as UTF-8 JSON of at most `limit_bytes` bytes.

    Raises:
        MessageTooLarge: it has more.
    """
    body = encode(value)
    if len(body) > limit_bytes:
        raise MessageTooLarge(len(body), limit_bytes)
    return body


def decode_job(body: bytes) -> Job:
    """Returns the job in `body`. Unknown fields are ignored.

    Raises:
        UndecodableError: not JSON, or not a job.
    """
    job: Job = _decode(Job, body)
    return job


def decode_event(body: bytes) -> AnyEvent:
    """Returns the event in `body`.

    Raises:
        UndecodableError: not JSON, or none of the events that the log holds.
    """
    event: AnyEvent = _decode(AnyEvent, body)
    return event


def decode_acceptances(body: bytes) -> list[AcceptedEntry]:
    """Returns the entries of the record of acceptances in `body`.

    Raises:
        UndecodableError: not JSON, or no such records.
    """
    records: list[AcceptedEntry] = _decode(ACCEPTANCES, body)
    return records


def decode_attempts(body: bytes) -> list[FailedAttempt]:
    """Returns the records of attempts in `body`.

    Raises:
        UndecodableError: not JSON, or no such records.
    """
    records: list[FailedAttempt] = _decode(list[FailedAttempt], body)
    return records


def decode_requests(body: bytes) -> list[OwnerRequest]:
    """Returns the requests in `body`.

    Raises:
        UndecodableError: not JSON, or no such requests.
    """
    requests: list[OwnerRequest] = _decode(list[OwnerRequest], body)
    return requests


def decode_input(body: bytes) -> Input:
    """Returns the input of a run in `body`.

    Raises:
        UndecodableError: not JSON, or no input.
    """
    kept: Input = _decode(Input, body)
    return kept


def _decode(kind: Any, body: bytes) -> Any:  # noqa: ANN401 - see adapter
    try:
        return adapter(kind).validate_json(body)
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_input=False))
        raise UndecodableError(places[:_MAX_DETAIL_CHARS]) from None
