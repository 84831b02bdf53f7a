"""Duplicates: what is compared of two articles, and when one counts as a duplicate of the other. Pure.

In reading order:

    DuplicateOf     what an event says
    Signature       what is compared, made of the fields of an article
    similarity      of two texts, estimated from their sketches
    compared        two articles
    original_of     the article of many that an event names
"""

import struct
from base64 import b64decode
from binascii import Error
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import blake2b
from typing import Final, Protocol

SKETCH_HASHES: Final = 64  # chosen: the deviation of an estimate is 0.05 at 0.8, and a text of up to 66 words is exact
SKETCH_HASH_BYTES: Final = 4  # of each hash in a sketch; chosen: two of 64 collide with probability 5e-7
BANDS: Final = 4  # hashes that differ in at most 3 bits are equal in one of 4 bands, so that an index finds them
LOWEST: Final = (
    2  # hashes of a sketch by which an index finds it; measured: 99.5 % of pairs with similarity 0.8 share one
)
MOST_BITS: Final = 3  # of 64: Manku et al. 2007, "Detecting Near-Duplicates for Web Crawling"
NEAR: Final = 0.8  # similarity; chosen with bench/duplicates.py

_BAND_BITS: Final = 16  # 64 bits in 4 bands
_HASH_BYTES: Final = 8  # of a content or URL; chosen: a million have two that are equal with probability 5e-8
_HEX_DIGITS: Final = 2 * _HASH_BYTES
_UNSIGNED: Final = 1  # bit; databases have signed integers of 64 bits, and a hash of 63 is one of them


class DuplicateKind(StrEnum):
    """What two articles have in common. The first kind that applies counts."""

    CONTENT = "content"  # the same text
    URL = "url"  # the same canonical URL; the text may have changed
    NEAR = "near"  # nearly the same text


@dataclass(frozen=True, slots=True)
class DuplicateOf:
    """The document that an article is a duplicate of, and the similarity of their texts in [0, 1]: see `similarity`."""

    id: str
    kind: DuplicateKind
    similarity: float

    @property
    def has_same_text(self) -> bool:
        """True if the texts are the same or nearly so, and not only the URLs."""
        return self.similarity >= NEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """What is compared of an article.

    `content` and `url` are hashes of 63 bits; `url` is None if the article has no canonical URL. `simhash` has 64. The
    sketch has the smallest hashes of the text's shingles in ascending order, big-endian.
    """

    content: int
    url: int | None
    simhash: int
    sketch: bytes

    @property
    def bands(self) -> tuple[int, ...]:
        """The parts of the SimHash, each of 16 bits."""
        return tuple(self.simhash >> _BAND_BITS * number & ((1 << _BAND_BITS) - 1) for number in range(BANDS))

    @property
    def lowest(self) -> tuple[int, ...]:
        """The smallest hashes of the sketch; fewer for texts of a few words."""
        return _hashes(self.sketch)[:LOWEST]


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An article that was decided before, at `decided_ms` since 1970.

    `original` is the document that it is itself a duplicate of, None if it is none.
    """

    document_id: str
    decided_ms: int
    signature: Signature
    original: str | None = None


class SignatureIndex(Protocol):
    """Finds the signatures of recorded articles."""

    async def like(self, signature: Signature, *, owner: str | None, since: datetime) -> Sequence[Earlier]:
        """Returns articles of `owner` that were decided at the aware time `since` or later, and may be the same.

        Those that `compared` finds are among them, but only the newest if there are many.

        Raises:
            LedgerUnavailable: the database does not answer.
        """


def signature_of(
    *, content_sha256: str | None, simhash: str | None, sketch: str | None, canonical_url: str | None
) -> Signature | None:
    """Returns the signature of an article with these fields, None if it has no sketch, or a field is malformed.

    The scheme of the URL makes no difference.
    """
    if content_sha256 is None or simhash is None or sketch is None:
        return None
    try:
        return Signature(
            content=int(content_sha256[:_HEX_DIGITS], 16) >> _UNSIGNED,
            url=None if canonical_url is None else _url_hash(canonical_url),
            simhash=int(simhash[:_HEX_DIGITS], 16),
            sketch=b64decode(sketch, validate=True)[: SKETCH_HASHES * SKETCH_HASH_BYTES],
        )
    except (Error, TypeError, ValueError):
        return None


def similarity(one: bytes, other: bytes) -> float:
    """Returns the estimated share of shingles that two texts have in common, of all that either has (Jaccard).

    Beyer et al. 2007, "On synopses for distinct-value estimation under multiset operations": of the smallest hashes of
    both texts together, the share that is in both sketches. It is exact for texts with fewer shingles than a sketch
    holds. Two texts without words are equal.
    """
    first, second = set(_hashes(one)), set(_hashes(other))
    smallest = sorted(first | second)[:SKETCH_HASHES]
    return sum(each in first and each in second for each in smallest) / len(smallest) if smallest else 1.0


def compared(signature: Signature, earlier: Earlier) -> DuplicateOf | None:
    """Returns what an article with this signature is a duplicate of, if it is one of `earlier`."""
    other = earlier.signature
    if signature.content == other.content:
        return DuplicateOf(earlier.document_id, DuplicateKind.CONTENT, 1.0)
    same_url = signature.url is not None and signature.url == other.url
    if not same_url and not may_be_near(signature, other):
        return None
    alike = round(similarity(signature.sketch, other.sketch), 3)
    if same_url:
        return DuplicateOf(earlier.document_id, DuplicateKind.URL, alike)
    return DuplicateOf(earlier.document_id, DuplicateKind.NEAR, alike) if alike >= NEAR else None


def may_be_near(one: Signature, other: Signature) -> bool:
    """Returns True if two texts may be nearly the same: if they share a lowest hash, or their SimHashes are near."""
    return not set(one.lowest).isdisjoint(other.lowest) or is_near(one.simhash, other.simhash)


def is_near(one: int, other: int) -> bool:
    """Returns True if two SimHashes differ in a few bits only."""
    return (one ^ other).bit_count() <= MOST_BITS


def original_of(document_id: str, signature: Signature, earlier: Iterable[Earlier]) -> DuplicateOf | None:
    """Returns what the document is a duplicate of, None if of nothing.

    Of several the most similar counts, then the first kind, then the one that was decided first. A document is no
    duplicate of itself, nor of one that is a duplicate of it: that comes up when it is processed again.
    """
    found = [
        (duplicate, one.decided_ms)
        for one in earlier
        if document_id not in {one.document_id, one.original} and (duplicate := compared(signature, one)) is not None
    ]
    return min(found, key=_order)[0] if found else None


def _order(found: tuple[DuplicateOf, int]) -> tuple[float, int, int]:
    duplicate, decided_ms = found
    return -duplicate.similarity, tuple(DuplicateKind).index(duplicate.kind), decided_ms


def _url_hash(url: str) -> int:
    digest = blake2b(url.partition("://")[2].encode(), digest_size=_HASH_BYTES).digest()
    return int.from_bytes(digest) >> _UNSIGNED


def _hashes(sketch: bytes) -> tuple[int, ...]:
    count = len(sketch) // SKETCH_HASH_BYTES
    return struct.unpack(f">{count}I", sketch[: count * SKETCH_HASH_BYTES])
