"""Pages made to break a reader: nothing is raised, and the work is bounded."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workers.metadata.pages import URL, ld, metadata_of, tree
from workers.metadata.jsonld import read_scripts

NOW = datetime(2025, 6, 15, tzinfo=UTC)
FIELDS = (
    *("@id", "@type", "@graph", "headline", "author", "creator", "publisher", "name", "url", "image", "license"),
    *("datePublished", "dateModified", "inLanguage", "keywords", "articleSection", "mainEntityOfPage", "description"),
)
VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(allow_nan=False),
        st.text(max_size=20),
        st.sampled_from(["Article", "Person", "#a"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(FIELDS), inner, max_size=5)),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=8))
def test_any_shape_of_json_ld_is_survived(values: dict[str, object]) -> None:
    node = json.dumps({**values, "@type": "NewsArticle"}).replace("<", "\\u003c")
    metadata_of(tree(ld(node), "<h1>Ferry returns after nine years</h1>"), URL, NOW)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param('{"@type": "Article", "author": ' * 50_000, id="deep objects, never closed"),
        pytest.param('{"author":' * 900 + "1" + "}" * 900, id="deep objects"),
        pytest.param('{"@type": "Article", "headline": "' + "x" * 1_000_000 + '"}', id="a headline of a megabyte"),
        pytest.param('{"@type": "Article", "headline": "' + '\\"' * 500_000, id="quotes without end"),
        pytest.param('{"@type": "Article",' + "," * 1_000_000, id="commas without end"),
        pytest.param(
            '{"@type": "Article", "@id": "#a", "author": {"@id": "#a"}, "publisher": {"@id": "#a"}}', id="a cycle by id"
        ),
    ],
)
def test_hostile_json_ld_names_nobody(script: str) -> None:
    found = metadata_of(tree(ld(script), "<h1>Ferry returns after nine years</h1>"), URL, NOW)
    assert found.authors is None
    assert found.title is not None
    assert found.title.value == "Ferry returns after nine years"


def test_json_ld_in_character_references() -> None:
    script = "{&quot;@type&quot;: &quot;Article&quot;, &quot;headline&quot;: &quot;Ferry returns&quot;}"
    assert read_scripts([script])[0]["headline"] == "Ferry returns"


def test_a_crowd_of_marks_is_bounded() -> None:
    crowd = '<p class="byline date title">By Jo Marsh, 5 March 2024</p>' * 20_000
    found = metadata_of(tree("", f"<h1>Ferry returns</h1>{crowd}"), URL, NOW)
    assert found.authors is not None
    assert found.authors.value == ("Jo Marsh",)
