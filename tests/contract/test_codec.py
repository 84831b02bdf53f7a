from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.article import Article, Failure, Fetched, Provenance, Removed, Source
from contract.codec import UndecodableError, decode_event, decode_job, encode
from contract.events import FailedEvent, ProcessedEvent
from contract.job import Attempt, CallerMetadata, Job, Kind, Lane
from contract.reasons import Reason

texts = st.text(st.characters(codec="utf-8"))
words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)
maybe = st.none() | words
attempts = st.builds(Attempt, reason=st.sampled_from(Reason), at=words, detail=words)
jobs = st.builds(
    Job,
    id=words,
    kind=st.sampled_from(Kind),
    lane=st.sampled_from(Lane),
    accepted_at=words,
    url=maybe,
    content=st.none() | texts,
    metadata=st.builds(CallerMetadata, title=maybe, authors=st.tuples(words), published=maybe),
    labels=st.dictionaries(words, words, max_size=3),
    history=st.tuples(attempts),
)
provenances = st.builds(
    Provenance,
    fetch=st.none() | st.builds(Fetched, url=words, status=st.integers(100, 599), media_type=words),
    timings=st.dictionaries(words, st.floats(0, 1e6), max_size=2),
    candidates=st.dictionaries(words, st.tuples(words, words), max_size=2),
    history=st.tuples(attempts),
)
articles = st.builds(
    Article,
    id=words,
    kind=st.sampled_from(Kind),
    title=maybe,
    authors=st.tuples(words, words),
    text=texts,
    excerpt=texts,
    word_count=st.integers(0, 10**9),
    char_count=st.integers(0, 10**9),
    reading_time_s=st.integers(0, 10**9),
    content_sha256=words,
    simhash=words,
    field_sources=st.dictionaries(words, st.sampled_from(Source), max_size=2),
    removed=st.tuples(st.builds(Removed, text=words, rule=words)),
    provenance=provenances,
)
failures = st.builds(
    Failure,
    id=words,
    kind=st.none() | st.sampled_from(Kind),
    reason=st.sampled_from(Reason),
    detail=texts,
    attempts=st.integers(1, 99),
    url=maybe,
    provenance=provenances,
)
events = st.builds(ProcessedEvent, id=words, subject=words, time=words, data=articles) | st.builds(
    FailedEvent, id=words, subject=words, time=words, data=failures
)


@given(jobs)
def test_a_job_comes_back_as_it_went(job: Job) -> None:
    assert decode_job(encode(job)) == job


@given(events)
def test_an_event_comes_back_as_it_went(event: ProcessedEvent | FailedEvent) -> None:
    assert decode_event(encode(event)) == event


@given(st.binary() | st.text().map(str.encode))
def test_foreign_bytes_raise_undecodable_and_no_other_error(body: bytes) -> None:
    with pytest.raises(UndecodableError):
        decode_job(body)
    with pytest.raises(UndecodableError):
        decode_event(body)


def test_an_undecodable_message_is_explained_without_its_content() -> None:
    with pytest.raises(UndecodableError) as caught:
        decode_job(b'{"id": 7, "content": "secret words"}')
    assert "id: " in str(caught.value)
    assert "secret" not in str(caught.value)


def test_fields_of_later_versions_are_passed_over() -> None:
    job = Job(id="1", kind=Kind.TEXT, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", content="x")
    later = encode(job).replace(b'{"id"', b'{"from_the_future":[1],"id"', 1)
    assert decode_job(later) == job


def test_the_next_attempt_remembers_the_last() -> None:
    job = Job(id="1", kind=Kind.TEXT, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", content="x")
    failed = Attempt(reason=Reason.DNS_ERROR, at="2026-01-01T00:00:01Z")
    assert job.next_attempt(failed) == replace(job, attempt=2, history=(failed,))
