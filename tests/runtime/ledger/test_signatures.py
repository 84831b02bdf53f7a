from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import URL, func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.article import Article
from contract.duplicates import Signature, signature_of
from contract.events import ProcessedEvent
from contract.job import Job, Kind
from contract.ledger import LedgerUnavailable
from contract.reasons import Reason
from contract.timestamps import rfc3339
from runtime.ledger import schema
from runtime.ledger.database import open_engine
from runtime.ledger.journal import Journal
from runtime.ledger.signatures import SqlSignatures
from runtime.ledger.tables import signatures
from tests.brokers import samples
from tests.runtime.ledger.records import Records, record_all
from tests.runtime.ledger.test_recorder import fence_of
from workers.document import RawDocument
from workers.pipeline import extract_article

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
WORDS = ("ferry", "harbour", "council", "island", "school", "bread", "ice", "screw", "dock", "town", "winter")
STORY = " ".join(f"{word} {number} {WORDS[number % 7]}." for number, word in enumerate(WORDS * 40))
NEARLY = STORY.replace("council 244 ", "council two ")


def event(job: Job, content: str, *, url: str | None = None, at: datetime = AT) -> ProcessedEvent:
    made = extract_article(RawDocument(job=replace(job, kind=Kind.TEXT), content=content, is_html=False, url=url))
    return replace(samples.processed(job), time=rfc3339(at), data=made)


def signature(article: Article) -> Signature:
    made = signature_of(
        content_sha256=article.content_sha256,
        simhash=article.simhash,
        sketch=article.sketch,
        canonical_url=article.canonical_url,
    )
    assert made is not None
    return made


