"""Every message has its times in UTC, whatever the zone of the clock."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest

from contract.accepted import acceptance
from contract.article import Article
from contract.ids import new_document_id
from contract.job import Job, Kind, Lane
from contract.reasons import Reason
from contract.submission import Submission, to_job
from contract.timestamps import rfc3339
from contract.verdicts import Retry
from workers import outcome
from workers.failures import DocumentFailure
from workers.retry import RetryPolicy, decide

AT = datetime(2026, 1, 31, 10, 15, 0, 5000, tzinfo=timezone(timedelta(hours=2)))
SAID = "2026-01-31T08:15:00.005Z"
JOB = Job(id="1", kind=Kind.TEXT, lane=Lane.BULK, accepted_at=SAID)
ARTICLE = Article(
    id="1", kind=Kind.TEXT, text="a", excerpt="a", word_count=1, char_count=1, reading_time_s=1, content_sha256="0",
    simhash="0", field_sources={},
)  # fmt: skip


def history(at: datetime) -> str:
    verdict = decide(JOB, DocumentFailure(Reason.CONNECT_ERROR), at, RetryPolicy())
    assert isinstance(verdict, Retry)
    return verdict.job.history[-1].at


def accepted_at(at: datetime) -> str:
    submission = Submission(text="a")
    return to_job(submission, id=new_document_id(), lane=Lane.BULK, accepted_at=at).accepted_at


@pytest.mark.parametrize(
    "written",
    [
        rfc3339,
        accepted_at,
        history,
        lambda at: acceptance(JOB, at).at,
        lambda at: outcome.processed(JOB, ARTICLE, at).time,
        lambda at: outcome.failed(JOB, DocumentFailure(Reason.NO_ARTICLE), at).time,
        lambda at: outcome.undecodable("1", Reason.UNDECODABLE, "", 1, at).time,
    ],
    ids=["writer", "job", "attempt", "record", "processed", "failed", "undecodable"],
)
def test_times_are_in_utc(written: Callable[[datetime], str]) -> None:
    assert written(AT) == SAID
    assert written(AT.astimezone(UTC)) == SAID
