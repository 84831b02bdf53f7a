"""Dead letters: buried messages as an operator sees them, and the job that a retry puts."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID, uuid5

from contract.codec import MAX_JOB_BYTES, UndecodableError, decode_job, encode
from contract.job import Attempt, Job
from contract.reasons import Reason
from contract.timestamps import rfc3339

_NAMESPACE = UUID("0d5e3b52-6c0c-5a3e-8b7e-2f1f4d7f1c34")
_FIT_FOR_PATHS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")


class NotRetryable(Exception):
    """The letter cannot be retried: its job cannot be decoded, or is over the size limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A buried message.

    Attributes:
        id: the document's id if the message has one, else a UUID that is computed from the message. The same in every
            scan; repeats of a document, and its later runs, share it.
        reason: why it failed, None if that was not recorded.
        cause: recorded at the burial: a description of the failure, or a traceback. Never text of the document.
        buried_at: aware; the epoch where it was not recorded.
        event_id: the event that was written at the burial, None where none is known.
        size: of the message, in bytes.
        job: the job in it, without its content; None if it cannot be decoded.
        body: the message as it was delivered, if it was requested.
    """

    id: str
    reason: Reason | None
    cause: str
    buried_at: datetime
    event_id: str | None
    size: int
    job: Job | None
    body: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Burial:
    """What is recorded when a message is buried. `at` is aware; `reason` is a value of `Reason`, None if unknown."""

    message_id: str | None
    event_id: str | None
    reason: str | None
    cause: str
    at: datetime


Wanted = Callable[[DeadLetter], bool]


@dataclass(frozen=True, slots=True)
class DeadLetterPage:
    """The letters that one scan found. `complete` is False if there are more letters than one scan reaches."""

    letters: Sequence[DeadLetter]
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Handled:
    """How many letters were retried or dropped, and how many were `kept` because they cannot be retried.

    `complete` is False if there may be more of them: call again.
    """

    done: int
    kept: int = 0
    complete: bool = True


def read_letter(body: bytes, burial: Burial) -> DeadLetter:
    """Returns the dead letter, with its body, for a message and the record of its burial."""
    try:
        job = replace(decode_job(body), content=None)
    except UndecodableError:
        job = None
    return DeadLetter(
        id=_letter_id(body, job.id if job else burial.message_id),
        reason=_known(burial.reason) or _known(burial.cause.partition(":")[0]),
        cause=burial.cause,
        buried_at=burial.at,
        event_id=burial.event_id,
        size=len(body),
        job=job,
        body=body,
    )


def next_run(letter: DeadLetter) -> Job:
    """Returns the job that a retry of `letter`, which has its body, puts: the next run of the document.

    It starts with attempt 1. Its history includes the attempt that was buried.

    Raises:
        NotRetryable: it holds no job, or one over the size limit.
    """
    try:
        dead = decode_job(letter.body or b"")
    except UndecodableError as error:
        raise NotRetryable(str(error)) from None
    job = replace(dead, run=dead.run + 1, attempt=1, history=(*dead.history, *_buried(letter, dead)))
    if len(encode(job)) > MAX_JOB_BYTES:
        raise NotRetryable(f"over {MAX_JOB_BYTES} bytes")
    return job


def _buried(letter: DeadLetter, dead: Job) -> tuple[Attempt, ...]:
    if letter.reason is None:
        return ()
    at = rfc3339(letter.buried_at)
    return (Attempt(reason=letter.reason, at=at, detail=f"buried at attempt {dead.attempt} of run {dead.run}"),)


def _letter_id(body: bytes, document_id: str | None) -> str:
    if document_id and _FIT_FOR_PATHS.fullmatch(document_id):
        return document_id
    return str(uuid5(_NAMESPACE, f"{document_id or ''}:{sha256(body).hexdigest()}"))


def _known(word: str | None) -> Reason | None:
    return Reason(word) if word in set(Reason) else None
