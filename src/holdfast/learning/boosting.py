"""Fitting an additive score: a ridge on logarithms first, trees on what it leaves, as many as later cutoffs bear.

The ridge carries what is smooth, also beyond the largest customer seen, where trees cannot follow; so the trees need to
add bends and interactions only, and there are fewer of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
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
_PATIENCE, _PATIENCE_WITH_LARGE_STEPS, _LARGE = 30, 15, 0.1
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

    @property
    def patience(self) -> int:
        """Trees that may bring nothing on later rows before there are no more."""
        return _PATIENCE if self.learning_rate < _LARGE else _PATIENCE_WITH_LARGE_STEPS

    @property
    def chosen(self) -> dict[str, float]:
        """What there may have been a choice of."""
        return {name: getattr(self, name) for name in _SEVERAL}

    def coarser(self, learning_rate: float) -> Recipe:
        """The same with fewer and larger steps, unless its steps are as large."""
        if self.learning_rate >= learning_rate:
            return self
        steps = int(np.ceil(self.n_estimators * self.learning_rate / learning_rate))
        return replace(self, learning_rate=learning_rate, n_estimators=steps)

    def linear_columns(self, width: int) -> tuple[int, ...]:
        """Which columns of a matrix of so many the ridge reads: categories have no logarithm."""
        return tuple(sorted({*(range(width) if self.columns is None else self.columns)} - {*self.categorical_features}))

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
    """A score, and how far each cutoff that it learnt from lay from it; None where rows carry no cutoff.

    ``fitted`` is the score of the rows that it learnt from, where that is known.
    """

    score: Additive
    levels: CutoffIntercepts | None
    fitted: Vector | None = None

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
        return self.at_levels(self.score.score(X), cutoff)

    def at_levels(self, score: Vector, cutoff: Instants | None) -> Vector:
        """Scores with the levels of their cutoffs added."""
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
    """The linear part, what it says of the rows it learnt from, and how far their cutoffs lie from a score."""

    objective: Objective
    rows: LabelledRows
    linear: Linear
    smooth: Vector
    levels: Callable[[Vector], CutoffIntercepts] | None

    @cached_property
    def shift(self) -> Vector:
        """The level of each row's cutoff beside the linear part; trees begin from their sum."""
        if self.levels is None or self.rows.cutoff is None:
            return np.zeros(len(self.rows))
        return self.levels(self.smooth).rows(self.rows.cutoff)


@dataclass(frozen=True, eq=False)
class BoostingRounds:
    """A fitted model, with as many trees as it was told, or as later rows bear.

    Attributes
    ----------
    booster : Booster or None
        None without trees; it may hold some that are too many.
    n_trees : int
        How many count.
    losses : array of shape (n_trees_tried + 1,)
        On later rows, before and after each tree that was tried; empty where nobody judged.
    """

    ridge: RidgeFit
    booster: lgb.Booster | None
    n_trees: int
    losses: Vector

    def borne_by(self, rows: int) -> int:
        """How many trees another number of rows bears; what is known of few customers is known more finely of many."""
        return round(float(self.n_trees * (rows / len(self.ridge.rows)) ** _MORE_TREES))

    @cached_property
    def score(self) -> FittedScore:
        """What travels, and the levels of the cutoffs."""
        ridge, trees, fitted = self.ridge, None, self.ridge.smooth
        if self.booster is not None and self.n_trees:
            for _ in range(self.booster.current_iteration() - self.n_trees):
                self.booster.rollback_one_iter()
            trees = Trees(self.booster.model_to_string(), ridge.rows.matrix.fill)
            fitted = _said_while_learning(self.booster, ridge.objective) - ridge.shift
            self.booster.free_dataset()
        score = Additive(ridge.rows.matrix.X.shape[1], ridge.linear, trees)
        return FittedScore(score, None if ridge.levels is None else ridge.levels(fitted), fitted)


def fit_ridge(recipe: Recipe, rows: LabelledRows, described: Linear) -> RidgeFit:
    """The part of the score that is linear; of the recipe, leaves and trees have no say in it.

    ``described`` are the columns that the ridge reads (:meth:`Recipe.linear_columns`).
    """
    X, y, weight, cutoff = rows.features, rows.y, rows.weight, rows.cutoff
    linear, smooth = fit_linear(
        X,
        y,
        described,
        objective=recipe.objective,
        penalty=recipe.linear_penalty,
        weight=weight,
        groups=None if cutoff is None else np.unique(cutoff, return_inverse=True)[1],
        monotonic_cst=recipe.directions(X.shape[1]),
    )
    levels = None
    if cutoff is not None:
        levels = partial(CutoffIntercepts.of, y=y, cutoff=cutoff, objective=recipe.objective, weight=weight)
    return RidgeFit(recipe.objective, rows, linear, smooth, levels)


def fit_rounds(recipe: Recipe, ridge: RidgeFit, *, n_trees: int, later: LabelledRows | None = None) -> BoostingRounds:
    """Trees on what the ridge leaves.

    With ``later`` rows, it stops once as many trees as the recipe is patient bring nothing there, and keeps the least
    number of trees, perhaps none, whose loss there is within a hair of the best.
    """
    losses, judge = np.empty(0), None
    if later is not None:
        smooth = ridge.linear.score(later.features)
        told = sigmoid(smooth) if recipe.objective == "binary" else smooth
        losses = np.array([later_loss(recipe.objective)(told, later.y, later.weight)])
        judge = later.binned(smooth) if n_trees else None
    if not n_trees:
        return BoostingRounds(ridge, None, 0, losses)
    booster, more = _boosted(recipe, ridge, n_trees, judge)
    if judge is None:
        return BoostingRounds(ridge, booster, booster.current_iteration(), losses)
    losses = np.concatenate([losses, more])
    return BoostingRounds(ridge, booster, int(np.flatnonzero(losses <= losses.min() * (1 + _PARSIMONY))[0]), losses)


def _boosted(recipe: Recipe, ridge: RidgeFit, n_trees: int, later: lgb.Dataset | None) -> tuple[lgb.Booster, Vector]:
    """Trees on what a start leaves, and their loss on later rows after each."""
    how, data = recipe.parameters(*ridge.rows.features.shape), ridge.rows.binned(ridge.smooth + ridge.shift)
    if later is None:
        return lgb.train(how, data, num_boost_round=n_trees, keep_training_booster=True), np.empty(0)
    loss, record = later_loss(recipe.objective), dict[str, dict[str, list[float]]]()
    booster = lgb.train(
        how,
        data,
        num_boost_round=n_trees,
        valid_sets=[later],
        valid_names=["later"],
        feval=lambda predicted, data: ("loss", loss(predicted, data.get_label(), _weight_of(data)), False),
        keep_training_booster=True,
        callbacks=[lgb.record_evaluation(record), lgb.early_stopping(recipe.patience, verbose=False)],
    )
    return booster, np.array(record["later"]["loss"])


def _said_while_learning(booster: lgb.Booster, objective: Objective) -> Vector:
    """Start and trees of the rows learnt from, as the booster keeps them: to add up all trees again costs more."""
    said: list[Vector] = []

    def listen(predicted: Vector, _: lgb.Dataset) -> tuple[str, float, bool]:
        said.append(predicted.copy())
        return "said", 0.0, False

    booster.eval_train(listen)
    return np.asarray(np.log(said[0]) - np.log1p(-said[0]) if objective == "binary" else said[0])


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
