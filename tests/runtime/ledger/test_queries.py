from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from contract.idempotency import Idempotency
from contract.job import Job, Kind, Lane
from contract.ledger import DocumentFilter, DocumentPlace, Run, State
from contract.reasons import Reason
from contract.search import parse_query
from runtime.ledger.queries import SqlLedger
from tests.brokers import samples
from tests.runtime.ledger.records import BEGIN, Records, failed, next_run, record_all


async def listed(engine: AsyncEngine, wanted: DocumentFilter, *, limit: int = 100) -> list[str]:
    return [run.document_id for run in (await SqlLedger(engine).page(wanted, limit=limit, after=None)).runs]


async def every_page(engine: AsyncEngine, limit: int) -> list[Run]:
    ledger, found, place = SqlLedger(engine), list[Run](), None
    while True:
        page = await ledger.page(DocumentFilter(), limit=limit, after=place)
        found += page.runs
        place = page.next
        if place is None:
            return found


async def test_pages_show_every_document_once_newest_first(engine: AsyncEngine) -> None:
    records, jobs = Records(), samples.jobs(23)
    records.accept(*jobs[:9])  # all in one moment
    for job in jobs[9:]:
        records.accept(job)
    await record_all(records, engine)
    shown = await every_page(engine, 4)
    places = [f"{run.accepted_at} {run.document_id}" for run in shown]
    assert places == sorted(places, reverse=True)
    assert {run.document_id for run in shown} == {job.id for job in jobs}
    assert len(shown) == len(jobs)


async def test_pages_are_stable_when_documents_come_in_between(engine: AsyncEngine) -> None:
    records, jobs = Records(), samples.jobs(10)
    for job in jobs:
        records.accept(job)
    await record_all(records, engine)
    ledger = SqlLedger(engine)
    first = await ledger.page(DocumentFilter(), limit=5, after=None)
    records.accept(*samples.jobs(7))
    records.decide(samples.processed(jobs[0]))
    await record_all(records, engine)
    second = await ledger.page(DocumentFilter(), limit=100, after=first.next)
    assert [run.document_id for run in (*first.runs, *second.runs)] == [job.id for job in reversed(jobs)]


async def test_a_place_before_all_is_the_end(engine: AsyncEngine) -> None:
    records = Records()
    records.accept(*samples.jobs(3))
    await record_all(records, engine)
    assert (await SqlLedger(engine).page(DocumentFilter(), limit=5, after=DocumentPlace(0, "a"))).runs == []


async def test_the_latest_run_stands_for_the_document(engine: AsyncEngine) -> None:
    records, job = Records(), samples.job()
    records.accept(job)
    records.decide(failed(job))
    records.accept(next_run(job))
    await record_all(records, engine)
    assert await listed(engine, DocumentFilter(state=State.FAILED)) == []
    assert await listed(engine, DocumentFilter(state=State.ACCEPTED)) == [job.id]
    records.decide(samples.processed(next_run(job)))
    await record_all(records, engine)
    (run,) = (await SqlLedger(engine).page(DocumentFilter(), limit=5, after=None)).runs
    assert (run.run, run.state) == (2, State.PROCESSED)


def mixed() -> tuple[Records, dict[str, Job]]:
    """Returns documents that differ in one thing each."""
    records = Records()
    jobs = {name: replace(job, labels={"name": name}) for name, job in zip("abcdef", samples.jobs(6), strict=True)}
    jobs["b"] = replace(jobs["b"], kind=Kind.URL, url="https://www.example.org/x", content=None)
    jobs["c"] = replace(jobs["c"], owner="archive", labels={"name": "c", "desk": "sport"})
    for job in jobs.values():
        records.accept(job)
    records.retry(jobs["b"])
    records.decide(failed(jobs["c"], Reason.GONE))
    for name, language, published, title in (
        ("d", "en", "2026-03-01", "Ferry"),
        ("e", "de", "2026-03-02T10:00:00+02:00", "Fähre"),
    ):
        event = samples.processed(jobs[name], host=f"www.{name}.example")
        records.decide(replace(event, data=replace(event.data, language=language, published=published, title=title)))
    return records, jobs


@pytest.mark.parametrize(
    ("wanted", "names"),
    [
        (DocumentFilter(), "fedcba"),
        (DocumentFilter(state=State.ACCEPTED), "fa"),
        (DocumentFilter(state=State.PROCESSING), "b"),
        (DocumentFilter(reason=Reason.DNS_ERROR), "b"),
        (DocumentFilter(reason=Reason.GONE, state=State.FAILED), "c"),
        (DocumentFilter(kind=Kind.URL), "b"),
        (DocumentFilter(host="www.example.org"), "b"),
        (DocumentFilter(host="www.d.example"), "d"),
        (DocumentFilter(owner="archive"), "c"),
        (DocumentFilter(language="de"), "e"),
        (DocumentFilter(labels={"name": "c"}), "c"),
        (DocumentFilter(labels={"name": "c", "desk": "sport"}), "c"),
        (DocumentFilter(labels={"name": "a", "desk": "sport"}), ""),
        (DocumentFilter(accepted_from=BEGIN + timedelta(seconds=5)), "fe"),
        (DocumentFilter(accepted_until=BEGIN + timedelta(seconds=3)), "ba"),
        (DocumentFilter(published_from=datetime(2026, 3, 2, 8, tzinfo=UTC)), "e"),
        (DocumentFilter(published_until=datetime(2026, 3, 2, 8, tzinfo=UTC)), "d"),
        (DocumentFilter(terms=parse_query("fahre")), "e"),
        (DocumentFilter(terms=parse_query("ferry")), "d"),
        (DocumentFilter(terms=parse_query("lodz")), "ed"),
        (DocumentFilter(terms=parse_query("lodz -ferry")), "e"),
        (DocumentFilter(terms=parse_query('"aus lodz"')), "ed"),
        (DocumentFilter(terms=parse_query('"lodz aus"')), ""),
        (DocumentFilter(terms=parse_query("lodz"), language="en", labels={"name": "d"}), "d"),
    ],
    ids=str,
)
async def test_a_filter_shows_what_it_asks_for(engine: AsyncEngine, wanted: DocumentFilter, names: str) -> None:
    records, jobs = mixed()
    await record_all(records, engine)
    by_id = {job.id: name for name, job in jobs.items()}
    assert "".join(by_id[found] for found in await listed(engine, wanted)) == names


