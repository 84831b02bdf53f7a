"""Runs extract and normalise on documents, side by side with other extractors on the same pages in the same run.

    python -m bench.extraction DOCUMENTS... [--predictions FILE] [--folds FOLDER] [--limit N] [--kind KIND]
                               [--rivals none|trafilatura|all] [--picture FILE] [--profile]

DOCUMENTS are files of one {"id", "url", "html" | "text"} a line, plain (.jsonl) or compressed (.jsonl.zst); with
{"truth": {"text"}} texts are scored, too. Each page goes through all extractors in turn, in this process; CPU time is
compared. `--folds` takes the weights that `train_blocks --folds` and `train_authors --folds` wrote, so that the models
of text and authors were not trained on the page's domain. FILE gets {"id", "text", "title", "authors", "date"} a line.
"""

import argparse
import cProfile
import gc
import pstats
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from bench import rivals
from bench.comparison import Measured, draw, table
from bench.documents import fold_of, read
from contract.article import Article, Failure
from contract.job import Job, Kind, Lane
from workers import outcome
from workers.document import RawDocument
from workers.extract import body
from workers.failures import Failed
from workers.metadata import authors
from workers.models.boosted_trees import BoostedTrees
from workers.pipeline import extract_article

WARM_UP = 5  # documents before timing begins: models and tables load with the first
OURS = "copydesk"
_load = cache(BoostedTrees.load)


def main() -> None:
    arguments = _arguments()
    documents = list(islice(documents_of(arguments.documents, arguments.kind), arguments.limit))
    others = _chosen(arguments.rivals)
    for document in documents[:WARM_UP]:
        with_folds(arguments.folds, document)
        _run(others, document)
    gc.collect()
    gc.freeze()  # as parser children do once all is loaded: else it is collected again and again, at somebody's expense
    profiler = cProfile.Profile(time.process_time) if arguments.profile else None
    measured, predictions = measure(documents, others, arguments.folds, profiler)
    if arguments.predictions:
        arguments.predictions.write_bytes(b"".join(orjson.dumps(each) + b"\n" for each in predictions))
    print(table(measured))
    if arguments.picture:
        draw(measured, arguments.picture)
    if profiler:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(40)


def measure(
    documents: list[dict[str, Any]],
    others: dict[str, rivals.Extract],
    folds: Path | None = None,
    profiler: cProfile.Profile | None = None,
) -> tuple[dict[str, Measured], list[dict[str, Any]]]:
    """Returns the results of each extractor on `documents`, and Copydesk's predictions."""
    measured = {name: Measured() for name in (OURS, *others)}
    predictions, failures = [], Counter[str]()
    for document in documents:
        with_folds(folds, document)
        truth = (document.get("truth") or {}).get("text")
        if profiler:
            profiler.enable()
        result, seconds = timed(copydesk, document)
        if profiler:
            profiler.disable()
        measured[OURS].add(seconds, truth, result.text if isinstance(result, Article) else "")
        predictions.append(prediction(result))
        if isinstance(result, Failure):
            failures[result.reason.value] += 1
        for name, extract in others.items():
            text, seconds = timed(extract, document)
            measured[name].add(seconds, truth, text)
    print(f"{len(documents)} documents, not articles: {dict(failures)}")
    return measured, predictions


def copydesk(document: dict[str, Any]) -> Article | Failure:
    """Returns the article of a document, after extract and normalise."""
    is_html = "html" in document
    content = document["html" if is_html else "text"]
    kind = Kind.HTML if is_html else Kind.TEXT
    url = document.get("url")
    job = Job(id=document["id"], kind=kind, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", url=url)
    try:
        return extract_article(RawDocument(job=job, content=content, is_html=is_html, url=url))
    except Failed as failed:
        return outcome.failed(job, failed.failure, datetime.now(UTC)).data


def timed(run: Callable[[dict[str, Any]], Any], document: dict[str, Any]) -> tuple[Any, float]:
    began = time.process_time()
    result = run(document)
    return result, time.process_time() - began


def prediction(result: Article | Failure) -> dict[str, Any]:
    """Returns a line for the scorer. A refused page has no text, but the metadata of its event."""
    known = {"id": result.id, "title": result.title, "authors": result.authors, "date": result.published}
    if isinstance(result, Failure):
        return {**known, "text": "", "reason": result.reason}
    quality = result.quality
    assessment = {"confidence": quality.confidence, "flags": quality.flags, "page_kind": result.page_kind}
    return {**known, "text": result.text, **assessment}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("documents", type=Path, nargs="+")
    parser.add_argument("--predictions", type=Path)
    parser.add_argument("--folds", type=Path)
    parser.add_argument("--limit", type=int)
    parser.add_argument("--kind")
    parser.add_argument("--rivals", choices=("none", "trafilatura", "all"), default="trafilatura")
    parser.add_argument("--picture", type=Path)
    parser.add_argument("--profile", action="store_true")
    return parser.parse_args()


def documents_of(files: list[Path], kind: str | None) -> Iterator[dict[str, Any]]:
    """Yields the documents in `files`, only those of `kind` if it is given."""
    for file in files:
        for document in read(file):
            if not kind or document.get("kind") == kind:
                yield document


def _chosen(which: str) -> dict[str, rivals.Extract]:
    found = {} if which == "none" else rivals.installed()
    return {name: extract for name, extract in found.items() if which == "all" or name.startswith("trafilatura")}


def _run(others: dict[str, rivals.Extract], document: dict[str, Any]) -> None:
    copydesk(document)
    for extract in others.values():
        extract(document)


def with_folds(folds: Path | None, document: dict[str, Any]) -> None:
    """Uses the weights that were trained without the document's domain, if there are any."""
    if folds is None:
        return
    fold = fold_of(document)
    blocks, names = _load(folds / f"blocks{fold}.npz"), _load(folds / f"authors{fold}.npz")
    body.load_model = lambda _: blocks  # type: ignore[assignment, attr-defined]
    authors.load_model = lambda *_: names  # type: ignore[assignment, attr-defined]


if __name__ == "__main__":
    main()
