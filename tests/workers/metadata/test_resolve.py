from datetime import UTC, datetime

import pytest
from lxml.html import tostring

from contract.article import Source
from tests.workers.metadata.pages import URL, ld, metadata_of, page, tree
from workers.document import Sourced
from workers.metadata import site

NOW = datetime(2025, 6, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("head", "lang", "language", "source"),
    [
        ("", "de-AT", "de-AT", Source.MARKUP),
        (ld('{"@type": "Article", "inLanguage": "fr"}'), "", "fr", Source.JSON_LD),
        ('<meta http-equiv="Content-Language" content="nl">', "", "nl", Source.META),
        ('<meta property="og:locale" content="pt_BR">', "", "pt_BR", Source.OPENGRAPH),
        ('<meta property="og:locale" content="pt_BR">', "{{ lang }}", "pt_BR", Source.OPENGRAPH),
    ],
)
def test_language(head: str, lang: str, language: str, source: Source) -> None:
    assert site.find_language(page(head, lang=lang)) == Sourced(language, source)


def test_site_name() -> None:
    publisher = ld('{"@type": "Article", "publisher": {"@type": "Organization", "name": "Harbour Gazette"}}')
    assert site.find_site_name(page(publisher)) == Sourced("Harbour Gazette", Source.JSON_LD)
    assert site.find_site_name(page('<meta property="og:site_name" content="Gazette">' + publisher)) == Sourced(
        "Gazette", Source.OPENGRAPH
    )


def test_addresses_are_made_absolute_where_the_pages_own_is_known() -> None:
    head = '<link rel="canonical" href="/news/1"><meta property="og:image" content="/ferry.jpg">'
    assert site.find_canonical_url(page(head)) == Sourced("https://www.harbour-gazette.example/news/1", Source.META)
    assert site.find_image(page(head)) == Sourced("https://www.harbour-gazette.example/ferry.jpg", Source.OPENGRAPH)
    assert site.find_image(page('<meta name="thumbnail" content="/f.jpg">', url=None)) == Sourced("/f.jpg", Source.META)


def test_image_from_json_ld() -> None:
    head = ld('{"@type": "Article", "image": [{"@type": "ImageObject", "url": "https://i.example/1.jpg"}]}')
    assert site.find_image(page(head)) == Sourced("https://i.example/1.jpg", Source.JSON_LD)


def test_labels() -> None:
    head = ld('{"@type": "Article", "articleSection": ["News", "Sea"], "keywords": "ferry, harbour , ferry"}')
    assert site.find_categories(page(head)) == Sourced(("News", "Sea"), Source.JSON_LD)
    assert site.find_tags(page(head)) == Sourced(("ferry", "harbour"), Source.JSON_LD)
    tags = '<meta property="article:tag" content="sea, salt"><meta property="article:tag" content="ferry">'
    assert site.find_tags(page(tags)) == Sourced(("sea, salt", "ferry"), Source.META)


def test_licence_and_description() -> None:
    body = '<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC</a>'
    assert site.find_license(page("", body)) == Sourced("https://creativecommons.org/licenses/by/4.0/", Source.MARKUP)
    assert site.find_description(page('<meta name="description" content="It &amp; they">')) == Sourced(
        "It & they", Source.META
    )


def test_candidates_are_distinct_few_and_without_the_winner() -> None:
    head = ld('{"@type": "Article", "author": {"@type": "Person", "name": "Jo Marsh"}}')
    head += '<title>Ferry returns at last</title><meta property="og:title" content="Ferry returns at last">'
    body = "".join(f'<a href="/author/{n}">Writer Number{chr(65 + n)}</a>' for n in range(9))
    found = metadata_of(tree(head, "<h1>Ferry returns at last</h1>" + body), URL, NOW)
    assert found.authors is not None
    assert found.authors.value == ("Jo Marsh",)
    assert "title" not in found.candidates
    assert "published" not in found.candidates
    assert len(found.candidates["authors"]) == 5


def test_the_tree_is_left_as_it_was() -> None:
    parsed = tree(ld('{"@type": "Article"}'), "<h1>Ferry</h1><p class='date'>on 5/3/24</p><footer>x</footer>")
    before = tostring(parsed)
    metadata_of(parsed, URL, NOW)
    assert tostring(parsed) == before


def test_an_empty_page_has_no_metadata() -> None:
    found = metadata_of(tree(lang=""), None, NOW)
    assert all(getattr(found, name) is None for name in ("title", "authors", "published", "modified", "language"))


def test_confidence_grows_with_agreement() -> None:
    heading = "<h1>Ferry returns at last</h1><time>5 March 2024</time>"
    alone = metadata_of(tree("", heading), URL, NOW)
    head = ld('{"@type": "Article", "headline": "Ferry returns at last", "datePublished": "2024-03-05"}')
    agreed = metadata_of(tree(head, heading), URL, NOW)
    for name in ("title", "published"):
        weak, strong = getattr(alone, name), getattr(agreed, name)
        assert weak.value[:10] == strong.value[:10]
        assert 0 < weak.confidence < strong.confidence <= 1
