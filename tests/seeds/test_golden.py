"""Every seed document becomes its expected article."""

from datetime import datetime
from pathlib import Path
from typing import Any

import orjson
import pytest

from contract.article import Article
from contract.job import Job, Kind, Lane
from workers.document import RawDocument
from workers.pipeline import extract_article

SEEDS = Path(__file__).parent.parent.parent / "seeds"
NAMES = sorted(path.name.removesuffix(".expected.json") for path in SEEDS.glob("*.expected.json"))


def expected(name: str) -> dict[str, Any]:
    wanted: dict[str, Any] = orjson.loads((SEEDS / f"{name}.expected.json").read_bytes())
    return wanted


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    return {name: article_of(name) for name in NAMES}


def article_of(name: str) -> Article:
    wanted = expected(name)
    is_html = (SEEDS / f"{name}.html").exists()
    content = (SEEDS / f"{name}.{'html' if is_html else 'txt'}").read_bytes().decode("utf-8-sig")
    job = Job(
        id=name,
        kind=Kind.HTML if is_html else Kind.TEXT,
        lane=Lane.BULK,
        accepted_at="2026-11-22T00:00:00.000Z",
        url=wanted.get("url"),
        content=content,
    )
    return extract_article(
        RawDocument(job=job, content=content, is_html=is_html, url=job.url, charset=None, fetched=None)
    )


def test_there_are_seeds_of_both_kinds_and_several_languages() -> None:
    assert len(NAMES) >= 12
    assert len(list(SEEDS.glob("*.txt"))) + len(list(SEEDS.glob("*.html"))) == len(NAMES)
    assert len({expected(name)["language"] for name in NAMES}) >= 3


@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_the_articles_and_nothing_else(articles: dict[str, Article], name: str) -> None:
    assert articles[name].text.split("\n\n") == expected(name)["text"].split("\n\n")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["title", "authors", "language", "site_name", "host", "canonical_url"])
def test_the_metadata_is_as_the_document_says(articles: dict[str, Article], name: str, field: str) -> None:
    wanted = expected(name).get(field)
    if wanted is None:
        return
    found = getattr(articles[name], field)
    assert (list(found) if isinstance(found, tuple) else found) == wanted


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("field", ["published", "modified"])
def test_the_dates_are_those_that_the_document_states(articles: dict[str, Article], name: str, field: str) -> None:
    wanted, found = expected(name).get(field), getattr(articles[name], field)
    if wanted is None:
        return
    assert found is not None
    assert datetime.fromisoformat(found) == datetime.fromisoformat(wanted)


@pytest.mark.parametrize("name", NAMES)
def test_forbidden_words_are_not_in_the_text(articles: dict[str, Article], name: str) -> None:
    assert [words for words in expected(name).get("absent", []) if words in articles[name].text] == []


@pytest.mark.parametrize("name", NAMES)
def test_fields_have_their_sources(articles: dict[str, Article], name: str) -> None:
    sources = expected(name).get("field_sources", {})
    assert {field: articles[name].field_sources.get(field) for field in sources} == sources
