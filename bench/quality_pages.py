"""Pages of known kind and text as rows for training: the features of their kind, and the F1 of their text."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.block_pages import documents
from bench.documents import fold_of
from bench.text_f1 import compare
from contract.article import PageKind
from workers.draft import Classification
from workers.extract.body import find_body
from workers.extract.render import render
from workers.metadata.resolve import read_metadata
from workers.models.boosted_trees import BoostedTrees, Rows
from workers.page.head import read_head
from workers.page.tree import parse
from workers.quality.assessment import assess

_KIND_OF = {"collection": PageKind.LISTING, "service": PageKind.OTHER}  # of the Web Content Extraction Benchmark


@dataclass(frozen=True, slots=True)
class Row:
    """A page: its features, its kind, its classification by a model trained without its domain, and the F1."""

    id: str
    set: str
    fold: int
    kind: PageKind
    features: Rows
    classification: Classification
    f1: float


def read_rows(data: Path, folds: Path, workers: int = 2) -> list[Row]:
    """Returns all pages that have a true text; `folds` holds what `train_blocks --folds` wrote."""
    with ProcessPoolExecutor(workers) as pool:
        return list(pool.map(_Reader(folds), documents(data), chunksize=16))


@dataclass(frozen=True, slots=True)
class _Reader:
    folds: Path

    def __call__(self, document: dict[str, Any]) -> Row:
        tree = parse(document["html"])
        head = read_head(tree, document["html"])
        title = read_metadata(tree, head, document["url"]).title
        fold = fold_of(document)
        trees = _trees(self.folds / f"blocks{fold}.npz")
        body = find_body(tree, head, title.value if title else None, trees=trees)
        return Row(
            id=document["id"],
            set=document["set"],
            fold=fold,
            kind=_KIND_OF.get(document["kind"]) or PageKind(document["kind"]),
            features=assess(tree, body.segmented, head, document["url"]).row[0],
            classification=body.classification,
            f1=_page_f1(compare(document["truth"]["text"], render(body.blocks).text)),
        )


@cache
def _trees(file: Path) -> BoostedTrees:
    return BoostedTrees.load(file)


def _page_f1(shares: tuple[float, float, float]) -> float:
    true, surplus, missing = shares
    return 2 * true / (2 * true + surplus + missing) if true else 0.0


def column(found: list[Row], name: str) -> NDArray[Any]:
    """Returns one field of all rows."""
    return np.array([getattr(row, name) for row in found])
