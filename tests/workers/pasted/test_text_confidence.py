from dataclasses import replace

import numpy as np
import pytest

from tests.workers.pasted.samples import MESSY
from workers.draft import Classification
from workers.pasted.classify_lines import load_text_models
from workers.pasted.text_confidence import TEXT_CONFIDENCE_FEATURES, ChosenLines, confidence, text_confidence_features
from workers.pasted.text_reader import read_text

PROSE = "The ferry to the outer islands will sail twice a day from May, the harbour office said on day {}."


def choice(*probabilities: float) -> ChosenLines:
    kept = tuple(probability >= 0.5 for probability in probabilities)
    classification = Classification(probabilities=probabilities, sizes=(120.0,) * len(probabilities), kept=kept)
    return ChosenLines(classification, kept, whole=False, by_rules=False, titled=True)


SURE = choice(0.02, 0.03, *[0.98] * 12, 0.02)
UNSURE = choice(0.45, 0.3, *[0.6] * 6, 0.4, 0.35, 0.55)


def confidence_of(chosen: ChosenLines) -> float:
    found = confidence(chosen, load_text_models().confidence)
    assert found is not None
    return found


def test_sure_lines_make_a_sure_text() -> None:
    assert 1 >= confidence_of(SURE) > confidence_of(UNSURE) + 0.05


def test_where_rules_and_model_disagree_less_is_sure() -> None:
    assert confidence_of(SURE) > confidence_of(replace(SURE, ruled=[True] * 2 + [False] * 13))


def test_without_a_kept_line_nothing_is_known() -> None:
    assert confidence(choice(0.1, 0.2), load_text_models().confidence) is None


def test_weights_of_another_model_are_refused() -> None:
    with pytest.raises(ValueError, match="other features"):
        confidence(SURE, load_text_models().titles)


def test_features_are_numbers() -> None:
    assert text_confidence_features(choice(0.9)).shape == (1, len(TEXT_CONFIDENCE_FEATURES))
    assert np.isfinite(text_confidence_features(UNSURE)).all()


def test_a_draft_says_how_good_its_text_is() -> None:
    clean = "\n\n".join(PROSE.format(day) for day in range(20))
    found = read_text(clean).confidence
    assert found is not None
    assert found > 0.9
    assert all(0 < (read_text(sample.pasted).confidence or 0) <= 1 for sample in MESSY)


def test_text_without_a_choice_has_no_confidence() -> None:
    assert read_text(MESSY[0].pasted, keep_all=True).confidence is None
    assert read_text("").confidence is None
