import pytest

from workers.page.blocks import BlockKind, SegmentedPage
from workers.page.segment import segment
from workers.page.tree import parse


def segmented(body: str, *, noscript: bool = False) -> SegmentedPage:
    return segment(parse(f"<html><body>{body}</body></html>")[-1], noscript=noscript)


@pytest.mark.parametrize(
    ("body", "texts"),
    [
        pytest.param("<p>One.</p><p>Two.</p>", ["One.", "Two."], id="paragraphs"),
        pytest.param("<p>One\n   line,<b> some</b> <a>words</a>.</p>", ["One line, some words."], id="inline elements"),
        pytest.param("<div>One.<p>Two.</p>Three.</div>Four.", ["One.", "Two.", "Three.", "Four."], id="text in a div"),
        pytest.param("<div>One.<br><br>Two.<br> <br/>Three.</div>", ["One.", "Two.", "Three."], id="double br"),
        pytest.param("<p>A line<br>a line<br></p>", ["A line\na line"], id="a single br stays a line feed"),
        pytest.param("<table><tr><td>a<td>b</table>", ["a", "b"], id="cells"),
        pytest.param("<script>x</script>One<style>y</style> line.", ["One line."], id="what follows silent elements"),
        pytest.param("<select><option>a</select><p>One.</p>", ["One."], id="forms"),
        pytest.param("<pre>if x:\n    y()\n</pre>", ["if x:\n    y()"], id="preformatted"),
        pytest.param("<p> \n&nbsp;</p><p></p>", [], id="nothing"),
        pytest.param("<p>一行。</p>", ["一行。"], id="without spaces"),
    ],
)
def test_text_is_cut_where_lines_end(body: str, texts: list[str]) -> None:
    assert [block.text for block in segmented(body).blocks] == texts


def test_kinds_are_those_of_the_elements_around() -> None:
    body = (
        "<h2>a</h2><p>b</p><ul><li>c<ul><li><p>d</p></li></ul></li></ul><blockquote><p>e</p></blockquote>"
        "<figure><img><figcaption>f</figcaption></figure><table><tr><td><div>g</div></td></tr></table>"
    )
    kinds = [block.kind.name for block in segmented(body).blocks]
    assert kinds == ["HEADING", "PARAGRAPH", "ITEM", "ITEM", "QUOTE", "CAPTION", "CELL"]


def test_lists_count_their_depth_and_items_their_passages() -> None:
    page = segmented("<ul><li><p>a</p><p>b</p><ol><li>c</li></ol></li></ul>")
    held = [page.containers[block.container] for block in page.blocks]
    assert [container.lists for container in held] == [1, 1, 2]
    assert held[0].line == held[1].line != held[2].line


def test_the_runs_say_where_each_piece_stands() -> None:
    (block,) = segmented("<p>Some <a href='/x'>linked <b>words</b></a>.</p>").blocks
    assert [(run.text, run.element.tag, run.is_tail) for run in block.runs] == [
        ("Some ", "p", False),
        ("linked ", "a", False),
        ("words", "b", False),
        (".", "a", True),
    ]
    assert (block.link, block.bold) == (11, 5)


def test_noscript_is_walked_on_demand_only() -> None:
    body = "<noscript><p>For readers without scripts.</p></noscript>"
    assert segmented(body).blocks == []
    assert [block.text for block in segmented(body, noscript=True).blocks] == ["For readers without scripts."]


def test_images_are_told_with_the_passage_that_follows() -> None:
    page = segmented("<p>One.</p><figure><img src='x.jpg'></figure><p>Two.</p>")
    assert [(number, image.get("src")) for number, image in page.images] == [(1, "x.jpg")]
    assert [block.after_image for block in page.blocks] == [False, True]


def test_an_aside_that_is_never_closed_is_the_box_of_all_that_follows() -> None:
    page = segmented("<p>a</p><aside><p>b</p><div class='footer'><p>c</p></div>")
    boxes = [page.containers[block.container].box for block in page.blocks]
    aside = next(number for number, container in enumerate(page.containers) if container.element.tag == "aside")
    assert boxes == [-1, aside, aside]


def test_deep_nesting_does_no_harm() -> None:
    page = segmented("<div>" * 200 + "deep" + "</div>" * 200)
    assert [block.text for block in page.blocks] == ["deep"]
    assert page.blocks[0].kind is BlockKind.PARAGRAPH
