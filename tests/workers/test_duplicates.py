import asyncio
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import pytest
from prometheus_client import CollectorRegistry

from contract.article import Article
from contract.duplicates import SKETCH_HASH_BYTES, DuplicateKind, DuplicateOf, Earlier, Signature, signature_of
from contract.events import FailedEvent, ProcessedEvent
from contract.job import Job
from contract.ledger import LedgerUnavailable
from contract.metrics import Metrics
from contract.options import OnDuplicate, Options
from contract.requests import Action, OwnerRequest
from contract.verdicts import Publish
from tests.workers.test_worker import TEXT_JOB, delivery, worker
from workers.document import RawDocument
from workers.duplicates import _LATEST, _MOST_COMPARED, Duplicates, Looked
from workers.pipeline import extract_article
from workers.requests import OwnerRequests

AT = datetime(2026, 11, 29, 12, tzinfo=UTC)
WEEK = timedelta(days=7)
STORY = (
    "The ferry between the harbour and the lower town sails again from Monday, the harbour council said on Friday. "
    "It had been in the dock for three weeks, because a screw had been damaged by ice.\n\n"
    "The island's school was closed for nine days, and the shop ran out of bread. The council thanks the fishermen."
)
OTHER = "Snow fell on the mountain villages again on Friday, and the pass stays closed until the plough has been there."


class Index:
    """A `SignatureIndex` that knows these articles, or fails, or hangs."""

    def __init__(self, *known: Earlier, failure: Exception | None = None, hangs: bool = False) -> None:
        self._known = known
        self._failure = failure
        self._hangs = hangs
        self.looks = 0

    async def like(self, signature: Signature, *, owner: str | None, since: datetime) -> Sequence[Earlier]:  # noqa: ARG002 - tested with the database
        self.looks += 1
        await asyncio.sleep(0)
        if self._hangs:
            await asyncio.Event().wait()
        if self._failure:
            raise self._failure
        return self._known


def job(name: str, content: str = STORY, **changes: object) -> Job:
    return replace(TEXT_JOB, id=name, content=content, owner="newsroom", **changes)  # type: ignore[arg-type] # by name


def dropping(name: str, content: str = STORY) -> Job:
    return job(name, content, options=Options(on_duplicate=OnDuplicate.DROP))


def article(of: Job) -> Article:
    return extract_article(RawDocument(job=of, content=of.content or "", is_html=False, url=of.url))


def earlier(of: Job, at: datetime = AT) -> Earlier:
    made = article(of)
    signature = signature_of(
        content_sha256=made.content_sha256, simhash=made.simhash, sketch=made.sketch, canonical_url=made.canonical_url
    )
    assert signature is not None
    return Earlier(document_id=of.id, decided_ms=round(at.timestamp() * 1000), signature=signature)


async def look(duplicates: Duplicates, of: Job, at: datetime = AT, gone: str = "") -> Looked:
    return await duplicates.look(of, article(of), at, lambda document_id: document_id == gone)


def same(name: str) -> DuplicateOf:
    return DuplicateOf(name, DuplicateKind.CONTENT, 1.0)


async def test_the_ledger_knows_the_original() -> None:
    duplicates = Duplicates(Index(earlier(job("a"))), WEEK)
    assert await look(duplicates, job("b")) == Looked(same("a"), checked=True)
    assert await look(duplicates, job("c", OTHER)) == Looked(None, checked=True)


async def test_the_latest_articles_are_known_before_they_are_recorded() -> None:
    duplicates = Duplicates(Index(), WEEK)
    assert await look(duplicates, job("a")) == Looked(None, checked=True)
    assert await look(duplicates, job("b")) == Looked(same("a"), checked=True)


async def test_of_articles_that_are_decided_at_once_only_one_is_an_original() -> None:
    duplicates = Duplicates(Index(), WEEK)
    looked = await asyncio.gather(*(look(duplicates, job(f"d{number}")) for number in range(20)))
    assert [each.original for each in looked].count(None) == 1


async def test_each_owner_has_originals_of_its_own() -> None:
    duplicates = Duplicates(Index(), WEEK)
    await look(duplicates, job("a"))
    assert (await look(duplicates, replace(job("b"), owner="desk"))).original is None
    assert (await look(duplicates, replace(job("c"), owner="desk"))).original == same("b")


