"""Fitting an additive score: a ridge on logarithms first, trees on what it leaves, as many as later cutoffs bear.

The ridge carries what is smooth, also beyond the largest customer seen, where trees cannot follow; so the trees need to
add bends and interactions only, and there are fewer of them.

Columns that are constant within every cutoff (the season, an index of the economy) are left out until the training
cutoffs span a year and one outcome window: before that they name cutoffs instead of seasons, and the trees would learn
each cutoff by heart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np

from holdfast.models.additive import Additive, Linear, Trees
from holdfast.models.calibration import mean_log_loss, sigmoid
from holdfast.models.checks import Matrix, Vector
from holdfast.models.folds import Fold, Rows
from holdfast.models.quantiles import mean, of_rows
from holdfast.models.ridge import Objective, fit_linear
from holdfast.timeline import Days, Instants

_YEAR_DAYS = 365.25
_FEWEST_TREES = 10
_FEWEST_COLUMNS = 10
_ROWS_WORTH_THREADS = 100_000  # below, threads wait for each other longer than they work, above all on a busy machine
_ROWS_TO_TRY = 60_000  # more rows choose the same number of trees and cost more
_TREES_WITHOUT_TRIAL = 60
_PATIENCE = 30
_PARSIMONY = 2e-4  # share of the least loss that a smaller count of trees may lose


@dataclass(frozen=True)
class Recipe:
    """How to fit: LightGBM's own names where there are such; the rest as in the estimators that pass it on."""

    objective: Objective
    learning_rate: float
    num_leaves: int
    min_child_samples: int
    n_estimators: int
    feature_fraction: float
    bagging_fraction: float
    reg_lambda: float
    linear_penalty: float
    categorical_features: Sequence[int]
    purge_days: float
    n_jobs: int
    random_state: int

    def parameters(self, rows: int, columns: int) -> dict[str, Any]:
        """LightGBM's parameters; a leaf never asks for more than a twentieth of the rows, a tree sees ten columns."""
        return {
            "objective": self.objective,
            "metric": "None",  # measured by later_loss
            "learning_rate": self.learning_rate,
            "num_leaves": self.num_leaves,
            "min_child_samples": max(2, min(self.min_child_samples, rows // 20)),
            "feature_fraction": min(1.0, max(self.feature_fraction, _FEWEST_COLUMNS / columns)),
            "bagging_fraction": self.bagging_fraction,
            "bagging_freq": 1,
            "lambda_l2": self.reg_lambda,
            "boost_from_average": False,
            "feature_pre_filter": False,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self.n_jobs if rows >= _ROWS_WORTH_THREADS else 1,
            "seed": self.random_state,
            "verbosity": -1,
        }


@dataclass(frozen=True)
class Rounds:
    """One fitted model with all the trees it was allowed, and its loss on later rows after each tree."""

    linear: Linear
    booster: lgb.Booster
    losses: Vector
    fill: Vector

    def upto(self, n_trees: int) -> Additive:
        """The model cut off after so many trees (or all of them, if it stopped before)."""
        text = self.booster.model_to_string(num_iteration=min(n_trees, self.booster.current_iteration()))
        return Additive(len(self.fill), self.linear, Trees(text, self.fill))


def fit_rounds(
    recipe: Recipe,
    X: Matrix,
    y: Vector,
    *,
    n_trees: int,
    weight: Vector | None = None,
    cutoff: Instants | None = None,
    later: tuple[Matrix, Vector, Vector | None] | None = None,
) -> Rounds:
    """Fit on all rows; with ``later`` rows (and their weights), stop once 30 more trees bring nothing there.

    Parameters
    ----------
    X, y : arrays of shape (n_rows, n_features), (n_rows,)
        NaN means missing; ``y`` is 0 or 1, or a real number.
    """
    X = _without_unlearnable(recipe, X, cutoff)
    numbers = sorted(set(range(X.shape[1])) - set(recipe.categorical_features))
    linear = fit_linear(X, y, numbers, objective=recipe.objective, penalty=recipe.linear_penalty, weight=weight)
    data = lgb.Dataset(
        X,
        y,
        weight=weight,
        init_score=linear.score(X),
        categorical_feature=list(recipe.categorical_features),
        params=recipe.parameters(*X.shape),
        free_raw_data=False,
    )
    record: dict[str, dict[str, list[float]]] = {}
    extra: dict[str, Any] = {}
    if later is not None:
        tested, outcome, counts = later
        extra["valid_sets"] = [data.create_valid(tested, outcome, weight=counts, init_score=linear.score(tested))]
        extra["valid_names"] = ["later"]
        extra["feval"] = later_loss(recipe.objective)
        extra["callbacks"] = [lgb.record_evaluation(record), lgb.early_stopping(_PATIENCE, verbose=False)]
    booster = lgb.train(recipe.parameters(*X.shape), data, num_boost_round=n_trees, **extra)
    losses = np.array(next(iter(record["later"].values()))) if record else np.empty(0)
    return Rounds(linear, booster, losses, _fill(X, recipe.categorical_features))


def try_folds(
    recipe: Recipe,
    X: Matrix,
    y: Vector,
    folds: Sequence[Fold],
    *,
    weight: Vector | None = None,
    cutoff: Instants | None = None,
    only: Rows | None = None,
) -> tuple[int, list[Additive]]:
    """How many trees later cutoffs bear, and each fold's model with that many.

    The count is the least whose loss, averaged over folds, is within a hair of the best. ``only`` restricts learning
    and measuring to some rows (those with an amount).
    """
    kept = np.ones(len(y), dtype=bool) if only is None else np.isin(np.arange(len(y)), only)

    def tried(fold: Fold) -> Rounds:
        train, test = fold.train[kept[fold.train]], fold.test[kept[fold.test]]
        train = train[:: max(1, -(-len(train) // _ROWS_TO_TRY))]  # evenly, so that every cutoff keeps its share
        return fit_rounds(
            recipe,
            X[train],
            y[train],
            n_trees=recipe.n_estimators,
            weight=of_rows(weight, train),
            cutoff=None if cutoff is None else cutoff[train],
            later=(X[test], y[test], of_rows(weight, test)),
        )

    if not folds:
        return min(_TREES_WITHOUT_TRIAL, recipe.n_estimators), []
    with ThreadPoolExecutor(recipe.n_jobs) as pool:  # a fold is too small for threads of its own
        rounds = list(pool.map(tried, folds))
    longest = max(len(r.losses) for r in rounds)
    padded = [np.pad(r.losses, (0, longest - len(r.losses)), mode="edge") for r in rounds]
    average = np.mean(padded, axis=0)
    n_trees = int(np.flatnonzero(average <= average.min() * (1 + _PARSIMONY))[0]) + 1
    n_trees = min(max(n_trees, _FEWEST_TREES), recipe.n_estimators)
    return n_trees, [r.upto(n_trees) for r in rounds]


def later_loss(objective: Objective) -> Callable[[Vector, lgb.Dataset], tuple[str, float, bool]]:
    """Loss on later rows after the best constant shift: a season that moves everyone says nothing about the trees."""

    def variance(predicted: Vector, data: lgb.Dataset) -> tuple[str, float, bool]:
        off, weight = data.get_label() - predicted, _weight_of(data)
        if weight is None:
            return "variance", float(np.var(off)), False
        return "variance", mean((off - mean(off, weight)) ** 2, weight), False

    def shifted_log_loss(predicted: Vector, data: lgb.Dataset) -> tuple[str, float, bool]:
        p = np.clip(predicted, 1e-12, 1 - 1e-12)
        z, y, weight, shift = np.log(p / (1 - p)), data.get_label(), _weight_of(data), 0.0
        for _ in range(3):  # Newton; the loss is flat at its end, so three steps do
            p = sigmoid(z + shift)
            gap, curve = mean(y, weight) - mean(p, weight), mean(p * (1 - p), weight)
            shift += float(np.clip(gap / max(curve, 1e-6), -2, 2))
        return "shifted_log_loss", mean_log_loss(z + shift, y, weight), False

    return shifted_log_loss if objective == "binary" else variance


def _weight_of(data: lgb.Dataset) -> Vector | None:
    weight = data.get_weight()
    return None if weight is None else np.asarray(weight, dtype=np.float64)  # LightGBM keeps single precision


def _without_unlearnable(recipe: Recipe, X: Matrix, cutoff: Instants | None) -> Matrix:
    """Blank the columns that only name the cutoff, unless the cutoffs span a year and an outcome window."""
    if cutoff is None or len(cutoff) == 0:
        return X
    span = int(cutoff.max() - cutoff.min())
    if span == 0 or span >= Days(_YEAR_DAYS + recipe.purge_days).microseconds:
        return X
    by_cutoff = np.argsort(cutoff, kind="stable")
    starts = np.flatnonzero(np.r_[True, np.diff(cutoff[by_cutoff]) > 0])
    ordered = X[by_cutoff]
    low, high = np.fmin.reduceat(ordered, starts, axis=0), np.fmax.reduceat(ordered, starts, axis=0)
    same = ((low == high) | np.isnan(low)).all(axis=0)
    if not same.any():
        return X
    X = X.copy()
    X[:, same] = np.nan
    return X


def _fill(X: Matrix, categorical: Sequence[int]) -> Vector:
    """The median of columns without a missing value; NaN elsewhere and for categories."""
    fill = np.median(X, axis=0) if len(X) else np.full(X.shape[1], np.nan)  # the median of a column with NaN is NaN
    fill[list(categorical)] = np.nan
    return np.asarray(fill)
