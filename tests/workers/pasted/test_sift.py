import numpy as np
import pytest

from tests.workers.pasted.samples import MESSY, Sample
from workers.pasted.features import Seen, measure
from workers.pasted.judge import find_noise
from workers.pasted.lines import block_of, blocks_of
from workers.pasted.reader import read_text
from workers.pasted.region import Region
from workers.pasted.rules import Rule
from workers.pasted.sift import shipped
from workers.pasted.windows import distances, means, neighbours

PROSE = "The ferry to the outer islands will sail twice a day from May, the harbour office said on day {}."
MENU = "\n".join(f"Section {name}" for name in "abcdefghijklmnopqrst")
ODD = "Great offers on boats, ropes and lamps: see our shop at the pier today and take a tenth off"


def test_the_features_of_the_models_are_measured() -> None:
    blocks = [block_of("One line"), block_of(PROSE)]
    columns = measure(blocks, Seen([None, None], Region(1, 2), [False, True], 0))
    assert set(shipped().lines.names) == set(columns)
    assert all(column.shape == (2,) and np.isfinite(column).all() for column in columns.values())


def test_what_only_the_model_takes_has_a_rule_by_where_it_stood() -> None:
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
    assert draft.judgement is not None
    count = len(draft.removed) + sum(draft.judgement.kept)
    assert len(draft.judgement.probabilities) == len(draft.judgement.sizes) == len(draft.judgement.kept) == count
    assert all(0 <= probability <= 1 for probability in draft.judgement.probabilities)


def test_windows_look_to_either_side() -> None:
    column = np.array([1, 0, 0, 0, 1], np.float32)
    assert means("x", column)["x~2"].tolist() == pytest.approx([1 / 3, 0.25, 0.4, 0.25, 1 / 3])
    assert neighbours("x", column)["x+1"].tolist() == [0, 0, 0, 1, -1]
    assert distances("x", column)["x<"].tolist() == [60, 1, 2, 3, 4]
    assert distances("x", column)["x>"].tolist() == [4, 3, 2, 1, 60]


def test_newsletter_footers_are_noise() -> None:
    lines = ["View this email in your browser", "Unsubscribe", "You are receiving this because you asked for it"]
    assert find_noise(blocks_of([*lines, "Se désinscrire", "Darse de baja"])) == [Rule.PROMPT] * 5
