"""Scores of pages as Copydesk reads them: the text's shares, and whether title, authors and day are right.

Titles are compared exactly but for white space and Unicode forms; of names, case, accents and punctuation do not count.
"""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

import orjson

from bench.text_f1 import Row, compare
from workers.page.tree import parse

# What stands between two names of a stated author, as in the scorer of the sets.
_BREAK = re.compile(
    r"\s*(?:[;|/\n•·、，]|,(?!\s*(?:jr|sr|md|phd|iii|ii)\b)|\s(?:&|and|und|et|y|og|och|en|with)\s)\s*", re.IGNORECASE
)
_BY = re.compile(r"^(?:by|von|par|por|di|door|av|af|od|autor|author|autore|auteur|text|foto)\s*[:\s]\s*", re.IGNORECASE)
_LD = re.compile(r"<script[^>]*application/ld\+json[^>]*>(.*?)</script", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class PageScore:
    """How one page was read; None where the set does not have the truth.

    `text` are the shares of `bench.text_f1`, `names` the numbers of names that are right, wrong and missing.
    `headed`: the title is the true one, or the page's first-level heading, or the headline of its structured data.
    """

    set: str
    kind: str | None
    fold: int
    text: Row | None = None
    title: bool | None = None
    headed: bool | None = None
    names: tuple[int, int, int] | None = None
    day: bool | None = None


def score(set_name: str, fold: int, document: Mapping[str, Any], found: Mapping[str, Any]) -> PageScore:
    """Returns the score of a line of `bench.extraction.prediction`."""
    truth = document["truth"]
    title = bool(found["title"]) and squeeze(found["title"]) == squeeze(truth["title"]) if truth.get("title") else None
    return PageScore(
        set=set_name,
        kind=document.get("kind"),
        fold=fold,
        text=compare(truth["text"], found["text"]) if truth.get("text") and found["text"] is not None else None,
        title=title,
        headed=title or squeeze(found["title"] or "") in headlines(document["html"]) if title is not None else None,
        names=_compare_names(truth["authors"], found["authors"]) if truth.get("authors") else None,
        day=_same_day(truth, found["date"]) if truth.get("date") else None,
    )


def squeeze(text: str) -> str:
    """Returns `text` in NFKC, with single spaces."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def headlines(html: str) -> set[str]:
    """Returns the first-level headings of a page and the headlines of its JSON-LD."""
    headings = list(parse(html).iter("h1"))
    found = {squeeze(space.join(map(str, heading.itertext()))) for heading in headings for space in ("", " ")}
    for script in _LD.findall(html):
        found |= {squeeze(unescape(text)) for text in _headlines_in(_loaded(script))}
    return found - {""}


def _loaded(script: str) -> object:
    try:
        return orjson.loads(script)
    except orjson.JSONDecodeError:  # pages have broken data, too: then there is no headline in it
        return None


def _headlines_in(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("headline"), str):
            yield value["headline"]
        value = list(value.values())
    if isinstance(value, list):
        for each in value:
            yield from _headlines_in(each)


def name_set(stated: str | Sequence[str]) -> set[str]:
    """Returns the names in a statement of authors, in a form to compare."""
    entries = [stated] if isinstance(stated, str) else stated
    parts = [part for entry in entries for part in _BREAK.split(_BY.sub("", squeeze(entry)))]
    return {_bare(part) for part in parts} - {""}


def _bare(name: str) -> str:
    letters = unicodedata.normalize("NFKD", _BY.sub("", name).casefold())
    return re.sub(r"[\W_]+", " ", "".join(char for char in letters if not unicodedata.combining(char))).strip()


def _compare_names(stated: str | Sequence[str], found: Sequence[str]) -> tuple[int, int, int]:
    wanted, got = name_set(stated), name_set(found)
    return len(wanted & got), len(got - wanted), len(wanted - got)


def _same_day(truth: Mapping[str, Any], found: str | None) -> bool:
    """True if the date found is the true day where it was written, or by UTC."""
    if not found:
        return False
    days = {found[:10]}
    moment = datetime.fromisoformat(found)
    if moment.tzinfo:
        days.add(moment.astimezone(UTC).date().isoformat())
    return bool(days & {truth["date"], truth.get("date_utc") or truth["date"]})
