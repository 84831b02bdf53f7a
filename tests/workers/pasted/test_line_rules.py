from workers.pasted.line_rules import find_noise, mark_boxes
from workers.pasted.lines import Line, lines_of

PROSE = "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday."
TEASERS = ["The winter when no boat came", "How to knot a rope"]


def removed(blocks: list[Line]) -> list[str]:
    noise = find_noise(blocks)
    marked = mark_boxes(blocks, noise)
    return [block.text for block, before, after in zip(blocks, noise, marked, strict=True) if after and not before]


def test_teasers_go_with_their_heading() -> None:
    assert removed(lines_of([PROSE, "", "Related", *TEASERS, "", "What it costs", "", PROSE])) == TEASERS
    assert removed(lines_of([PROSE, "", "Related", "", *TEASERS, "", "What it costs", "", PROSE])) == TEASERS


def test_a_lone_line_below_a_heading_may_be_a_sub_heading() -> None:
    assert removed(lines_of([PROSE, "", "Related", "", "What it costs", "", PROSE, "", PROSE])) == []


def test_prose_below_a_heading_is_no_teaser() -> None:
    assert removed(lines_of([PROSE, "", "Related", PROSE, TEASERS[0], "", PROSE])) == []


def test_without_blank_lines_nobody_knows_where_a_box_ends() -> None:
    assert removed(lines_of([PROSE, "Related", *TEASERS, PROSE])) == []


def test_small_print_goes_with_the_prompt_beside_it() -> None:
    small = [
        "Our free newsletter: the stories that matter, in your inbox at seven",
        "We keep to a privacy policy of our own.",
    ]
    assert removed(lines_of([PROSE, small[0], "Sign up", small[1], PROSE, PROSE])) == small
    assert removed(lines_of([PROSE, small[0], PROSE, PROSE, PROSE])) == []
