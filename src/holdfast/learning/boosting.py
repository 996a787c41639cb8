"""Fitting an additive score: a ridge on logarithms first, trees on what it leaves, as many as later cutoffs bear.

The ridge carries what is smooth, also beyond the largest customer seen, where trees cannot follow; so the trees need to
add bends and interactions only, and there are fewer of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cached_property, partial
from itertools import product
from typing import Any

import lightgbm as lgb
import numpy as np

from holdfast.learning.binned_matrix import LabelledRows, threads_worth
from holdfast.learning.cutoff_intercepts import CutoffIntercepts
from holdfast.learning.ridge import Objective, fit_linear
from holdfast.models.additive import Additive, Linear, Trees
from holdfast.models.calibration import mean_log_loss, sigmoid
from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.quantiles import mean
from holdfast.models.season_level import SeasonLevel
from holdfast.timeline import Instants

_SEVERAL = ("num_leaves", "linear_penalty")  # of these, several values may be given
_FEWEST_COLUMNS = 10
_PATIENCE = 30
_PARSIMONY = 2e-4  # share of the least loss that a smaller count of trees may lose
_MORE_TREES = 1 / 3  # power of the number of rows with which the number of trees grows that they bear

RIDGE, TREES, CUSTOMER_BASE = "ridge", "ridge and trees", "customer base"
"""What a score may be made of."""


@dataclass(frozen=True)
class Recipe:
    """How to fit: LightGBM's own names where there are such; the rest as in the estimators that pass it on.

    With ``columns``, which hold what the customer base says, the ridge reads no others. ``monotonic_cst`` says of the
    first columns of the matrix whether the score never falls with them (1), never rises (-1), or may do both (0).
    """

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
    columns: tuple[int, ...] | None = None
    monotonic_cst: tuple[int, ...] | None = None

    @property
    def named(self) -> str:
        """What it is without trees."""
        return RIDGE if self.columns is None else CUSTOMER_BASE

    @property
    def ridge(self) -> tuple[tuple[int, ...] | None, float]:
        """What of it decides the linear part."""
        return self.columns, self.linear_penalty

    @classmethod
    def of(cls, objective: Objective, parameters: Mapping[str, Any]) -> list[Recipe]:
        """The recipes that an estimator's parameters allow: one for each number of leaves and weight of the ridge."""
        known = {each.name: parameters[each.name] for each in fields(cls) if each.name in parameters}
        several = [np.atleast_1d(np.asarray(known.pop(name))).tolist() for name in _SEVERAL]
        for name, each in zip(_SEVERAL, several, strict=True):
            if not each:
                raise InputError(f"Wanted one {name} at least to choose from, found none. Give a number or a list.")
        return [
            cls(objective=objective, **known, **dict(zip(_SEVERAL, each, strict=True))) for each in product(*several)
        ]

    def directions(self, columns: int) -> tuple[int, ...]:
        """``monotonic_cst`` for so many columns; empty if none has a direction."""
        declared = self.monotonic_cst or ()
        return (*declared, *[0] * (columns - len(declared))) if any(declared) else ()

    def parameters(self, rows: int, columns: int) -> dict[str, Any]:
        """LightGBM's parameters; a leaf never asks for more than a twentieth of the rows, a tree sees ten columns.

        Directions are kept to by LightGBM's method "basic": what lies on one side of a split is never beyond what lies
        on the other. So averages over either side keep their order too, and SHAP values, which are made of such
        averages, go in the declared direction as the score does. The looser methods bound single leaves: they promise
        it of the score alone.
        """
        directions = self.directions(columns)
        kept = {"monotone_constraints": list(directions), "monotone_constraints_method": "basic"}
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
            "force_col_wise": True,  # a tree reads a part of the columns, and copies nothing of them
            "enable_bundle": False,  # the same trees; with bundles, sampled rows are copied for each
            "num_threads": threads_worth(rows, self.n_jobs),
            "seed": self.random_state,
            "verbosity": -1,
            **(kept if directions else {}),
        }


@dataclass(frozen=True)
class FittedScore:
    """A score, and how far each cutoff that it learnt from lay from it; None where rows carry no cutoff."""

    score: Additive
    levels: CutoffIntercepts | None

    def at(self, cutoff: int, purge_days: float) -> float:
        """What the levels let expect at a later cutoff."""
        if self.levels is None:
            return 0.0
        return float(self.levels.forecast(np.array([float(cutoff)]), purge_days)[0])

    @classmethod
    def constant(cls, n_features: int, value: float) -> FittedScore:
        """The same score for everyone, where there is nothing to tell them apart by."""
        return cls(Additive(n_features, Linear.constant(value), trees=None), levels=None)

    def at_own_cutoff(self, X: Matrix, cutoff: Instants | None) -> Vector:
        """The score of each row at the level of its own cutoff; at the mean level where that was not learnt from."""
        score = self.score.score(X)
        if self.levels is None or cutoff is None:
            return score
        of = np.clip(np.searchsorted(self.levels.cutoff, cutoff), 0, len(self.levels.cutoff) - 1)
        known = self.levels.cutoff[of] == cutoff
        return score + np.where(known, self.levels.level[of], np.mean(self.levels.level))

    def year_ahead(self, X: Matrix, cutoff: Instants | None, purge_days: float, columns: Sequence[int]) -> SeasonLevel:
        """What the levels let expect in the year once the outcomes of the last cutoff are known."""
        if self.levels is None or cutoff is None:
            return SeasonLevel.constant()
        return self.levels.year_ahead(purge_days, tuple(columns), X, cutoff)


@dataclass(frozen=True, eq=False)
class RidgeFit:
    """The linear part, and where trees begin: the score of each row at the level of its cutoff."""

    rows: LabelledRows
    linear: Linear
    levels: Callable[[Vector], CutoffIntercepts] | None
    start: Vector