class SignedArticles:
    """What was decided, and what is found in the ledger."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self.records = Records()

    def decide(self, content: str, *, url: str | None = None, at: datetime = AT, owner: str = "newsroom") -> Job:
        job = replace(samples.job(), owner=owner)
        self.records.accept(job)
        self.records.decide(event(job, content, url=url, at=at))
        return job

    async def found(
        self, content: str, *, url: str | None = None, owner: str | None = "newsroom", since: datetime = AT
    ) -> set[str]:
        await record_all(self.records, self._engine)
        like = signature(event(samples.job(), content, url=url).data)
        earlier = await SqlSignatures(self._engine).like(like, owner=owner, since=since)
        return {each.document_id for each in earlier}


@pytest.fixture
async def articles(engine: AsyncEngine) -> SignedArticles:
    return SignedArticles(engine)


async def test_articles_with_the_same_text_the_same_url_or_nearly_the_same_text_are_found(
    articles: SignedArticles,
) -> None:
    same = articles.decide(STORY)
    near = articles.decide(NEARLY)
    here = articles.decide("Snow fell on the villages.", url="https://example.org/a")
    articles.decide("The pass stays closed.", url="https://example.org/b")
    assert await articles.found(STORY) == {same.id, near.id}
    assert await articles.found(STORY, url="http://example.org/a") == {same.id, near.id, here.id}
    assert await articles.found("A text of its own.") == set()


async def test_signatures_come_back_as_they_were(articles: SignedArticles, engine: AsyncEngine) -> None:
    job = samples.job()
    told = event(job, STORY, url="https://example.org/a")
    original = {"id": "the-first", "kind": "near", "similarity": 0.9}
    articles.records.accept(job)
    articles.records.decide(replace(told, data=replace(told.data, duplicate_of=original)))  # type: ignore[arg-type] # as in JSON
    await record_all(articles.records, engine)
    (found,) = await SqlSignatures(engine).like(signature(told.data), owner="newsroom", since=AT)
    assert found.signature == signature(told.data)
    assert (found.document_id, found.decided_ms) == (job.id, round(AT.timestamp() * 1000))
    assert found.original == "the-first"


@pytest.mark.parametrize("simhash", ["f" * 16, "8" + "0" * 15, "7" + "f" * 15, "0" * 16])
async def test_every_hash_can_be_stored_and_found(engine: AsyncEngine, simhash: str) -> None:
    records, job = Records(), samples.job()
    told = event(job, STORY)
    told = replace(told, data=replace(told.data, simhash=simhash, content_sha256="f" * 64))
    records.accept(job)
    records.decide(told)
    await record_all(records, engine)
    near = replace(signature(told.data), content=1, simhash=int(simhash, 16) ^ 0x8000_0000_0000_0011)
    (found,) = await SqlSignatures(engine).like(near, owner="newsroom", since=AT)
    assert found.signature == signature(told.data)
    near = replace(near, sketch=b"")  # only its SimHash is left
    assert len(await SqlSignatures(engine).like(near, owner="newsroom", since=AT)) == 1
    far = replace(near, simhash=near.simhash ^ 2)
    assert await SqlSignatures(engine).like(far, owner="newsroom", since=AT) == ()


async def test_each_lowest_hash_finds_each_other(articles: SignedArticles, engine: AsyncEngine) -> None:
    job = articles.decide(STORY)
    assert await articles.found(STORY) == {job.id}
    told = signature(event(samples.job(), STORY).data)
    first, second = told.lowest
    index = SqlSignatures(engine)
    for lowest, is_found in (((first, first + 1), True), ((0, second), True), ((0, first), True), ((0, 1), False)):
        sketch = b"".join(each.to_bytes(4) for each in lowest)
        like = Signature(content=0, url=None, simhash=~told.simhash % 2**64, sketch=sketch)
        assert bool(await index.like(like, owner="newsroom", since=AT)) == is_found, lowest


async def test_only_articles_of_the_owner_within_the_window_are_found(articles: SignedArticles) -> None:
    mine, old = articles.decide(STORY), articles.decide(STORY, at=AT - timedelta(days=2))
    other = articles.decide(STORY, owner="desk")
    assert await articles.found(STORY) == {mine.id}
    assert await articles.found(STORY, owner="desk") == {other.id}
    assert await articles.found(STORY, owner=None) == set()
    assert await articles.found(STORY, since=AT - timedelta(days=3)) == {mine.id, old.id}


async def test_of_many_with_the_same_text_the_newest_are_found(articles: SignedArticles) -> None:
    jobs = [articles.decide("The same notice every day.") for _ in range(110)]
    found = await articles.found("The same notice every day.")
    assert found >= {job.id for job in jobs[-100:]}


async def test_failed_documents_and_events_without_a_sketch_have_no_signature(
    articles: SignedArticles, engine: AsyncEngine
) -> None:
    old, failed = samples.jobs(2)
    told = event(old, STORY)
    articles.records.decide(replace(told, data=replace(told.data, sketch=None)))
    articles.records.decide(samples.failed(failed.id, Reason.DUPLICATE))
    assert await articles.found(STORY) == set()
    assert await count(engine) == 0


async def test_what_is_erased_is_found_no_more(articles: SignedArticles, engine: AsyncEngine) -> None:
    gone, kept = articles.decide(STORY), articles.decide(STORY)
    assert await articles.found(STORY) == {gone.id, kept.id}
    articles.records.erase(gone)
    assert await articles.found(STORY) == {kept.id}
    assert await count(engine) == 1


async def test_retention_and_a_rebuild_take_signatures_along(articles: SignedArticles, engine: AsyncEngine) -> None:
    jobs = [articles.decide(STORY), articles.decide(NEARLY)]
    assert await articles.found(STORY) == {job.id for job in jobs}
    await Journal(engine, await fence_of(engine)).drop(1, before_ms=None)
    assert await count(engine) == 1
    await schema.clear(engine)
    assert await count(engine) == 0
    assert await articles.found(STORY) == {job.id for job in jobs}


async def test_a_database_without_tables_is_unavailable(empty_url: URL) -> None:
    engine = open_engine(empty_url, makes=True)
    like = signature(event(samples.job(), STORY).data)
    with pytest.raises(LedgerUnavailable):
        await SqlSignatures(engine).like(like, owner=None, since=AT)
    await engine.dispose()


async def count(engine: AsyncEngine) -> int:
    async with engine.connect() as connection:
        return (await connection.execute(select(func.count()).select_from(signatures))).scalar_one()
