"""Runs extract and normalise on documents, side by side with bare trafilatura, and writes predictions for a scorer.

    python bench/extraction.py DOCUMENTS.jsonl [PREDICTIONS.jsonl]

DOCUMENTS holds one {"id", "url", "html" | "text"} a line. Each page goes through both, one right after the other, in
this one process; what is compared is CPU time. PREDICTIONS gets {"id", "text", "title", "authors", "date"} a line.
"""

import statistics
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson
import trafilatura

from contract.article import Article
from contract.job import Job, Kind, Lane
from workers.desk import Copy, edit
from workers.failures import Failed

WARM_UP = 5  # documents before timing begins: models and tables load with the first


def main() -> None:
    documents = [orjson.loads(line) for line in Path(sys.argv[1]).read_bytes().splitlines()]
    for document in documents[:WARM_UP]:
        copydesk(document)
        bare(document)
    predictions, ours, theirs = [], [], []
    for document in documents:
        article, seconds = timed(copydesk, document)
        ours.append(seconds)
        predictions.append(prediction(document["id"], article))
        if "html" in document:
            theirs.append(timed(bare, document)[1])
    if len(sys.argv) > 2:
        Path(sys.argv[2]).write_bytes(b"\n".join(orjson.dumps(each) for each in predictions) + b"\n")
    report(ours, theirs)


def copydesk(document: dict[str, Any]) -> Article | None:
    """Returns the article of the whole stage, None where it says that there is none."""
    is_html = "html" in document
    content = document["html" if is_html else "text"]
    kind = Kind.HTML if is_html else Kind.TEXT
    url = document.get("url")
    job = Job(id=document["id"], kind=kind, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", url=url)
    try:
        return edit(Copy(job=job, content=content, is_html=is_html, url=url))
    except Failed:
        return None


def bare(document: dict[str, Any]) -> None:
    """Does what trafilatura's users do: text and metadata, defaults."""
    if "html" in document:
        trafilatura.bare_extraction(document["html"], url=document.get("url"), with_metadata=True)


def timed(run: Callable[[dict[str, Any]], Any], document: dict[str, Any]) -> tuple[Any, float]:
    began = time.process_time()
    result = run(document)
    return result, time.process_time() - began


def prediction(document_id: str, article: Article | None) -> dict[str, Any]:
    if article is None:
        return {"id": document_id, "text": "", "title": None, "authors": [], "date": None}
    return {
        "id": document_id,
        "text": article.text,
        "title": article.title,
        "authors": article.authors,
        "date": article.published,
    }


def report(ours: list[float], theirs: list[float]) -> None:
    for name, line in rows(("copydesk", ours), ("bare trafilatura", theirs)):
        print(f"{name:18} {line}")
    if theirs:
        print(f"documents a CPU second, copydesk to bare trafilatura: {sum(theirs) / sum(ours):.2f}")


def rows(*measured: tuple[str, list[float]]) -> Iterator[tuple[str, str]]:
    for name, seconds in measured:
        if seconds:
            p99 = statistics.quantiles(seconds, n=100)[-1] if len(seconds) > 1 else seconds[0]
            median = statistics.median(seconds) * 1000
            yield (
                name,
                f"{len(seconds)} documents, median {median:.0f} ms, p99 {p99 * 1000:.0f} ms, sum {sum(seconds):.1f} s",
            )


if __name__ == "__main__":
    main()
