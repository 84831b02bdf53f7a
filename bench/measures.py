"""Prints the measures of quality that have an aim, as this code reaches them, as a table in Markdown.

    python -m bench.measures DATA FOLDS [--pages | --metadata | --pastes]

DATA is a folder of ground truth (`bench.documents`): the sets of pages, and paste and paste_daniel. Everything is read
by models without its registered domain in their training data. They are in FOLDS (`train_blocks --folds`,
`train_authors --folds`, `train_lines --folds`), and are trained first if they are not there. A title, author or day is
also measured on the last fifth of the domains alone. Nothing is written to workers/models. `--pages` and `--pastes`
print one half, `--metadata` of pages all but their texts, which takes a tenth of the time. Needs catboost and scipy
beside Copydesk.
"""

import argparse
import random
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean, stdev
from typing import Any, TypeAlias, TypeVar

from bench import extraction, train_authors, train_blocks, train_lines
from bench.block_pages import read_pages
from bench.documents import FOLDS, fold_of, read
from bench.line_samples import CLEAN, DANIEL, authored, collect, givens
from bench.line_scores import Score
from bench.page_scores import PageScore, score
from bench.text_f1 import f1
from contract.job import Job, Kind, Lane
from workers.extract.block_features import BLOCK_FEATURES
from workers.metadata import authors
from workers.metadata.resolve import read_metadata
from workers.models.boosted_trees import BoostedTrees
from workers.normalise.article import describe
from workers.page.head import read_head
from workers.page.tree import parse

WORKERS = 2  # processes; chosen for two cores
LAST = FOLDS - 1  # the fold that is shown alone
_SETS = ("scrapinghub", "fundus", "wcxb", "trafilatura_eval", "postlight", "daniel")
_VARIANTS = ("plain", "selected", "wrapped", "dirty")
_RESAMPLES = 200  # of the bootstrap: the spread then has two digits
_One = TypeVar("_One")
_Part = TypeVar("_Part")
Figure: TypeAlias = Callable[[Sequence[_One]], float]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure, the standard deviation of a bootstrap over documents, their number, and the aim."""

    name: str
    value: float
    spread: float
    count: int
    aim: float

    def __str__(self) -> str:
        short = f" ({self.aim - self.value:.3f})" if self.value < self.aim else ""
        return f"| {self.name} | {self.count} | {self.value:.3f} ± {self.spread:.3f} | {self.aim}{short} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("folds", type=Path)
    half = parser.add_mutually_exclusive_group()
    half.add_argument("--pages", action="store_true")
    half.add_argument("--metadata", action="store_true")
    half.add_argument("--pastes", action="store_true")
    arguments = parser.parse_args()
    print("| measure | documents | now | aim (short of it by) |\n| --- | --- | --- | --- |", flush=True)
    if not arguments.pastes:
        for one in of_pages(read_pages_of(arguments.data, arguments.folds, texts=not arguments.metadata)):
            print(one, flush=True)
    if not (arguments.pages or arguments.metadata):
        for one in of_pastes(read_pastes(arguments.data, arguments.folds)):
            print(one)


def read_pastes(data: Path, folds: Path) -> list[Score]:
    """Returns the scores of all pasted texts."""
    if not (folds / f"pasted_authors{LAST}.npz").exists():
        train_lines.cross_fit(collect(data), list(authored(data)), folds)
    return train_lines.read_all(list(givens(data)), train_lines.load_folds(folds))


def read_pages_of(data: Path, folds: Path, *, texts: bool) -> list[PageScore]:
    """Returns the scores of all pages, without `texts` those of the metadata alone."""
    if texts and not (folds / f"blocks{LAST}.npz").exists():
        train_blocks.write_folds(read_pages(data, BLOCK_FEATURES), folds)
    if not (folds / f"authors{LAST}.npz").exists():
        train_authors.write_folds(train_authors.all_samples(data), folds)
    pages = ((name, page) for name in _SETS for page in read(data / f"{name}.jsonl.zst"))
    with ProcessPoolExecutor(WORKERS) as pool:
        return list(pool.map(partial(read_page if texts else read_head_of, folds), pages, chunksize=8))


def read_page(folds: Path, named: tuple[str, dict[str, Any]]) -> PageScore:
    """Returns the score of a page of a set, read by the models of its fold."""
    name, page = named
    extraction.with_folds(folds, page)
    return score(name, fold_of(page), page, extraction.prediction(extraction.copydesk(page)))


def read_head_of(folds: Path, named: tuple[str, dict[str, Any]]) -> PageScore:
    """Returns the score of a page's metadata, as the event of a refused page would have them."""
    name, page = named
    names = BoostedTrees.load(folds / f"authors{fold_of(page)}.npz")
    authors.load_model = lambda *_: names  # type: ignore[assignment, attr-defined]
    job = Job(id=page["id"], kind=Kind.HTML, lane=Lane.BULK, accepted_at="2026-01-01T00:00:00Z", url=page.get("url"))
    tree = parse(page["html"])
    metadata = read_metadata(tree, read_head(tree, page["html"]), page.get("url"))
    known = describe(metadata, job, page.get("url"))
    found = {
        "text": None,
        "title": known.title.value if known.title else None,
        "authors": known.authors.value if known.authors else (),
        "date": known.published.value if known.published else None,
    }
    return score(name, fold_of(page), page, found)


