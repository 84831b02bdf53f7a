import pytest
from lxml.etree import fromstring

from workers.extract_text import render


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param("<p>One.</p><p>Two.</p>", "One.\n\nTwo.", id="paragraphs"),
        pytest.param("<p>One\n   line,<hi> some</hi> <ref>words</ref>.</p>", "One line, some words.", id="inline"),
        pytest.param("<p>A line<lb/>a line</p>", "A line\na line", id="a line break stays"),
        pytest.param("<p>One.<lb/><lb/>Two.</p>", "One.\n\nTwo.", id="two line breaks are a paragraph"),
        pytest.param("<head>Part</head><p>One.</p>", "Part\n\nOne.", id="heading"),
        pytest.param(
            "<p>See:</p><list><item>a</item><item>• b</item></list><p>End.</p>", "See:\n\n- a\n- b\n\nEnd.", id="list"
        ),
        pytest.param("<list><item>a<list><item>b</item></list></item></list>", "- a\n- b", id="nested list"),
        pytest.param("<list><item><p>a</p><p>b</p></item></list>", "- a b", id="paragraphs in an item"),
        pytest.param(
            "<table><row><cell>a</cell><cell>b</cell></row><row><cell>c</cell><cell>d</cell></row></table>",
            "a | b\nc | d",
            id="table",
        ),
        pytest.param(
            "<table><row><cell><p>One.</p><p>Two.</p></cell><cell><p>Three.</p></cell></row></table>",
            "One.\n\nTwo.\n\nThree.",
            id="a table for layout",
        ),
        pytest.param("<code>if x:\n    y()\n\n\nz()</code>", "if x:\n    y()\nz()", id="code keeps its lines"),
        pytest.param("<p>One.</p>tail<graphic src='x'/><p> </p>", "One.\n\ntail", id="nothing from empty elements"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_render(body: str, text: str) -> None:
    assert render(fromstring(f"<body>{body}</body>"), None) == text


def test_the_headline_is_left_out_at_the_beginning_only() -> None:
    body = fromstring("<body><p>News</p><head>“Ferry” returns!</head><p>One.</p><p>Two.</p><p>Ferry returns</p></body>")
    assert render(body, "Ferry returns") == "News\n\nOne.\n\nTwo.\n\nFerry returns"
