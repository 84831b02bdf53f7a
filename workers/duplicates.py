"""Finds the article that another is a duplicate of: among those in the ledger, and the latest of this worker."""

import asyncio
import time
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Final

import structlog

from contract.article import Article
from contract.duplicates import DuplicateOf, Earlier, Signature, SignatureIndex, original_of, signature_of
from contract.job import Job
from contract.ledger import LedgerUnavailable
from contract.options import OnDuplicate

log = structlog.get_logger(__name__)

_TIMEOUT_S: Final = 1.0  # chosen: a look-up takes milliseconds, and a document waits no longer than this
_PAUSE_S: Final = 5.0  # chosen: a ledger that did not answer is asked again after this time, so few documents wait
_MOST_COMPARED: Final = 20  # articles with the same text, URL, or parts of the signature; chosen: two take 0.02 ms
_LATEST: Final = 1000  # articles; chosen: the recorder is 1.5 s behind, in which a worker decides a few hundred


_Part = tuple[str | None, int, int]


@dataclass(frozen=True, slots=True)
class Looked:
    """What a look came to. `checked` is False if only the latest articles of this worker could be compared."""

    original: DuplicateOf | None
    checked: bool


@dataclass(frozen=True, slots=True)
class _Latest:
    owner: str | None
    at: datetime
    article: Earlier


class _LatestArticles:
    """The latest articles of this worker, found by what duplicates share: owner, and part of the signature."""

    def __init__(self) -> None:
        self._all: deque[_Latest] = deque()
        self._by_part: defaultdict[_Part, deque[_Latest]] = defaultdict(deque)

    def add(self, latest: _Latest) -> None:
        if len(self._all) == _LATEST:
            self._forget(self._all.popleft())
        self._all.append(latest)
        for part in chain.from_iterable(_parts(latest.owner, latest.article.signature)):
            self._by_part[part].append(latest)

    def like(self, owner: str | None, signature: Signature) -> Sequence[_Latest]:
        """Returns those that may be the same.

        With the same text these are the first ones, with the same URL the newest; of the others those that share the
        most parts of the signature, among the newest with each part.
        """
        same, shared = _parts(owner, signature)
        found = list(islice(self._by_part.get(same[0], ()), _MOST_COMPARED))
        for part in same[1:]:
            found += islice(reversed(self._by_part.get(part, ())), _MOST_COMPARED)
        newest = [each for part in shared for each in islice(reversed(self._by_part.get(part, ())), _MOST_COMPARED)]
        by_id = {latest.article.document_id: latest for latest in (*found, *newest)}
        often = Counter(latest.article.document_id for latest in newest).most_common(_MOST_COMPARED)
        chosen = (*(latest.article.document_id for latest in found), *(document_id for document_id, _ in often))
        return [by_id[document_id] for document_id in dict.fromkeys(chosen)]

    def _forget(self, oldest: _Latest) -> None:
        for part in chain.from_iterable(_parts(oldest.owner, oldest.article.signature)):
            self._by_part[part].popleft()
            if not self._by_part[part]:
                del self._by_part[part]


def _parts(owner: str | None, signature: Signature) -> tuple[Sequence[_Part], Sequence[_Part]]:
    """Returns what two duplicates have in common: the text first, then the URL; and parts that texts like it share."""
    same = [(owner, 0, signature.content)]
    if signature.url is not None:
        same.append((owner, 1, signature.url))
    bands = [(owner, number, value) for number, value in enumerate(signature.bands, 2)]
    lowest = [(owner, 2 + len(bands), value) for value in signature.lowest]  # in whichever order the two have them
    return same, bands + lowest


class Duplicates:
    """Finds duplicates among the articles of the same owner, decided within `window`.

    Args:
        index: of the ledger; None if there is none.
        window: how far back an article counts.
    """

    def __init__(self, index: SignatureIndex | None, window: timedelta) -> None:
        self._index = index
        self._window = window
        self._latest = _LatestArticles()
        self._ask_after = 0.0

    async def look(self, job: Job, article: Article, at: datetime, is_gone: Callable[[str], bool]) -> Looked:
        """Looks for the original of `article`, which is about to be decided at the aware time `at`, and remembers it.

        An article that will be dropped is not remembered. `is_gone` tells of a document's id if it is erased. Nothing
        is awaited between the comparison with the latest articles and the memory, so of two that are decided at once
        one is the original of the other.
        """
        signature = signature_of(
            content_sha256=article.content_sha256,
            simhash=article.simhash,
            sketch=article.sketch,
            canonical_url=article.canonical_url,
        )
        if signature is None:
            return Looked(None, checked=False)
        recorded = await self._recorded(signature, job.owner, at - self._window)
        known = [*(recorded or ()), *self._latest_of(signature, job.owner, at - self._window)]
        original = original_of(job.id, signature, (each for each in known if not is_gone(each.document_id)))
        if original is None or not is_dropped(job, original):
            self._remember(job, signature, original, at)
        return Looked(original, checked=recorded is not None)

    def _latest_of(self, signature: Signature, owner: str | None, since: datetime) -> list[Earlier]:
        return [each.article for each in self._latest.like(owner, signature) if each.at >= since]

    def _remember(self, job: Job, signature: Signature, original: DuplicateOf | None, at: datetime) -> None:
        decided_ms = round(at.timestamp() * 1000)
        named = None if original is None else original.id
        article = Earlier(document_id=job.id, decided_ms=decided_ms, signature=signature, original=named)
        self._latest.add(_Latest(job.owner, at, article))

    async def _recorded(self, signature: Signature, owner: str | None, since: datetime) -> Sequence[Earlier] | None:
        """Returns what the ledger knows, None if it cannot be asked."""
        if self._index is None or time.monotonic() < self._ask_after:
            return None
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                found = await self._index.like(signature, owner=owner, since=since)
        except (LedgerUnavailable, TimeoutError) as error:
            if not self._ask_after:
                log.warning("duplicates_unchecked", detail=str(error) or f"no answer within {_TIMEOUT_S:g} s")
            self._ask_after = time.monotonic() + _PAUSE_S
            return None
        self._ask_after = 0.0
        return found


def is_dropped(job: Job, original: DuplicateOf) -> bool:
    """Returns True if the document asks to be dropped as a duplicate of `original`.

    A page whose URL is known and whose text has changed is published all the same.
    """
    return job.options.on_duplicate is OnDuplicate.DROP and original.has_same_text


def marked(article: Article, looked: Looked) -> Article:
    """Returns the article with what was found."""
    provenance = replace(article.provenance, duplicates_checked=looked.checked)
    return replace(article, duplicate_of=looked.original, provenance=provenance)
