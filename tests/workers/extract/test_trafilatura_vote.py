"""Which pages trafilatura is asked about, and what its answer does."""

import pytest

from workers.extract.trafilatura_vote import add_vote, disputed_share
from workers.page.blocks import SegmentedPage
from workers.page.segment import segment
from workers.page.tree import Element, parse

ARTICLE = "".join(
    f"<p>Paragraph {number} of an article is long enough to be taken for one, and it says a little more, too.</p>"
    for number in range(8)
)
FOOTER = "<footer><p>All rights reserved by those who reserve rights.</p></footer>"


def page_of(body: str) -> tuple[Element, SegmentedPage]:
    tree = parse(f"<html><body><article>{body}</article>{FOOTER}</body></html>")
    return tree, segment(tree[-1])


@pytest.mark.parametrize(
    ("probabilities", "share"),
    [
        pytest.param([0.99, 0.99], 0.0, id="sure of both"),
        pytest.param([0.99, 0.8], 0.0, id="unsure, but no vote would change it"),
        pytest.param([0.99, 0.3], 0.0, id="unsure of what is left out, but no vote would change it"),
        pytest.param([0.99, 0.4], 0.5, id="a vote would add half as much"),
        pytest.param([0.99, 0.6], 1 / 3, id="a vote would take a third away"),
    ],
)
def test_only_what_a_vote_can_add_or_take_away_is_disputed(probabilities: list[float], share: float) -> None:
    assert disputed_share([200, 100], probabilities) == pytest.approx(share)


def test_what_trafilatura_keeps_becomes_likelier_and_what_it_leaves_out_less_likely() -> None:
    tree, segmented = page_of(ARTICLE)

    voted = add_vote(segmented, [0.5] * len(segmented.blocks), tree)

    assert [each > 0.5 for each in voted] == [True] * 8 + [False]


@pytest.mark.parametrize(
    ("body", "probability"),
    [
        pytest.param(ARTICLE, 0.9, id="a page that leaves little to decide"),
        pytest.param(ARTICLE * 60, 0.5, id="a page of very many blocks"),
    ],
)
def test_elsewhere_probabilities_stay_as_they_are(body: str, probability: float) -> None:
    tree, segmented = page_of(body)
    probabilities = [probability] * len(segmented.blocks)

    assert add_vote(segmented, probabilities, tree) == probabilities