@pytest.mark.parametrize(
    ("text", "query", "found"),
    [
        ("東京都で会議がありました", "京都", True),  # any sequence of characters, as the language has no spaces
        ("東京都で会議がありました", "会議", True),
        ("東京都で会議がありました", "議会", False),
        ("การประชุม", "ประชุม", True),
        ("हिन्दी भाषा", "हिन्दी", True),
        ("It's the state-of-the-art", '"state of the art"', True),
        ("It's the state-of-the-art", "state-of-the-art", True),
        ("AND OR NOT NEAR", "NEAR AND or", True),
        ("a 'quoted' \"word\" (x) & y | !z : *", "quoted word x y z", True),
        ("foo_bar", "bar", True),
        ("Straße", "STRASSE", True),
        ("naïve café", "naive -cafe", False),
        ("ﬁnance", "finance", True),
        ("2,500.75", '"2 500 75"', True),
        ("x" * 500, "x" * 500, True),
    ],
)
async def test_words_are_found_alike_in_every_database(engine: AsyncEngine, text: str, query: str, found: bool) -> None:
    records, job = Records(), samples.job(content=text)
    records.decide(samples.processed(job))
    await record_all(records, engine)
    assert await listed(engine, DocumentFilter(terms=parse_query(query))) == ([job.id] if found else [])


async def test_a_text_of_any_length_can_be_searched_to_its_bound(engine: AsyncEngine) -> None:
    words = [f"{number:x}wört" for number in range(60_000)]  # each once: the most that an index can get
    records, job = Records(), samples.job(content=" ".join(words))
    records.decide(samples.processed(job))
    await record_all(records, engine)
    assert await listed(engine, DocumentFilter(terms=parse_query(f'"{words[14_000]} {words[14_001]}"'))) == [job.id]
    assert await listed(engine, DocumentFilter(terms=parse_query(words[59_999]))) == []


async def test_recorded_until_is_not_said_before_it_is_known(engine: AsyncEngine) -> None:
    ledger = SqlLedger(engine)
    assert await ledger.recorded_until() is None
    records = Records()
    records.accept(samples.job())
    await record_all(records, engine)
    until = await ledger.recorded_until()
    assert until is not None
    assert until <= datetime.now(UTC) - timedelta(seconds=100)


async def test_what_is_decided_is_counted_by_lane_and_time(engine: AsyncEngine) -> None:
    records = Records()
    jobs = [*samples.jobs(3), *samples.jobs(2, Lane.BULK)]
    records.accept(*jobs)
    for job in jobs:
        records.decide(samples.processed(job))
    records.accept(samples.job())
    await record_all(records, engine)
    decided = datetime.fromisoformat(samples.NOW)
    ledger = SqlLedger(engine)
    assert await ledger.decided_since(decided) == {Lane.INTERACTIVE: 3, Lane.BULK: 2}
    assert await ledger.decided_since(decided + timedelta(milliseconds=1)) == {}


async def test_the_first_of_a_lane_is_the_one_that_was_accepted_first_and_not_tried_yet(engine: AsyncEngine) -> None:
    records = Records()
    tried, done, first, later = samples.jobs(4)
    for job in (tried, done, first, later):
        records.accept(job)
    records.retry(tried)
    records.decide(samples.processed(done))
    await record_all(records, engine)
    ledger = SqlLedger(engine)
    (run,) = await ledger.runs(first.id)
    assert await ledger.waiting_since(Lane.INTERACTIVE) == run.accepted_at
    assert await ledger.waiting_since(Lane.BULK) is None


async def test_the_first_body_of_each_key_is_known(engine: AsyncEngine) -> None:
    records, (first, again, plain) = Records(), samples.jobs(3)
    keyed = replace(first, idempotency=Idempotency(body_digest="a"))
    records.accept(keyed, plain)
    records.accept(replace(keyed, idempotency=Idempotency(body_digest="b")))
    records.accept(next_run(replace(keyed, idempotency=None)), replace(again, idempotency=Idempotency(body_digest="c")))
    await record_all(records, engine)
    ledger = SqlLedger(engine)
    assert await ledger.body_digests([first.id, again.id, plain.id, "unknown"]) == {first.id: "a", again.id: "c"}
    assert await ledger.body_digests([plain.id]) == {}
    assert await ledger.body_digests([]) == {}
