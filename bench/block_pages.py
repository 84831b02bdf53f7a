"""Pages with known text, cut into passages: features, labels, and what is needed to score a choice of them."""

import io
import sys
import zlib
from collections.abc import Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import zstandard
from numpy.typing import NDArray
from tld import get_fld

from bench.block_labels import label
from workers.extract.body import walk_page
from workers.extract.features import features, rows
from workers.extract.head import read_head
from workers.extract.walk import Walked
from workers.markup import parse
from workers.trees import Rows

SETS = ("scrapinghub", "fundus", "readability", "wcxb")
FOLDS = 5


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a set: for each passage its features, the share of its words in the true text, and its words."""

    document: dict[str, Any]
    fold: int
    texts: tuple[str, ...]
    rows: Rows
    shares: NDArray[np.float32]
    words: NDArray[np.float32]

    @property
    def group(self) -> str:
        """The set; of wcxb, articles and others apart."""
        name: str = self.document["set"]
        return f"{name} articles" if name == "wcxb" and self.document["kind"] == "article" else name


def fold_of(document: Mapping[str, Any]) -> int:
    """Returns the fold of a document, the same for all of one registered domain.

    Where no URL is known, the id tells the site: those of readability are like `nytimes-2`.
    """
    url = document.get("url") or ""
    domain = get_fld(url, fail_silently=True, fix_protocol=True) or url or document["id"].rstrip("-0123456789")
    return zlib.crc32(domain.encode()) % FOLDS


def documents(data: Path) -> Iterator[dict[str, Any]]:
    """Yields the documents that have a true text."""
    for name in SETS:
        with (data / f"{name}.jsonl.zst").open("rb") as file:
            stream = zstandard.ZstdDecompressor(max_window_size=1 << 27).stream_reader(file)
            for line in io.BufferedReader(stream):
                document = orjson.loads(line)
                if document["truth"].get("text"):
                    yield document | {"set": name}


def read_pages(data: Path, names: tuple[str, ...], workers: int = 2) -> list[Page]:
    """Returns all pages that have passages, with the features called `names`."""
    with ProcessPoolExecutor(workers) as pool:
        found = list(pool.map(_Reader(names), documents(data), chunksize=16))
    pages = [page for page in found if page is not None]
    print(f"{len(pages)} pages, {len(found) - len(pages)} without passages", file=sys.stderr)
    return pages


@dataclass(frozen=True, slots=True)
class _Reader:
    names: tuple[str, ...]

    def __call__(self, document: dict[str, Any]) -> Page | None:
        html = document.pop("html")
        tree = parse(html)
        walked = walk_page(tree)
        if not walked.passages:
            return None
        table = rows(features(walked, read_head(tree, html)), self.names)
        shares, words = label(_texts(walked), document["truth"]["text"])
        return Page(document, fold_of(document), _texts(walked), table, shares, words)


def _texts(walked: Walked) -> tuple[str, ...]:
    return tuple(passage.text for passage in walked.passages)
