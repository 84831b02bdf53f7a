import pytest

from workers.draft import ArticleBlock
from workers.extract.body import article_blocks
from workers.extract.render import render
from workers.page.segment import segment
from workers.page.tree import parse


def blocks(body: str) -> list[ArticleBlock]:
    """Returns all blocks of a page, as if each were kept."""
    segmented = segment(parse(f"<html><body>{body}</body></html>")[-1])
    return article_blocks(segmented, [1.0] * len(segmented.blocks), [True] * len(segmented.blocks))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        pytest.param("<p>One.</p><p>Two.</p>", "One.\n\nTwo.", id="paragraphs"),
        pytest.param("<p>A line<br>a line</p>", "A line\na line", id="a line break stays"),
        pytest.param("<h2>Part</h2><p>One.</p>", "Part\n\nOne.", id="heading"),
        pytest.param("<p>See:</p><ul><li>a<li>• b</ul><p>End.</p>", "See:\n\n- a\n- b\n\nEnd.", id="list"),
        pytest.param("<ul><li>a<ul><li>b</ul></ul>", "- a\n  - b", id="nested list"),
        pytest.param("<ul><li><p>a</p><p>b</p></ul>", "- a b", id="paragraphs in an item"),
        pytest.param("<ul><li>a<br>b</ul>", "- a b", id="an item is one line"),
        pytest.param("<ul><li><h3>a</h3><p>b</p></ul>", "a\n\nb", id="an item that is an article"),
        pytest.param("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a | b\nc | d", id="table"),
        pytest.param(
            "<table><tr><td><p>One.</p><p>Two.</p></td><td><p>Three.</p></td></tr></table>",
            "One.\n\nTwo.\n\nThree.",
            id="a table for layout",
        ),
        pytest.param("<table><tr><td>One.</td></tr></table>", "One.", id="a single cell"),
        pytest.param("<pre>if x:\n    y()\n\n\nz()</pre>", "if x:\n    y()\n\n\nz()", id="code keeps its lines"),
        pytest.param("", "", id="nothing"),
    ],
)
def test_render(body: str, text: str) -> None:
    assert render(blocks(body)).text == text


def test_levels_are_those_of_headings_and_lists() -> None:
    found = blocks("<h3>a</h3><p>b</p><ul><li>c<ol><li>d</ol></ul>")
    assert [block.level for block in found] == [3, 0, 1, 2]
