"""Fingerprints of a text: SHA-256 to find equal texts, SimHash to find similar ones."""

import re
from collections.abc import Iterable, Iterator
from functools import partial
from hashlib import blake2b, sha256

import numpy as np

from workers.normalise.length import UNSPACED

# 64 bits as in Manku et al. 2007; runs of three were chosen by hand.
_SHINGLE_TOKENS = 3  # tokens
_CHUNK_CHARS = 1 << 18  # bounds the memory that tokens take; a chunk's edge may cut a word in two
_HASH_BYTES = 8  # 64 bits

_BLAKE = partial(blake2b, digest_size=_HASH_BYTES)
_TOKEN = re.compile(rf"[{UNSPACED}]|[^\W_{UNSPACED}]+")


def content_sha256(text: str) -> str:
    """Returns the SHA-256 of `text` in UTF-8 as 64 hex digits."""
    return sha256(text.encode()).hexdigest()


def simhash(text: str) -> str:
    """Returns the 64-bit SimHash of `text` as 16 hex digits (Charikar 2002, "Similarity Estimation Techniques").

    The features are runs of three words regardless of case (of three characters in scripts without spaces), weighted by
    their counts. The fewer runs two texts have in common, the more bits of their hashes differ; Manku et al. 2007 call
    web pages near duplicates if at most 3 of 64 bits differ. A text without words has all zeros.
    """
    votes = np.zeros(8 * _HASH_BYTES, np.int64)
    total = 0
    for hashes in _hash_runs(text.casefold()):
        bits = np.unpackbits(np.frombuffer(hashes, np.uint8).reshape(-1, _HASH_BYTES), axis=1)
        votes += bits.sum(axis=0, dtype=np.int64)
        total += len(bits)
    return np.packbits(2 * votes > total).tobytes().hex()


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
