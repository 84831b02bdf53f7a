"""Pages with known text, cut into blocks: features, labels, and the data to score a choice of blocks."""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.block_labels import label
from bench.documents import fold_of, read
from workers.extract.block_features import block_features, feature_rows
from workers.extract.body import segment_page
from workers.models.boosted_trees import Rows
from workers.page.blocks import SegmentedPage
from workers.page.head import read_head
from workers.page.tree import parse

SETS = ("scrapinghub", "fundus", "readability", "wcxb")


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a set: for each block its features, the share of its words in the true text, and its words."""

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


def documents(data: Path) -> Iterator[dict[str, Any]]:
    """Yields the documents that have a true text."""
    for name in SETS:
        for document in read(data / f"{name}.jsonl.zst"):
            if document["truth"].get("text"):
                yield document | {"set": name}


def read_pages(data: Path, names: tuple[str, ...], workers: int = 2) -> list[Page]:
    """Returns all pages that have blocks, with the features called `names`."""
    with ProcessPoolExecutor(workers) as pool:
        found = list(pool.map(_Reader(names), documents(data), chunksize=16))
    pages = [page for page in found if page is not None]
    print(f"{len(pages)} pages, {len(found) - len(pages)} without blocks", file=sys.stderr)
    return pages


@dataclass(frozen=True, slots=True)
class _Reader:
    names: tuple[str, ...]

    def __call__(self, document: dict[str, Any]) -> Page | None:
        html = document.pop("html")
        tree = parse(html)
        segmented = segment_page(tree)
        if not segmented.blocks:
            return None
        table = feature_rows(block_features(segmented, read_head(tree, html)), self.names)
        shares, words = label(_texts(segmented), document["truth"]["text"])
        return Page(document, fold_of(document), _texts(segmented), table, shares, words)


def _texts(segmented: SegmentedPage) -> tuple[str, ...]:
    return tuple(block.text for block in segmented.blocks)
