from pathlib import Path

import numpy as np
import pytest

from workers.models.boosted_trees import BoostedTrees


def stored(file: Path, *, depth: int = 2) -> Path:
    """Two trees: the first asks whether a > 1, then whether b > 2; the second whether b > 5, and nothing more."""
    features, borders = np.zeros((2, depth), np.int16), np.full((2, depth), np.inf, np.float32)
    leaves = np.zeros((2, 2**depth), np.float32)
    features[:, :2] = [[0, 1], [1, 0]]
    borders[0, :2] = [1, 2]
    borders[1, 0] = 5
    leaves[:, :4] = [[1, 10, 100, 1000], [0.25, 0.5, 0, 0]]
    np.savez(file, names=np.array(["a", "b"]), features=features, borders=borders, leaves=leaves, bias=np.float64(-1))
    return file


@pytest.mark.parametrize("depth", [2, 8])
def test_each_row_gets_the_sum_of_its_leaves(tmp_path: Path, depth: int) -> None:
    trees = BoostedTrees.load(stored(tmp_path / "trees.npz", depth=depth))

    rows = np.array([[0, 0], [2, 0], [0, 3], [2, 3], [2, 6], [1, 2]], np.float32)

    assert trees.names == ("a", "b")
    assert trees.raw(rows).tolist() == [0.25, 9.25, 99.25, 999.25, 999.5, 0.25]


def test_a_probability_is_the_logistic_of_the_sum(tmp_path: Path) -> None:
    trees = BoostedTrees.load(stored(tmp_path / "trees.npz"))

    assert trees.probabilities(np.zeros((1, 2), np.float32))[0] == pytest.approx(1 / (1 + np.exp(-0.25)))


def test_trees_that_are_too_deep_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="too deep"):
        BoostedTrees.load(stored(tmp_path / "trees.npz", depth=9))
