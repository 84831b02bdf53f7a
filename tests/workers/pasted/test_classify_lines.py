import numpy as np
import pytest

from contract.options import Focus
from tests.workers.pasted.samples import MESSY, Sample
from workers.pasted.classify_lines import choose_lines, line_probabilities, load_text_models
from workers.pasted.line_features import RuleFindings, line_features
from workers.pasted.line_rules import RuledLines, find_noise
from workers.pasted.line_windows import distances, means, neighbours
from workers.pasted.lines import line_of, lines_of
from workers.pasted.noise_rules import Rule
from workers.pasted.region import Region
from workers.pasted.text_reader import read_text

PROSE = "The ferry to the outer islands will sail twice a day from May, the harbour office said on day {}."
MENU = "\n".join(f"Section {name}" for name in "abcdefghijklmnopqrst")
ODD = "Great offers on boats, ropes and lamps: see our shop at the pier today and take a tenth off"


def test_the_features_of_the_models_are_measured() -> None:
    blocks = [line_of("One line"), line_of(PROSE)]
    columns = line_features(blocks, RuleFindings([None, None], Region(1, 2), [False, True], 0))
    assert set(load_text_models().lines.names) == set(columns)
    assert all(column.shape == (2,) and np.isfinite(column).all() for column in columns.values())


def test_lines_removed_by_the_model_have_a_rule_by_their_place() -> None:
    body = [PROSE.format(day) for day in range(12)]
    draft = read_text("\n\n".join([MENU, *body[:6], ODD, *body[6:], MENU]))
    rules = {removed.text: removed.rule for removed in draft.removed}
    assert rules["Section a"] in {Rule.BEFORE_TEXT, Rule.AFTER_TEXT}
    assert rules.get(ODD, Rule.BOILERPLATE) is Rule.BOILERPLATE
    assert all(paragraph in draft.text for paragraph in body)


@pytest.mark.parametrize("sample", MESSY, ids=lambda sample: sample.name)
def test_keep_all_takes_nothing_away_and_still_finds_the_metadata(sample: Sample) -> None:
    kept, taken = read_text(sample.pasted, keep_all=True), read_text(sample.pasted)
    assert kept.removed == ()
    assert (kept.title, kept.authors, kept.published) == (taken.title, taken.authors, taken.published)
    assert all(line in kept.text for line in taken.text.replace("- ", "").split("\n"))
    assert all(removed.text in kept.text for removed in taken.removed)


def test_the_draft_tells_how_sure_each_line_is() -> None:
    draft = read_text(MESSY[0].pasted)
    assert draft.classification is not None
    count = len(draft.removed) + sum(draft.classification.kept)
    assert (
        len(draft.classification.probabilities)
        == len(draft.classification.sizes)
        == len(draft.classification.kept)
        == count
    )
    assert all(0 <= probability <= 1 for probability in draft.classification.probabilities)


def test_windows_look_to_either_side() -> None:
    column = np.array([1, 0, 0, 0, 1], np.float32)
    assert means("x", column)["x~2"].tolist() == pytest.approx([1 / 3, 0.25, 0.4, 0.25, 1 / 3])
    assert neighbours("x", column)["x+1"].tolist() == [0, 0, 0, 1, -1]
    assert distances("x", column)["x<"].tolist() == [60, 1, 2, 3, 4]
    assert distances("x", column)["x>"].tolist() == [4, 3, 2, 1, 60]


def test_newsletter_footers_are_noise() -> None:
    lines = ["View this email in your browser", "Unsubscribe", "You are receiving this because you asked for it"]
    assert find_noise(lines_of([*lines, "Se désinscrire", "Darse de baja"])) == [Rule.PROMPT] * 5


BODY = [line_of(f"{PROSE.format(day)} Nobody knows yet what a ticket will cost.") for day in range(7)]
ODD_ONE = 3


def probability_of(odd: str, rule: Rule | None = None, at: int = ODD_ONE) -> float:
    """Returns the final probability of a paragraph that the model finds unlikely, at line `at` of an article."""
    blocks = [*BODY[:at], line_of(odd), *BODY[at:]]
    rules = [rule if index == at else None for index in range(len(blocks))]
    odds = np.array([-3.0 if index == at else 3.0 for index in range(len(blocks))], np.float32)
    return float(line_probabilities(blocks, RuledLines(rules, rules, Region(0, len(blocks))), odds)[at])


ODD_PROSE = "In the end it was my daughter who held the lamp, and now and then me too, while I mended the old radio."


def test_a_paragraph_between_those_of_the_article_gets_a_bonus() -> None:
    assert probability_of(ODD_PROSE) > 0.5


def test_a_paragraph_at_the_end_gets_no_bonus() -> None:
    assert probability_of(ODD_PROSE, at=len(BODY)) < 0.5


def test_a_paragraph_that_a_rule_removes_gets_no_bonus() -> None:
    assert probability_of(ODD_PROSE, Rule.PROMPT) < 0.5


def test_a_paragraph_about_the_site_gets_no_bonus() -> None:
    assert probability_of("Subscribe to our newsletter: " + ODD_PROSE) < 0.5


def test_short_lines_amid_the_article_may_be_boxes() -> None:
    assert probability_of("My daughter held the lamp that day.") < 0.5


def test_a_list_amid_the_article_is_the_articles_and_so_is_what_leads_to_it() -> None:
    items = [line_of(f"The {word} of the old radio", item=True) for word in ("cable", "valve", "knob")]
    blocks = [BODY[0], line_of("All that had to be mended:"), *items, BODY[1]]
    ruled_lines = RuledLines([None] * 6, [None] * 6, Region(0, 6))
    odds = np.array([3, -3, -3, -3, -3, 3], np.float32)
    assert line_probabilities(blocks, ruled_lines, odds).min() > 0.9
    at_the_end = line_probabilities(blocks[:-1], RuledLines([None] * 5, [None] * 5, Region(0, 5)), odds[:-1])
    assert at_the_end[1:].max() < 0.1


def test_focus_says_how_much_stays() -> None:
    sure = np.array([0.95, 0.55, 0.95, 0.4, 0.95, 0.95, 0.95], np.float32)
    kept = [sum(choose_lines(BODY, sure, focus)) for focus in (Focus.PRECISION, Focus.BALANCED, Focus.RECALL)]
    assert kept == [5, 6, 7]


@pytest.mark.parametrize("sample", MESSY, ids=lambda sample: sample.name)
def test_recall_keeps_as_much_as_precision_at_least(sample: Sample) -> None:
    precision, recall = (read_text(sample.pasted, focus=focus).text for focus in (Focus.PRECISION, Focus.RECALL))
    assert len(precision) <= len(recall)