def of_pages(pages: Sequence[PageScore]) -> Iterator[Measure]:
    """Yields the measures of pages."""
    of = {name: [page for page in pages if page.set == name] for name in _SETS}
    of["wcxb articles"] = [page for page in of["wcxb"] if page.kind == "article"]
    for name, aim in {
        "scrapinghub": 0.968,
        "fundus": 0.963,
        "wcxb articles": 0.956,
        "wcxb": 0.875,
        DANIEL: 0.93,
    }.items():
        if texts := given(page.text for page in of[name]):
            yield measure(f"{name}, text F1", texts, f1, aim)
    languages = {page.kind: [each for each in of[DANIEL] if each.kind == page.kind] for page in of[DANIEL]}
    parts = {language: given(page.text for page in own) for language, own in languages.items()}
    if all(parts.values()):
        yield worst(f"{DANIEL}, text F1", parts, f1, 0.90)
    headed = given(page.headed for page in of["fundus"])
    yield measure("fundus, titles exact or the page's h1 or JSON-LD headline", headed, fmean, 0.95)
    yield measure(f"{DANIEL}, titles exact", given(page.title for page in of[DANIEL]), fmean, 0.88)
    titles = {language: given(page.title for page in own) for language, own in languages.items()}
    yield worst(f"{DANIEL}, titles exact", titles, fmean, 0.80)
    for name, aim in {"wcxb articles": 0.85, "trafilatura_eval": 0.86, "postlight": 0.92}.items():
        yield from with_last(f"{name}, titles exact", of[name], lambda page: page.title, fmean, aim)
    for name, aim in {"trafilatura_eval": 0.80, "postlight": 0.80}.items():
        yield from with_last(f"{name}, authors F1", of[name], lambda page: page.names, names_f1, aim)
    for name, aim in {"fundus": 0.98, "trafilatura_eval": 0.90, "postlight": 0.88}.items():
        yield from with_last(f"{name}, same day", of[name], lambda page: page.day, fmean, aim)


def of_pastes(scores: Sequence[Score]) -> Iterator[Measure]:
    """Yields the measures of pasted text."""
    shown = [one for one in scores if one.variant != CLEAN]
    of = {name: [one for one in shown if one.variant == name and one.origin != DANIEL] for name in _VARIANTS}
    for name, aim in {"plain": 0.94, "selected": 0.955, "wrapped": 0.945, "dirty": 0.955}.items():
        yield measure(f"pasted, {name}, text F1", of[name], pasted_f1, aim)
    daniel = [one for one in shown if one.origin == DANIEL]
    plain = [one for one in daniel if one.variant == "plain"]
    languages = {one.lang: [each.f1 for each in plain if each.lang == one.lang] for one in plain}
    yield measure("paste_daniel, text F1", daniel, pasted_f1, 0.91)
    yield worst("paste_daniel, plain, text F1, mean over texts", languages, fmean, 0.82)
    titles = [one.title for one in plain if one.wanted]
    yield measure("paste_daniel, plain, titles right", [bool(right) for right in titles], fmean, 0.65)
    yield measure("paste_daniel, plain, titles right of those given", given(titles), fmean, 0.85)
    bylined = [one for one in of["plain"] if one.authors is not None]
    persons = given(one.authors for one in bylined if one.persons)
    yield measure("pasted, plain, authors right where the text shows persons", persons, fmean, 0.75)
    yield measure(
        "pasted, plain, authors right where the text shows any", given(one.authors for one in bylined), fmean, 0.75
    )
    clean = [one for one in scores if one.variant == CLEAN]
    yield measure("clean text kept", [one.recall for one in clean if one.origin != DANIEL], fmean, 0.995)
    yield measure("clean text kept, daniel", [one.recall for one in clean if one.origin == DANIEL], fmean, 0.995)


def given(values: Iterable[_One | None]) -> list[_One]:
    """Returns the values that are known."""
    return [value for value in values if value is not None]


def names_f1(counts: Sequence[tuple[int, int, int]]) -> float:
    """Returns F1 over all names, of the numbers of those that are right, wrong and missing on each page."""
    right, wrong, missing = (sum(one[at] for one in counts) for at in range(3))
    return 2 * right / max(1, 2 * right + wrong + missing)


def pasted_f1(scores: Sequence[Score]) -> float:
    """Returns the harmonic mean of mean precision and mean recall, as the trainer reports it."""
    precision, recall = (fmean(getattr(one, name) for one in scores) for name in ("precision", "recall"))
    return 2 * precision * recall / max(1e-9, precision + recall)  # the bound only avoids a division by zero


def measure(name: str, values: Sequence[_One], figure: Figure[_One], aim: float) -> Measure:
    """Returns a figure of `values` with its spread."""
    dice = random.Random(0)  # noqa: S311 - of a bootstrap
    spread = stdev(figure(dice.choices(values, k=len(values))) for _ in range(_RESAMPLES))
    return Measure(name, figure(values), spread, len(values), aim)


def worst(name: str, parts: Mapping[_Part, Sequence[_One]], figure: Figure[_One], aim: float) -> Measure:
    """Returns the figure of the part where it is lowest."""
    lowest = min(parts, key=lambda part: figure(parts[part]))
    return measure(f"{name}, worst language ({lowest})", parts[lowest], figure, aim)


def with_last(
    name: str, pages: Sequence[PageScore], part: Callable[[PageScore], _One | None], figure: Figure[_One], aim: float
) -> Iterator[Measure]:
    """Yields the figure of all pages, and of those in the last fifth of the domains."""
    yield measure(name, given(map(part, pages)), figure, aim)
    last = given(part(page) for page in pages if page.fold == LAST)
    yield measure(f"{name}, last fifth", last, figure, aim)


if __name__ == "__main__":
    main()
