"""Scores the Markdown of tables, code, formulas and lists by edit distance, beside trafilatura.

    python -m bench.structure [-v]

The pages are in `bench/structures`, written for this: NAME.html, and NAME.md with the structures that its article has;
the first part of NAME is their kind. Each true structure is compared with the one in the output that is most like it: 1
minus the edit distance (Levenshtein) by characters, divided by the length of the longer one; 0 if there is none. Signs
that Markdown lets one choose (bullets, spaces around cells, dollars around formulas) do not count, nor do links.
"""

import re
import statistics
import sys
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import trafilatura

from contract.job import Job, Kind, Lane
from contract.options import Format, Options, Part
from workers.document import RawDocument
from workers.failures import Failed
from workers.pipeline import extract_article

FOLDER = Path(__file__).parent / "structures"
_SHOWN_CHARS = 300  # of a structure that falls short, with -v
_FENCE = re.compile(r"^```[^\n]*\n(.*?)\n?^```", re.MULTILINE | re.DOTALL)
_FORMULA = re.compile(r"\$\$?([^$]+)\$\$?|\\\((.+?)\\\)|\\\[(.+?)\\\]", re.DOTALL)
_ITEM = re.compile(r"^ *(?:[-*+]|\d+[.)]) ")
_RULE = re.compile(r"^\|?[\s:|-]*-{3}[\s:|-]*$")
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")


def main() -> None:
    extractors: dict[str, Callable[[str], str]] = {
        "Copydesk": copydesk,
        f"trafilatura {trafilatura.__version__}": by_trafilatura,
    }
    pages = sorted(FOLDER.glob("*.html"))
    kinds = [page.stem.partition("-")[0] for page in pages]
    print("| structure | pages |", " | ".join(extractors), "|")
    for kind, group in groupby(zip(kinds, pages, strict=True), key=lambda pair: pair[0]):
        files = [page for _, page in group]
        scores = [statistics.fmean(score(page, kind, extract) for page in files) for extract in extractors.values()]
        print(f"| {kind} | {len(files)} |", " | ".join(f"{one:.3f}" for one in scores), "|")


def copydesk(html: str) -> str:
    options = Options(formats=(Format.MARKDOWN,), include=(Part.TABLES, Part.LINKS))
    job = Job(id="1", kind=Kind.HTML, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", options=options)
    try:
        return extract_article(RawDocument(job=job, content=html, is_html=True)).markdown or ""
    except Failed:
        return ""


def by_trafilatura(html: str) -> str:
    return trafilatura.extract(html, output_format="markdown", include_tables=True, include_formatting=True) or ""


def score(page: Path, kind: str, extract: Callable[[str], str]) -> float:
    """Returns the mean similarity, in [0, 1], of a page's structures to those that were extracted."""
    truths = list(structures(page.with_suffix(".md").read_text("utf-8"), kind))
    found = list(structures(extract(page.read_text("utf-8")), kind))
    scores = [max((similarity(truth, one) for one in found), default=0.0) for truth in truths]
    for truth, own in zip(truths, scores, strict=True):
        if "-v" in sys.argv and own < 1:
            nearest = max(found, key=lambda one: similarity(truth, one), default="")
            print(f"{page.stem} {own:.2f}\n{nearest[:_SHOWN_CHARS]}", file=sys.stderr)
    return statistics.fmean(scores)


def structures(markdown: str, kind: str) -> Iterator[str]:
    """Yields the tables, code blocks, formulas or lists in Markdown, in one form."""
    if kind == "code":
        yield from (match[1].rstrip() for match in _FENCE.finditer(markdown))
        return
    text = _LINK.sub(r"\1", _FENCE.sub("", markdown))
    if kind == "formula":
        yield from ("".join("".join(filter(None, match.groups())).split()) for match in _FORMULA.finditer(text))
        return
    belongs = _is_row if kind == "table" else _is_item
    lines = [line for line in text.split("\n") if line.strip() or kind == "table"]
    for inside, group in groupby(lines, key=belongs):
        if inside:
            yield "\n".join(
                _bare_row(line) if kind == "table" else _bare_item(line) for line in group if not _RULE.match(line)
            )


def _is_row(line: str) -> bool:
    return line.lstrip().startswith("|")


def _is_item(line: str) -> bool:
    return _ITEM.match(line) is not None


def _bare_row(line: str) -> str:
    return "|".join(cell.strip() for cell in line.strip().strip("|").split("|"))


def _bare_item(line: str) -> str:
    bare = line.lstrip()
    return f"{' ' * (len(line) - len(bare))}{re.sub(r'^[*+] ', '- ', bare)}".replace("_", "*").rstrip()


def similarity(one: str, other: str) -> float:
    longer = max(len(one), len(other))
    return 1 - edit_distance(one, other) / longer if longer else 1.0


def edit_distance(one: str, other: str) -> int:
    """Returns the number of characters to insert, remove or replace (Levenshtein)."""
    row = list(range(len(other) + 1))
    for number, char in enumerate(one, 1):
        above, row[0] = row[0], number
        for at, sign in enumerate(other, 1):
            above, row[at] = row[at], min(row[at] + 1, row[at - 1] + 1, above + (char != sign))
    return row[-1]


if __name__ == "__main__":
    main()
