import pytest

from workers.metadata.jsonld import find_article, follow, read_scripts, strings


def headline(script: str, url: str | None = None) -> object:
    return find_article(read_scripts([script]), url).get("headline")


@pytest.mark.parametrize(
    "script",
    [
        '{"@type": "NewsArticle", "headline": "Ferry returns"}',
        '{"@type": ["Thing", "https://schema.org/BlogPosting"], "headline": "Ferry returns"}',
        '[{"@type": "WebPage"}, {"@type": "ReportageNewsArticle", "headline": "Ferry returns"}]',
        '{"@graph": [{"@type": "Person"}, {"@type": "Article", "headline": "Ferry returns"}]}',
        '{"@type": "WebPage", "mainEntity": {"@type": "Article", "headline": "Ferry returns"}}',
        '{"@type": "Article", "headline": "Ferry returns",}',
        '{"@type": "Article", "keywords": ["a", "b",\n], "headline": "Ferry returns"};',
        '<!-- {"@type": "Article", "headline": "Ferry returns"} -->',
        '/*<![CDATA[*/ {"@type": "Article", "headline": "Ferry returns"} /*]]>*/',
        '// made by a plug-in\n{"@type": "Article", "headline": "Ferry returns"}',
        '{"@type": "WebSite"}{"@type": "Article", "headline": "Ferry returns"}',
        '{"@type": "Article", "description": "two\nlines\tand a tab", "headline": "Ferry returns"}',
        '{"@type": "Article", "headline": "Ferry returns", "description": "an "unescaped" quote"}',
    ],
)
def test_finds_the_article_however_it_is_written(script: str) -> None:
    assert headline(script) == "Ferry returns"


@pytest.mark.parametrize(
    "script",
    [
        "",
        "null",
        "not json",
        "[" * 100_000,
        '{"@type": {"@type": 1}}',
        '{"@type": "WebPage", "headline": "Not an article"}',
        '{"@type": "ItemList", "itemListElement": [{"@type": "Article", "headline": "Another article"}]}',
    ],
)
def test_other_nodes_are_no_articles(script: str) -> None:
    assert headline(script) is None


def test_prefers_the_node_of_the_pages_own_address() -> None:
    script = (
        '[{"@type": "Article", "headline": "Other", "url": "https://a.example/other"},'
        ' {"@type": "Article", "headline": "Own", "mainEntityOfPage": {"@id": "https://a.example/own/"}}]'
    )
    assert headline(script, "https://a.example/own?utm=1") == "Own"
    assert headline(script, None) == "Other"


def test_follows_references_by_id() -> None:
    nodes = read_scripts(['{"@graph": [{"@type": "Person", "@id": "#jo", "name": "Jo Marsh"}]}'])
    assert strings(follow([{"@id": "#jo"}, {"@id": "#gone"}], nodes), "name") == ["Jo Marsh"]


def test_strings_takes_what_it_can_from_any_shape() -> None:
    assert strings(["a", {"name": ["b", " "]}, 3, None, {"url": "c"}], "name") == ["a", "b"]


def test_nodes_are_bounded() -> None:
    assert len(read_scripts(['{"a": 1}' * 10_000])) == 2000
