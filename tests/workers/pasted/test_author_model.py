import numpy as np
import pytest

from workers.models.boosted_trees import load_model
from workers.pasted.author_features import AUTHOR_FEATURES, TextAround, author_rows, candidates_of
from workers.pasted.author_mentions import find_mentions
from workers.pasted.author_model import choose_authors, chosen_of
from workers.pasted.lines import lines_of
from workers.pasted.noise_rules import Rule

TITLE = "Second ferry crossing for the outer islands from May"
PROSE = (
    "The ferry to the outer islands will sail twice a day from the first of May, the harbour office said on Monday.",
    "Islanders had asked for a second crossing for years, and the council promised money for the boat last autumn.",
    "The fare stays as it is until the end of the year, and children under six sail for nothing on all the boats.",
)


def around(*head: str, below: tuple[str, ...] = ()) -> TextAround:
    lines = lines_of([TITLE, *head, *PROSE, *below])
    article = range(1 + len(head), 1 + len(head) + len(PROSE))
    rules = [Rule.TITLE, *(None if at in article else Rule.BEFORE_TEXT for at in range(1, len(lines)))]
    sure = np.array([0.95 if at in article else 0.03 for at in range(len(lines))], np.float32)
    return TextAround(lines, rules, sure, 0, ())


@pytest.mark.parametrize(
    ("probabilities", "chosen"),
    [
        ([0.9, 0.1, 0.02], [0]),
        ([0.1, 0.9, 0.8], [1, 2]),
        ([0.9, 0.4, 0.02], [0]),
        ([0.2, 0.05, 0.02], [0]),
        ([0.2, 0.15, 0.02], []),
        ([0.05, 0.01], []),
    ],
)
def test_likely_names_and_a_clear_leader_are_authors(probabilities: list[float], chosen: list[int]) -> None:
    assert chosen_of(np.array(probabilities, np.float32)) == chosen


def test_a_name_is_one_candidate_however_often_it_stands() -> None:
    text = around("By Jane Roe", "4 May 2025", below=("Jane Roe", "Jane Roe is a writer and lives by the sea."))
    candidates = candidates_of(find_mentions(text.lines, text.kept))
    assert [one.name for one in candidates].count("Jane Roe") == 1
    rows = dict(zip(AUTHOR_FEATURES, author_rows(candidates, text)[0].tolist(), strict=True))
    assert (rows["by"], rows["box"], rows["from_title"], rows["to_first"]) == (1, 1, 1, 2)


def test_the_byline_is_removed_and_a_box_below_is_not() -> None:
    text = around("By Jane Roe", "4 May 2025", below=("Jane Roe",))
    authors = choose_authors(text, load_model("pasted_authors"))
    assert authors.names == ("Jane Roe",)
    assert authors.bylines == {1}


def test_who_is_spoken_of_is_no_author() -> None:
    text = around("4 May 2025", below=("Read more", "Mayor Ada Stone opens the bridge"))
    assert choose_authors(text, load_model("pasted_authors")).names == ()


def test_weights_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match="other features"):
        choose_authors(around("By Jane Roe"), load_model("pasted_titles"))
