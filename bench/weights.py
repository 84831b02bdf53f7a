"""Writes a trained CatBoost model (symmetric trees, numeric features) in the form that `BoostedTrees` reads."""

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np


def write(model: Any, names: Sequence[str], file: Path) -> None:  # noqa: ANN401 - CatBoost is there for training alone
    """Writes `model`, trained on features of these `names` in this order, to `file` (.npz).

    Raises:
        ValueError: not a model of symmetric trees over as many numeric features.
    """
    with tempfile.TemporaryDirectory() as folder:
        dump = Path(folder, "model.json")
        model.save_model(str(dump), format="json")
        stored = json.loads(dump.read_text())
    if len(stored["features_info"]["float_features"]) != len(names):
        raise ValueError(f"the model has other features than these {len(names)}")
    trees = stored["oblivious_trees"]
    depth = max(len(tree["splits"]) for tree in trees)
    features = np.zeros((len(trees), depth), np.int16)
    borders = np.full((len(trees), depth), np.inf, np.float32)  # nothing is above: a bit that shallow trees leave out
    leaves = np.zeros((len(trees), 2**depth), np.float32)
    for row, tree in enumerate(trees):
        for bit, split in enumerate(tree["splits"]):
            features[row, bit] = split["float_feature_index"]
            borders[row, bit] = split["border"]
        leaves[row, : len(tree["leaf_values"])] = tree["leaf_values"]
    scale, bias = stored["scale_and_bias"]
    np.savez_compressed(
        file, names=np.array(names), features=features, borders=borders, leaves=leaves * scale, bias=np.float64(bias[0])
    )
