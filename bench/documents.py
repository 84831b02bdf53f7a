"""Ground truth: files of one document a line, and the fold that a document belongs to."""

import sys
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import orjson
from tld import get_fld

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

_DANIEL_PARTS = 3  # of an id of daniel: the day, the host, a hash
FOLDS = 5  # parts of the domains; chosen: each model still sees four fifths of the data


def read(file: Path) -> Iterator[dict[str, Any]]:
    """Yields the documents in `file`: one JSON object a line, plain (.jsonl) or compressed (.jsonl.zst)."""
    with zstd.open(file) if file.suffix == ".zst" else file.open("rb") as lines:
        yield from map(orjson.loads, lines)


def fold_of(document: Mapping[str, Any]) -> int:
    """Returns the fold of a document, the same for all of one registered domain.

    Without a URL, the id names the site: those of readability are like `nytimes-2`, those of daniel like
    `20111121_www.example.gr_3bac60d1`.
    """
    url = document.get("url") or _host_in(document["id"])
    domain = get_fld(url, fail_silently=True, fix_protocol=True) or url or document["id"].rstrip("-0123456789")
    return zlib.crc32(domain.encode()) % FOLDS


def _host_in(name: str) -> str:
    parts = name.split("_")
    return parts[1] if len(parts) == _DANIEL_PARTS else ""
