"""Fingerprints of a text: SHA-256 finds equal texts, SimHash similar ones, and a sketch tells how similar."""

import re
from base64 import b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from hashlib import blake2b, sha256

import numpy as np

from contract.duplicates import SKETCH_HASH_BYTES, SKETCH_HASHES
from workers.normalise.length import UNSPACED

# 64 bits as in Manku et al. 2007; runs of three were chosen by hand.
_SHINGLE_TOKENS = 3  # tokens
_CHUNK_CHARS = 1 << 18  # bounds the memory that tokens take; a chunk's edge may cut a word in two
_HASH_BYTES = 8  # 64 bits

_SKETCH_TYPE = np.dtype(f">u{SKETCH_HASH_BYTES}")
_BLAKE = partial(blake2b, digest_size=_HASH_BYTES)
_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")


def content_sha256(text: str) -> str:
    """Returns the SHA-256 of `text` in UTF-8 as 64 hex digits."""
    return sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Shingles:
    """Summaries of a text's shingles: runs of three words, or of three characters in scripts without spaces.

    Case makes no difference.

    Attributes:
        simhash: 64 bits as 16 hex digits (Charikar 2002, "Similarity Estimation Techniques"). Shingles are weighted by
            their counts. The fewer of them two texts have in common, the more bits of their hashes differ; Manku et al.
            2007 call web pages near duplicates if at most 3 of 64 bits differ. A text without words has all zeros.
        sketch: the smallest 64 hashes (32 bits, big-endian) in ascending order, in base64: see
            `contract.duplicates.similarity`. A text without words has none.
    """

    simhash: str
    sketch: str


def shingles(text: str) -> Shingles:
    """Returns the summaries of the shingles of `text`."""
    votes = np.zeros(8 * _HASH_BYTES, np.int64)
    smallest = np.empty(0, _SKETCH_TYPE)
    total = 0
    for hashes in _hash_runs(text.casefold()):
        rows = np.frombuffer(hashes, np.uint8).reshape(-1, _HASH_BYTES)
        bits = np.unpackbits(rows, axis=1)
        votes += bits.sum(axis=0, dtype=np.int64)
        total += len(bits)
        beginnings = np.ascontiguousarray(rows[:, :SKETCH_HASH_BYTES]).view(_SKETCH_TYPE).ravel()
        smallest = np.unique(np.concatenate((smallest, beginnings)))[:SKETCH_HASHES]
    return Shingles(
        np.packbits(2 * votes > total).tobytes().hex(), b64encode(smallest.astype(_SKETCH_TYPE).tobytes()).decode()
    )


def _hash_runs(text: str) -> Iterator[bytes]:
    """Yields the hashes of the runs in `text`, many of them in one bytes object."""
    carried: list[bytes] = []
    hashed = False
    for start in range(0, len(text), _CHUNK_CHARS):
        tokens = carried + [token.encode() for token in _TOKEN.findall(text, start, start + _CHUNK_CHARS)]
        if len(tokens) >= _SHINGLE_TOKENS:
            yield _hashed(zip(tokens, tokens[1:], tokens[2:], strict=False))
            hashed = True
        carried = tokens[1 - _SHINGLE_TOKENS :]
    if carried and not hashed:
        yield _hashed([tuple(carried)])


def _hashed(runs: Iterable[tuple[bytes, ...]]) -> bytes:
    return b"".join(map(blake2b.digest, map(_BLAKE, map(b" ".join, runs))))
