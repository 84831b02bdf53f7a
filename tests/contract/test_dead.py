from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from contract.codec import MAX_JOB_BYTES, encode
from contract.dead import Burial, DeadLetter, NotRetryable, next_run, read_letter
from contract.job import Attempt, Job, Kind, Lane
from contract.reasons import Reason

JOB = Job(id="0195-a", kind=Kind.TEXT, lane=Lane.BULK, accepted_at="2025-03-01T12:00:00Z", content="Words.", attempt=3)
BURIAL = Burial(
    message_id="0195-b",
    event_id="0195-a.1",
    reason="memory",
    cause="signal 9",
    at=datetime(2025, 3, 1, 12, 30, tzinfo=UTC),
)


def read(body: bytes = encode(JOB), **noted: Any) -> DeadLetter:  # noqa: ANN401 - fields of a burial
    return read_letter(body, replace(BURIAL, **noted))


def test_the_next_run_begins_anew_and_keeps_its_history() -> None:
    past = Attempt(reason=Reason.PARSE_TIMEOUT, at="2025-03-01T12:10:00Z")
    again = next_run(read(encode(replace(JOB, run=2, history=(past,)))))
    buried = Attempt(reason=Reason.MEMORY, at="2025-03-01T12:30:00.000Z", detail="buried at attempt 3 of run 2")
    assert again == replace(JOB, run=3, attempt=1, history=(past, buried))


def test_a_letter_without_a_reason_adds_none_to_the_history() -> None:
    assert next_run(read(reason=None)).history == ()


@pytest.mark.parametrize(
    ("reason", "cause", "known"),
    [
        ("memory", "x", Reason.MEMORY),
        (None, "worker_lost: no worker survived", Reason.WORKER_LOST),
        ("of a later version", "x", None),
        (None, "signal 11", None),
    ],
)
def test_the_reason_is_what_was_noted_or_what_the_cause_begins_with(
    reason: str | None, cause: str, known: Reason | None
) -> None:
    assert read(reason=reason, cause=cause).reason is known


@pytest.mark.parametrize("body", [b"", b"\xff", b"[]", b'{"id": "x"}'])
def test_a_letter_without_a_job_cannot_be_retried(body: bytes) -> None:
    letter = read(body)
    assert letter.job is None
    with pytest.raises(NotRetryable):
        next_run(letter)


def test_a_job_above_the_size_limit_cannot_be_retried() -> None:
    fits = replace(JOB, content="")
    fits = replace(fits, content="x" * (MAX_JOB_BYTES - len(encode(fits))))
    with pytest.raises(NotRetryable):
        next_run(read(encode(fits)))


def test_the_id_is_the_documents_id_if_it_fits_into_a_path() -> None:
    assert read().id == "0195-a"
    assert read(b"no job").id == "0195-b"


@pytest.mark.parametrize("message_id", [None, "", "a/b", "..", "ü", "x" * 101, "a\nb"])
def test_otherwise_the_id_is_derived_from_the_message(message_id: str | None) -> None:
    one, again = read(b"no job", message_id=message_id), read(b"no job", message_id=message_id, cause="other")
    other = read(b"other bytes", message_id=message_id)
    assert one.id == again.id != other.id
    assert len(one.id) == 36