def unlike(number: int) -> Article:
    """Returns an article that shares no part of its signature with another number's."""
    digest = sha256(b"%d" % number)
    sketch = b64encode(b"".join(sha256(b"%d %d" % (number, part)).digest() for part in range(8))).decode()
    return replace(article(TEXT_JOB), content_sha256=digest.hexdigest(), simhash=digest.hexdigest()[:16], sketch=sketch)


@pytest.mark.parametrize(("others", "original"), [(_LATEST - 1, same("a")), (_LATEST, None)])
async def test_of_the_latest_articles_so_many_are_known(others: int, original: DuplicateOf | None) -> None:
    duplicates = Duplicates(None, WEEK)
    await look(duplicates, job("a"))
    for number in range(others):
        await duplicates.look(job(f"d{number}"), unlike(number), AT, lambda _: False)
    assert (await look(duplicates, job("b"))).original == original


async def test_many_articles_with_the_same_text_have_the_first_as_their_original() -> None:
    duplicates = Duplicates(None, WEEK)
    await look(duplicates, job("a"))
    for number in range(2 * _MOST_COMPARED):
        await look(duplicates, replace(job(f"other{number}"), owner="another"))
    for number in range(2 * _MOST_COMPARED):
        assert (await look(duplicates, job(f"d{number}"))).original == same("a")


def hashed(first: int) -> str:
    """Returns a sketch of the hashes from `first` on, of which it shares all but a few with those that begin near."""
    return b64encode(b"".join(number.to_bytes(SKETCH_HASH_BYTES) for number in range(first, first + 64))).decode()


@pytest.mark.parametrize(
    ("simhash", "sketch"),
    [("0000ffff0000ffff", hashed(10)), ("ffff0000ffff0003", hashed(12))],
    ids=["the smallest hashes are the same", "the SimHashes are near"],
)
async def test_nearly_the_same_text_is_found_among_the_latest_in_either_way(simhash: str, sketch: str) -> None:
    duplicates = Duplicates(None, WEEK)
    first = replace(unlike(1), simhash="ffff0000ffff0000", sketch=hashed(10))
    other = replace(unlike(2), simhash=simhash, sketch=sketch)
    await duplicates.look(job("a"), first, AT, lambda _: False)
    original = (await duplicates.look(job("b"), other, AT, lambda _: False)).original
    assert original is not None
    assert (original.id, original.kind) == ("a", DuplicateKind.NEAR)


async def test_among_many_that_share_one_part_the_most_alike_is_found() -> None:
    duplicates = Duplicates(None, WEEK)
    alike = {"simhash": "1111222233334444", "sketch": hashed(10)}
    await duplicates.look(job("a"), replace(unlike(0), **alike), AT, lambda _: False)  # type: ignore[arg-type] # by name
    for number in range(1, 4 * _MOST_COMPARED):
        digest = unlike(number).simhash or ""
        one_band = f"{digest[:12]}4444" if number % 2 else f"1111{digest[4:]}"
        await duplicates.look(job(f"d{number}"), replace(unlike(number), simhash=one_band), AT, lambda _: False)
    probe = replace(unlike(4 * _MOST_COMPARED), **alike)  # type: ignore[arg-type] # by name
    original = (await duplicates.look(job("b"), probe, AT, lambda _: False)).original
    assert original == DuplicateOf("a", DuplicateKind.NEAR, 1.0)


async def test_what_is_older_than_the_window_is_no_original() -> None:
    duplicates = Duplicates(None, WEEK)
    await look(duplicates, job("a"))
    assert (await look(duplicates, job("b"), AT + WEEK)).original == same("a")
    assert (await look(duplicates, job("c"), AT + 2 * WEEK + timedelta(seconds=1))).original is None


async def test_what_is_dropped_is_no_original() -> None:
    duplicates = Duplicates(None, WEEK)
    await look(duplicates, job("a"))
    assert (await look(duplicates, dropping("b"))).original == same("a")
    assert (await look(duplicates, job("c"), gone="a")).original is None


async def test_a_document_that_is_processed_again_is_no_duplicate() -> None:
    duplicates = Duplicates(None, WEEK)
    for name, original in (("a", None), ("b", same("a")), ("a", None)):
        assert (await look(duplicates, job(name))).original == original


