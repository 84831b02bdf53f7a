"""Evaluates gradient-boosted oblivious trees (as CatBoost trains them) with numpy. All models here are such trees.

The weights stand beside this file, one `.npz` a model; the training scripts in `bench/` write them.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

Rows = NDArray[np.float32]
_FOLDER = Path(__file__).parent
_Leaf = np.uint8  # a bit for each level of a tree; small, because there is one for each tree and row


@dataclass(frozen=True, slots=True)
class BoostedTrees:
    """T trees of depth D over `names`, one name a feature.

    All nodes of one depth of an oblivious tree make the same comparison, so a row's leaf is a number of D bits: bit d
    is the result of comparison `comparisons[d, t]`. Trees share the C comparisons: whether feature `features[c]` is
    above `borders[c]`. Each is made once.
    """

    names: tuple[str, ...]
    features: NDArray[np.intp]  # (C,)
    borders: Rows  # (C, 1)
    comparisons: NDArray[np.intp]  # (D, T)
    leaves: Rows  # (T * 2 ** D,)
    bias: float

    @classmethod
    def load(cls, file: Path) -> Self:
        """Reads weights that `bench/weights.py` wrote.

        Raises:
            OSError, ValueError: no such file, or not one of weights.
        """
        with np.load(file, allow_pickle=False) as stored:
            features, borders = stored["features"], stored["borders"]
            if features.shape[1] > 8 * np.dtype(_Leaf).itemsize:
                raise ValueError(f"{file.name} has trees that are too deep")
            pairs = np.stack((features.T.ravel(), borders.T.ravel()), axis=1).astype(np.float64)
            distinct, comparisons = np.unique(pairs, axis=0, return_inverse=True)
            return cls(
                names=tuple(stored["names"].tolist()),
                features=distinct[:, 0].astype(np.intp),
                borders=distinct[:, 1:].astype(np.float32),
                comparisons=comparisons.reshape(features.shape[::-1]),
                leaves=stored["leaves"].astype(np.float32).ravel(),
                bias=float(stored["bias"]),
            )

    def raw(self, rows: Rows) -> Rows:
        """Returns the sum of leaves for each of the (N, features) rows, (N,): log-odds, or a value, as trained."""
        columns = np.ascontiguousarray(rows.T)
        results = (columns.take(self.features, axis=0) > self.borders).view(_Leaf)
        depth, trees = self.comparisons.shape
        leaf = np.zeros((trees, len(rows)), _Leaf)
        for numbers in self.comparisons[::-1]:  # the highest bit first
            leaf += leaf
            leaf |= results.take(numbers, axis=0)
        places = leaf + (np.arange(trees) << depth)[:, np.newaxis]
        values: Rows = self.leaves.take(places).sum(axis=0, dtype=np.float32)
        return values + np.float32(self.bias)

    def probabilities(self, rows: Rows) -> Rows:
        """Returns the probability of the trained label for each of the (N, features) rows, (N,)."""
        shares: Rows = np.reciprocal(1 + np.exp(-self.raw(rows)))
        return shares


def weights_file(name: str) -> Path:
    """Returns the path of the weights of the model called `name`."""
    return _FOLDER / f"{name}.npz"


@cache
def load_model(name: str, features: tuple[str, ...] | None = None) -> BoostedTrees:
    """Returns the model called `name`, read once a process.

    Raises:
        OSError: there are no such weights.
        ValueError: these are none, or they were trained on other features than `features`.
    """
    trees = BoostedTrees.load(weights_file(name))
    if features is not None and trees.names != features:
        raise ValueError(f"the model {name} was trained on other features")
    return trees