@dataclass(frozen=True, eq=False)
class BoostingRounds:
    """One fitted model with all the trees it was allowed, and its loss on later rows before and after each tree."""

    ridge: RidgeFit
    categorical: Sequence[int]
    booster: lgb.Booster | None
    losses: Vector

    @cached_property
    def borne(self) -> int:
        """The least number of trees, perhaps none, whose loss on the later rows is within a hair of the best."""
        return int(np.flatnonzero(self.losses <= self.losses.min() * (1 + _PARSIMONY))[0])

    def borne_by(self, rows: int) -> int:
        """How many trees another number of rows bears; what is known of few customers is known more finely of many."""
        return round(float(self.borne * (rows / len(self.ridge.rows)) ** _MORE_TREES))

    def upto(self, n_trees: int) -> FittedScore:
        """The model cut off after so many trees (or all of them, if it stopped before)."""
        X, trees = self.ridge.rows.features, None
        if self.booster is not None and n_trees:
            n_trees = min(n_trees, self.booster.current_iteration())
            trees = Trees(self.booster.model_to_string(num_iteration=n_trees), _fill(X, self.categorical))
        score = Additive(X.shape[1], self.ridge.linear, trees)
        return FittedScore(score, None if self.ridge.levels is None else self.ridge.levels(score.score(X)))


def fit_ridge(recipe: Recipe, rows: LabelledRows) -> RidgeFit:
    """The part of the score that is linear; of the recipe, leaves and trees have no say in it."""
    X, y, weight, cutoff = rows.features, rows.y, rows.weight, rows.cutoff
    columns = range(X.shape[1]) if recipe.columns is None else recipe.columns
    linear = fit_linear(
        X,
        y,
        sorted(set(columns) - set(recipe.categorical_features)),
        objective=recipe.objective,
        penalty=recipe.linear_penalty,
        weight=weight,
        groups=None if cutoff is None else np.unique(cutoff, return_inverse=True)[1],
        monotonic_cst=recipe.directions(X.shape[1]),
    )
    start = linear.score(X)
    if cutoff is None:
        return RidgeFit(rows, linear, None, start)
    levels = partial(CutoffIntercepts.of, y=y, cutoff=cutoff, objective=recipe.objective, weight=weight)
    return RidgeFit(rows, linear, levels, start + levels(start).rows(cutoff))


def fit_rounds(recipe: Recipe, ridge: RidgeFit, *, n_trees: int, later: LabelledRows | None = None) -> BoostingRounds:
    """Trees on what the ridge leaves; with ``later`` rows, stop once 30 more trees bring nothing there."""
    losses, booster, judge = np.empty(0), None, None
    if later is not None:
        smooth = ridge.linear.score(later.features)
        told = sigmoid(smooth) if recipe.objective == "binary" else smooth
        losses = np.array([later_loss(recipe.objective)(told, later.y, later.weight)])
        judge = later.binned(smooth) if n_trees else None
    if n_trees:
        booster, more = _boosted(recipe, ridge, n_trees, judge)
        losses = np.concatenate([losses, more])
    return BoostingRounds(ridge, recipe.categorical_features, booster, losses)


def _boosted(recipe: Recipe, ridge: RidgeFit, n_trees: int, later: lgb.Dataset | None) -> tuple[lgb.Booster, Vector]:
    """Trees on what a start leaves, and their loss on later rows after each."""
    how = recipe.parameters(*ridge.rows.features.shape)
    data = ridge.rows.binned(ridge.start)
    if later is None:
        return lgb.train(how, data, num_boost_round=n_trees), np.empty(0)
    loss, record = later_loss(recipe.objective), dict[str, dict[str, list[float]]]()
    booster = lgb.train(
        how,
        data,
        num_boost_round=n_trees,
        valid_sets=[later],
        valid_names=["later"],
        feval=lambda predicted, data: ("loss", loss(predicted, data.get_label(), _weight_of(data)), False),
        callbacks=[lgb.record_evaluation(record), lgb.early_stopping(_PATIENCE, verbose=False)],
    )
    return booster, np.array(record["later"]["loss"])


def later_loss(objective: Objective) -> Callable[[Vector, Vector, Vector | None], float]:
    """Loss on later rows after the best constant shift: a season that moves everyone says nothing about the trees."""

    def variance(predicted: Vector, y: Vector, weight: Vector | None) -> float:
        off = y - predicted
        return mean((off - mean(off, weight)) ** 2, weight)

    def shifted_log_loss(predicted: Vector, y: Vector, weight: Vector | None) -> float:
        p = np.clip(predicted, 1e-12, 1 - 1e-12)
        z, shift = np.log(p / (1 - p)), 0.0
        for _ in range(3):  # Newton; the loss is flat at its end, so three steps do
            p = sigmoid(z + shift)
            gap, curve = mean(y, weight) - mean(p, weight), mean(p * (1 - p), weight)
            shift += float(np.clip(gap / max(curve, 1e-6), -2, 2))
        return mean_log_loss(z + shift, y, weight)

    return shifted_log_loss if objective == "binary" else variance


def _weight_of(data: lgb.Dataset) -> Vector | None:
    weight = data.get_weight()
    return None if weight is None else np.asarray(weight, dtype=np.float64)  # LightGBM keeps single precision


def _fill(X: Matrix, categorical: Sequence[int]) -> Vector:
    """The median of columns without a missing value; NaN elsewhere and for categories."""
    fill = np.median(X, axis=0) if len(X) else np.full(X.shape[1], np.nan)  # the median of a column with NaN is NaN
    fill[list(categorical)] = np.nan
    return np.asarray(fill)
