import pytest

from workers.pasted.line_rules import find_noise
from workers.pasted.lines import lines_of
from workers.pasted.title_rules import find_title

BODY = [
    "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday.",
    "Islanders had asked for a second crossing for years, and the council promised money for the boat last autumn.",
]
TITLE = "Second ferry crossing for the outer islands from May"


@pytest.mark.parametrize(
    "head",
    [
        [TITLE],
        ["Home", "News", "Sport", TITLE, "By Jane Roe", "4 May 2025"],
        ["Most read stories of the week", TITLE, "Share on Facebook"],
        ["Winter storms close mountain roads", TITLE, "Jane Roe, 4 May 2025"],
        [TITLE, "Photo: the harbour", "Advertisement"],
        [TITLE, "The pier at dawn with the old ferry. Photograph: Jane Roe/The Post"],
    ],
)
def test_the_line_that_speaks_of_the_body_is_the_title(head: list[str]) -> None:
    blocks = lines_of([*head, *BODY])
    at = find_title(blocks, find_noise(blocks), len(head))
    assert at is not None
    assert blocks[at].text == TITLE


@pytest.mark.parametrize(
    "head",
    [
        [],
        ["Home", "News", "Sport"],
        ["Find a new job in your town today"],
        ["Boats for sale from Monday in every size"],
        ["By Jane Roe", "4 May 2025"],
        ["Subscribe to our newsletter about the outer islands ferry"],
        ["The ferry crossing for the outer islands starts in May."],
    ],
)
def test_no_title_rather_than_a_wrong_one(head: list[str]) -> None:
    blocks = lines_of([*head, *BODY])
    assert find_title(blocks, find_noise(blocks), len(head)) is None


def test_a_standfirst_and_a_byline_below_say_it_as_well_as_words() -> None:
    standfirst = "For nine years nobody could say when relief would come, and now somebody has said it aloud"
    blocks = lines_of(["Home", "They waited long enough", standfirst, "By Jane Roe", *BODY])
    assert find_title(blocks, find_noise(blocks), 4) is None
    blocks = lines_of(["Home", "They have waited long enough now", standfirst, "By Jane Roe", *BODY])
    assert find_title(blocks, find_noise(blocks), 4) == 1
