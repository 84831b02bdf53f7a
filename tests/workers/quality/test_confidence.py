import pytest

from tests.workers.quality.pages import PROSE, article, index, page_of
from workers.draft import Classification
from workers.quality.confidence import confidence, confidence_features


def classification(*probabilities: float) -> Classification:
    kept = tuple(probability >= 0.5 for probability in probabilities)
    return Classification(probabilities=probabilities, sizes=(120.0,) * len(probabilities), kept=kept)


SURE = classification(0.02, 0.03, *[0.98] * 12, 0.02)
UNSURE = classification(0.45, 0.3, *[0.6] * 6, 0.4, 0.35, 0.55)


def test_sure_blocks_make_a_sure_text() -> None:
    sure = confidence(SURE, article())
    doubtful = confidence(UNSURE, article())
    assert sure is not None
    assert doubtful is not None
    assert sure > 0.9 > doubtful + 0.05


def test_the_page_counts() -> None:
    on_article, on_index = confidence(SURE, article()), confidence(SURE, index())
    assert on_article is not None
    assert on_index is not None
    assert on_article > on_index


@pytest.mark.parametrize("nothing", [Classification(), classification(0.1, 0.2)])
def test_without_a_kept_block_nothing_is_known(nothing: Classification) -> None:
    assert confidence(nothing, page_of(f"<p>{PROSE[0]}")) is None


def test_features_are_numbers() -> None:
    page = article()
    assert confidence_features(classification(0.9), page.row[0], page.kinds).shape[0] == 1
