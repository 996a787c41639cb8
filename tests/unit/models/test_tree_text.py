"""What LightGBM writes is accepted, whatever it was trained on."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from holdfast.errors import BundleError
from holdfast.models.tree_text import require_sound_trees


def written(seed: int) -> tuple[str, int]:
    """A booster's text: gaps, zeros, categories, weights, stumps and deep trees, as the seed has it."""
    draw = np.random.default_rng(seed)
    rows, width = int(draw.integers(30, 600)), int(draw.integers(1, 9))
    X = draw.normal(size=(rows, width)) * draw.choice([1.0, 1e-9, 1e9], width)
    X[draw.random(X.shape) < draw.choice([0.0, 0.4])] = np.nan
    categories = [0] if seed % 2 else []
    if categories:
        X[:, 0] = draw.integers(0, 70, rows)
    y = np.nan_to_num(X[:, -1] / np.nanmax(np.abs(X[:, -1]))) + draw.normal(size=rows)
    how = {
        "num_leaves": int(draw.choice([2, 7, 63])),
        "min_child_samples": int(draw.choice([1, 20, 500])),
        "objective": "binary" if seed % 3 else "regression",
        "max_cat_to_onehot": int(draw.choice([1, 4])),
        "min_data_per_group": 1,
        "verbosity": -1,
        "num_threads": 1,
    }
    y = (y > np.median(y)).astype(float) if how["objective"] == "binary" else y
    data = lgb.Dataset(X, y, weight=draw.random(rows) + 0.1 if seed % 5 else None, categorical_feature=categories)
    return lgb.train(how, data, num_boost_round=12).model_to_string(), width


@pytest.mark.parametrize("seed", range(40))
def test_every_text_of_lightgbm_is_sound(seed: int) -> None:
    """A check that refuses a good model would stop the nightly list."""
    text, width = written(seed)
    require_sound_trees(text, width)
    with pytest.raises(BundleError, match="the header"):
        require_sound_trees(text, width + 1)
