"""Shapes that pages give their structured data: names in parts, names within names, moments as numbers."""

import json

import pytest

from tests.workers.extract.whole import forms_of
from workers.metadata import jsonld


def article(**fields: object) -> str:
    data = {"@type": "NewsArticle", "headline": "Mill sold", **fields}
    return f'<script type="application/ld+json">{json.dumps(data)}</script>'


@pytest.mark.parametrize(
    "author",
    [
        {"@type": "Person", "givenName": "Rosa", "familyName": "Vinter"},
        {"@type": "Person", "name": {"@type": "Person", "name": "Rosa Vinter"}},
        {"@type": "Person", "name": {"givenName": "Rosa", "familyName": "Vinter"}},
        [{"@type": "Person", "name": ["Rosa Vinter"]}],
    ],
)
def test_an_author_in_parts_or_within_another(author: object) -> None:
    assert forms_of("", head=article(author=author)).article.authors == ("Rosa Vinter",)


@pytest.mark.parametrize("stated", [1497948056, "1497948056", 1497948056000, "1497948056000"])
def test_a_moment_as_a_number(stated: object) -> None:
    published = forms_of("", head=article(datePublished=stated)).article.published
    assert published is not None
    assert published.startswith("2017-06-20T08:40:56")


def test_a_moment_as_a_number_in_meta() -> None:
    head = '<meta property="article:published_time" content="1497948056">'
    head += '<meta property="article:modified_time" content="1497954373000">'
    found = forms_of("", head=head).article
    assert (found.published or "")[:10] == (found.modified or "")[:10] == "2017-06-20"


@pytest.mark.parametrize("stated", ["2024013112", "20240131", 0, 17, True, 10**30, "999999999999"])
def test_numbers_that_are_no_moments(stated: object) -> None:
    published = forms_of("", head=article(datePublished=stated)).article.published
    assert published is None or published.startswith("2024-01-31")


@pytest.mark.parametrize("value", [None, 1, {}, {"name": None}, {"name": {"name": {"name": "x"}}}, [[]], {"name": 5}])
def test_nodes_without_names(value: object) -> None:
    assert jsonld.names(value) == []
