"""How a worker decides documents that their owners cancelled or erased."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace

import pytest

from contract.article import Article
from contract.broker import LogEntry, UnknownOffset
from contract.codec import encode
from contract.events import FailedEvent
from contract.job import Attempt, Job, Lane
from contract.reasons import Reason
from contract.requests import Action, OwnerRequest
from contract.streams import Stream
from contract.verdicts import Publish
from tests.brokers import samples
from tests.workers.test_worker import article_of, delivery, worker
from workers.document import RawDocument
from workers.failures import Failed
from workers.fetch import HostBusy
from workers.requests import OwnerRequests

JOB = samples.job()


def wanted(job: Job = JOB, action: Action = Action.CANCEL, run: int | None = 1, owner: str | None = "") -> OwnerRequest:
    name = job.owner if owner == "" else owner
    return OwnerRequest(action=action, id=job.id, at=samples.NOW, run=run, owner=name)


def knowing(*requests: OwnerRequest, most: int = 10) -> OwnerRequests:
    known = OwnerRequests(most)
    for request in requests:
        known.take(request)
    return known


async def decided(job: Job, known: OwnerRequests, **changes: object) -> FailedEvent:
    verdict = await worker(requests=known).handle(delivery(job, **changes))
    assert isinstance(verdict, Publish)
    assert isinstance(verdict.event, FailedEvent)
    return verdict.event


@pytest.mark.parametrize("changes", [{}, {"deliveries": 4}, {"deliveries": 9, "lost": True}])
async def test_a_cancelled_document_is_decided_unread(changes: dict[str, object]) -> None:
    event = await decided(JOB, knowing(wanted()), **changes)
    assert (event.id, event.data.reason, event.data.attempts) == (JOB.event_id, Reason.CANCELLED, 0)
    assert (event.data.labels, event.routing_key) == (JOB.labels, "failed.cancelled._")


async def test_attempts_that_were_made_are_counted_and_told() -> None:
    tried = JOB.next_attempt(Attempt(reason=Reason.DNS_ERROR, at=samples.NOW))
    event = await decided(tried, knowing(wanted()))
    assert (event.data.attempts, event.data.provenance.history) == (1, tried.history)


async def test_the_event_of_an_erased_document_has_only_its_id_and_kind() -> None:
    job = replace(JOB, url="https://example.com/secret", history=(Attempt(reason=Reason.GONE, at="", detail="secret"),))
    event = await decided(job, knowing(wanted(job, Action.ERASE, None)))
    assert (event.data.id, event.data.kind, event.data.reason) == (job.id, job.kind, Reason.CANCELLED)
    assert b"secret" not in encode(event)
    assert b"foreign" not in encode(event)  # a label


async def test_only_runs_up_to_the_one_that_was_cancelled_are() -> None:
    known = knowing(wanted(run=2))
    about = [known.about(replace(JOB, run=run)) for run in (1, 2, 3)]
    assert about == [Action.CANCEL, Action.CANCEL, None]


async def test_an_erasure_holds_for_all_runs_and_over_a_later_cancel() -> None:
    known = knowing(wanted(action=Action.ERASE, run=None), wanted(run=1))
    assert [known.about(replace(JOB, run=run)) for run in (1, 99)] == [Action.ERASE] * 2


async def test_a_request_touches_its_owners_documents_alone() -> None:
    assert knowing(wanted(owner="somebody-else")).about(JOB) is None
    assert knowing(wanted(), wanted(owner="somebody-else", run=None)).about(JOB) is Action.CANCEL
    assert knowing(wanted(owner=None)).about(JOB) is Action.CANCEL
    assert knowing(wanted()).about(samples.job()) is None


async def test_the_newest_requests_are_remembered() -> None:
    jobs = samples.jobs(3)
    known = knowing(*map(wanted, jobs), most=2)
    assert [known.about(job) for job in jobs] == [None, Action.CANCEL, Action.CANCEL]


@pytest.mark.parametrize(
    ("ends", "attempts"),
    [(Failed(Reason.NO_ARTICLE), 1), (HostBusy(1.0), 0), (Failed(Reason.DNS_ERROR), 1), (None, 1)],
)
async def test_a_document_that_is_cancelled_while_it_is_in_hand_is_decided_so_after_the_attempt(
    ends: Exception | None, attempts: int
) -> None:
    known = OwnerRequests()

    async def extract(document: RawDocument) -> Article:
        known.take(wanted())
        if ends is not None:
            raise ends
        return article_of(document)

    verdict = await worker(extract_article=extract, requests=known).handle(delivery(JOB))
    assert isinstance(verdict, Publish)
    assert (verdict.event.reason, getattr(verdict.event.data, "attempts", None)) == (Reason.CANCELLED, attempts)


class Record:
    """Implements `contract.streams.Streams` with the given batches; after the last of them it is made anew."""

    def __init__(self, *lives: Sequence[Sequence[bytes]]) -> None:
        self.lives = list(lives)

    async def follow(self, stream: Stream, after: int) -> AsyncGenerator[Sequence[LogEntry], None]:
        assert (stream, after) == (Stream.REQUESTS, -1)
        for batch in self.lives.pop(0):
            yield [LogEntry(place, "", body) for place, body in enumerate(batch)]
        if not self.lives:
            await asyncio.Event().wait()
        raise UnknownOffset(stream)


async def test_following_goes_on_past_what_it_cannot_read_and_when_the_record_is_made_anew() -> None:
    first, second = samples.jobs(2, Lane.BULK)
    record = Record([[encode([wanted(first)]), b"no request"]], [[encode([wanted(second)])], []])
    known, caught_up = OwnerRequests(), asyncio.Event()
    async with asyncio.TaskGroup() as group:
        following = group.create_task(known.follow(record, caught_up))
        await caught_up.wait()
        following.cancel()
    assert [known.about(first), known.about(second)] == [Action.CANCEL, Action.CANCEL]
