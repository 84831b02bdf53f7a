"""Dead letters in memory, for the broker in memory."""

from datetime import UTC, datetime, timedelta

from contract.codec import encode
from contract.dead import Burial, DeadLetter, read_letter
from contract.job import Job
from contract.reasons import Reason

FIRST = datetime(2024, 10, 1, tzinfo=UTC)


def letter(
    job: Job | bytes, number: int = 0, *, reason: Reason = Reason.MEMORY, cause: str = "over the limit"
) -> DeadLetter:
    """Returns the letter of a job or of other bytes, buried `number` minutes after the first."""
    body = job if isinstance(job, bytes) else encode(job)
    event_id = None if isinstance(job, bytes) else job.event_id
    at = FIRST + timedelta(minutes=number)
    return read_letter(body, Burial(message_id=None, event_id=event_id, reason=reason, cause=cause, at=at))