@pytest.mark.parametrize("index", [Index(failure=LedgerUnavailable("away")), Index(hangs=True), None])
async def test_without_the_ledger_only_the_latest_are_compared(index: Index | None) -> None:
    duplicates = Duplicates(index, WEEK)
    began = time.monotonic()
    assert await look(duplicates, job("a")) == Looked(None, checked=False)
    for number in range(5):
        assert (await look(duplicates, job(f"d{number}"))).original == same("a")
    assert time.monotonic() - began < 4, "each document waited for the ledger"
    assert index is None or index.looks == 1


async def test_a_ledger_that_is_back_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.duplicates._PAUSE_S", 0.0)
    failing = Index(earlier(job("a")), failure=LedgerUnavailable("away"))
    duplicates = Duplicates(failing, WEEK)
    assert not (await look(duplicates, job("b", OTHER))).checked
    failing._failure = None
    assert await look(duplicates, job("c")) == Looked(same("a"), checked=True)


async def extract(document: RawDocument) -> Article:
    return extract_article(document)


async def decided(*jobs: Job, requests: OwnerRequests | None = None, metrics: Metrics | None = None) -> list[Publish]:
    """Returns the verdicts of one worker on these jobs, one after the other."""
    deciding = worker(extract_article=extract, requests=requests, duplicates=Duplicates(Index(), WEEK), metrics=metrics)
    verdicts = [await deciding.handle(delivery(each)) for each in jobs]
    assert all(isinstance(verdict, Publish) for verdict in verdicts)
    return [verdict for verdict in verdicts if isinstance(verdict, Publish)]


async def test_the_event_names_the_original() -> None:
    first, second = [verdict.event for verdict in await decided(job("a"), job("b"))]
    assert isinstance(first, ProcessedEvent)
    assert isinstance(second, ProcessedEvent)
    assert (first.data.duplicate_of, second.data.duplicate_of) == (None, same("a"))
    assert second.data.provenance.duplicates_checked is True


async def test_a_document_can_ask_to_be_dropped() -> None:
    metrics = Metrics(CollectorRegistry())
    _, dropped, kept = await decided(job("a"), dropping("b", f"{STORY}"), dropping("c", OTHER), metrics=metrics)
    assert isinstance(dropped.event, FailedEvent)
    assert dropped.event.routing_key == "failed.duplicate._"
    assert dropped.event.data.duplicate_of == same("a")
    assert dropped.event.data.detail == "content duplicate of a"
    assert dropped.event.data.labels == job("b").labels
    assert isinstance(kept.event, ProcessedEvent)
    counted = {
        (name, kind): metrics.registry.get_sample_value(f"copydesk_{name}_total", {"kind": kind} if kind else {})
        for name, kind in (("duplicates", "content"), ("duplicates_unchecked", ""))
    }
    assert counted == {("duplicates", "content"): 1, ("duplicates_unchecked", ""): 0}


async def test_a_page_whose_text_has_changed_is_not_dropped() -> None:
    url = "https://example.org/news/1"
    before, changed = replace(job("a"), url=url), replace(dropping("b", OTHER), url=url)
    _, verdict = await decided(before, changed)
    assert isinstance(verdict.event, ProcessedEvent)
    assert verdict.event.data.duplicate_of == DuplicateOf("a", DuplicateKind.URL, 0.0)


async def test_what_is_cancelled_or_erased_is_no_original() -> None:
    requests = OwnerRequests()
    requests.take(OwnerRequest(action=Action.CANCEL, id="a", at="2026-11-29T12:00:00Z", run=1, owner="newsroom"))
    _, second = await decided(job("a"), job("b"), requests=requests)
    assert isinstance(second.event, ProcessedEvent)
    assert second.event.data.duplicate_of is None

    deciding = worker(extract_article=extract, requests=requests, duplicates=Duplicates(Index(), WEEK))
    assert isinstance(await deciding.handle(delivery(job("c"))), Publish)
    requests.take(OwnerRequest(action=Action.ERASE, id="c", at="2026-11-29T12:00:00Z", run=None, owner="newsroom"))
    verdict = await deciding.handle(delivery(job("d")))
    assert isinstance(verdict, Publish)
    assert isinstance(verdict.event, ProcessedEvent)
    assert verdict.event.data.duplicate_of is None
