"""The value regressor: two parts, a spread learnt out of sample, and a total that is brought to the truth's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from holdfast.models.additive import Additive, Linear
from holdfast.models.boosting import Learnt, Recipe, best_recipe, fit_rounds
from holdfast.models.checks import Matrix, Vector
from holdfast.models.folds import Fold, Rows, forward_folds, random_folds
from holdfast.models.inputs import instants, learning_rows, on_one_blas_thread, scoring_rows, weights
from holdfast.models.level import Level
from holdfast.models.quantiles import mean, of_rows, quantiles
from holdfast.models.spread import KNOTS, Spread
from holdfast.models.value import ValueModel
from holdfast.timeline import Instants

_FOLDS = 3
_FEWEST_AMOUNTS = 20
_SCALE_LIMITS = (0.5, 2.0)


class ValueRegressor(RegressorMixin, BaseEstimator):
    """Future value with a predictive distribution: P(any) times amount given any.

    With ``cutoff`` in :meth:`fit`, both parts have levels by the time of the year, as in :class:`AtRiskClassifier`, and
    up to three later, purged cutoffs decide ridge, numbers of trees and spread; without it, three random fifths do.
    Amounts are learnt on the logarithmic scale, with the outermost .5 % drawn in, so that one huge order does not
    decide.

    Parameters
    ----------
    learning_rate, num_leaves, min_child_samples, n_estimators, feature_fraction, bagging_fraction, reg_lambda, \
linear_penalty, categorical_features, season_columns, purge_days, n_jobs, random_state :
        As in :class:`AtRiskClassifier`.

    Attributes
    ----------
    model_ : ValueModel
        What the fitted regressor computes.
    n_trees_ : tuple of int
        Of the part P(any) and of the amount.
    scale_ : float
    """

    model_: ValueModel

    def __init__(
        self,
        learning_rate: float = 0.03,
        num_leaves: int = 15,
        min_child_samples: int = 200,
        n_estimators: int = 300,
        *,
        feature_fraction: float = 0.3,
        bagging_fraction: float = 0.5,
        reg_lambda: float = 10.0,
        linear_penalty: float | Sequence[float] = (3.0, 100.0),
        categorical_features: Sequence[int] = (),
        season_columns: Sequence[int] = (),
        purge_days: float = 0,
        n_jobs: int = 2,
        random_state: int = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_child_samples = min_child_samples
        self.n_estimators = n_estimators
        self.feature_fraction = feature_fraction
        self.bagging_fraction = bagging_fraction
        self.reg_lambda = reg_lambda
        self.linear_penalty = linear_penalty
        self.categorical_features = categorical_features
        self.season_columns = season_columns
        self.purge_days = purge_days
        self.n_jobs = n_jobs
        self.random_state = random_state

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.regressor_tags.poor_score = True  # values below 0 are refunds, not a target to regress on
        return tags

    @on_one_blas_thread
    def fit(
        self, X: ArrayLike, y: ArrayLike, *, cutoff: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from snapshots.

        Parameters
        ----------
        X : array of shape (n_rows, n_features)
            NaN means missing.
        y : array of shape (n_rows,)
            Value in the outcome window, in currency; negative where refunds outweigh purchases.
        cutoff : array of int64, shape (n_rows,), optional
            The instant of each snapshot, microseconds UTC.
        sample_weight : array of shape (n_rows,), optional
            As in :class:`AtRiskClassifier`; every part learns with it, and the total that is met is the weighted one.

        Raises
        ------
        InputError
            No rows, or an infinite cell.
        """
        X, y = learning_rows(self, X, y, numbers=True)
        at, weight = instants(cutoff, len(y)), weights(sample_weight, X)
        if weight is not None and (weight == 0).any():
            there = weight > 0
            X, y, weight, at = X[there], y[there], weight[there], None if at is None else at[there]
        some = (y > 0).astype(np.float64)
        bought = np.flatnonzero(y > 0)
        logs = np.zeros(len(y))
        if len(bought):
            raw = np.log(y[bought])
            logs[bought] = np.clip(raw, *quantiles(raw, [0.005, 0.995], of_rows(weight, bought)))
        folds = self._folds(some, at)

        n_any, any_value = self._fit_any(X, some, folds, at, weight)
        n_amount, amount_models, amount = self._fit_amount(X, logs, bought, folds, at, weight)
        self.n_trees_ = (n_any, n_amount)

        refunds, refund_weight = y[y < 0], of_rows(weight, y < 0)
        counted = np.ones(len(y)) if weight is None else weight
        nothing = float(counted[y <= 0].sum())
        model = ValueModel(
            any_value=any_value.score,
            amount=amount.score,
            any_level=Level.constant(),
            amount_level=Level.constant(),
            spread=_spread(X, y, folds, amount_models, amount, bought, weight),
            scale=1.0,
            refund_share=float(counted[y < 0].sum()) / nothing if nothing else 0.0,
            refunds=quantiles(refunds, KNOTS, refund_weight) if len(refunds) else np.zeros(len(KNOTS)),
        )
        self.scale_ = float(np.clip(_total_ratio(model, X, y, at, any_value, amount, weight), *_SCALE_LIMITS))
        ahead = (X, at, self.purge_days, self.season_columns)
        self.model_ = replace(
            model, scale=self.scale_, any_level=any_value.year_ahead(*ahead), amount_level=amount.year_ahead(*ahead)
        )
        return self

    def _folds(self, some: Vector, cutoff: Instants | None) -> list[Fold]:
        def usable(train: Rows, test: Rows) -> bool:
            return bool(min(some[train].sum(), some[test].sum()) >= _FEWEST_AMOUNTS)

        folds = [] if cutoff is None else forward_folds(cutoff, self.purge_days, count=_FOLDS, usable=usable)
        if not folds:
            folds = random_folds(some.astype(np.int64), count=_FOLDS, share=0.2, seed=self.random_state)
        return [fold for fold in folds if usable(fold.train, fold.test)]

    def _fit_any(
        self, X: Matrix, some: Vector, folds: Sequence[Fold], cutoff: Instants | None, weight: Vector | None
    ) -> tuple[int, Learnt]:
        """The part P(any) and its number of trees; constant with one class."""
        both = all(0 < some[fold.train].sum() < len(fold.train) for fold in folds)
        counted = np.ones(len(some)) if weight is None else weight
        share = (counted @ some + 0.5) / (counted.sum() + 1)
        if not both or not 0 < some.sum() < len(some):
            return 0, _constant(X.shape[1], float(np.log(share / (1 - share))))
        recipes = Recipe.of("binary", self.get_params())
        recipe, n_trees, _ = best_recipe(recipes, X, some, folds, weight=weight, cutoff=cutoff)
        rounds = fit_rounds(recipe, X, some, n_trees=max(n_trees, 1), weight=weight, cutoff=cutoff)
        return n_trees, rounds.upto(n_trees)

    def _fit_amount(
        self,
        X: Matrix,
        logs: Vector,
        bought: Rows,
        folds: Sequence[Fold],
        cutoff: Instants | None,
        weight: Vector | None,
    ) -> tuple[int, list[Learnt], Learnt]:
        """The part log(amount) given any; constant with too few amounts."""
        if len(bought) < 2:
            constant = _constant(X.shape[1], float(logs[bought].sum()))
            return 0, [constant] * len(folds), constant
        recipes = Recipe.of("regression", self.get_params())
        recipe, n_trees, models = best_recipe(recipes, X, logs, folds, weight=weight, cutoff=cutoff, only=bought)
        at, its_weight = None if cutoff is None else cutoff[bought], of_rows(weight, bought)
        rounds = fit_rounds(recipe, X[bought], logs[bought], n_trees=max(n_trees, 1), weight=its_weight, cutoff=at)
        return n_trees, models, rounds.upto(n_trees)

    def predict(self, X: ArrayLike) -> Vector:
        """Expected value, shape (n_rows,), in currency."""
        X = scoring_rows(self, X)
        return self.model_.mean(X)

    def predict_interval(self, X: ArrayLike, coverage: float = 0.9) -> tuple[Vector, Vector]:
        """Central interval of the given coverage; it holds the mean, and is below 0 only where the past had refunds."""
        X = scoring_rows(self, X)
        return self.model_.interval(X, coverage)

    def probability_above(self, X: ArrayLike, amount: ArrayLike) -> Vector:
        """P(value > amount), shape (n_rows,); the amount is one number or one per row."""
        X = scoring_rows(self, X)
        return self.model_.probability_above(X, amount)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What the fitted model computes, as JSON and as texts of trees by file name."""
        check_is_fitted(self)
        return self.model_.to_parts()

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> Self:
        """A fitted estimator with default parameters that answers as the stored one."""
        found = cls()
        found.model_ = ValueModel.from_parts(about, texts)
        found.n_features_in_ = found.model_.n_features
        return found


def _constant(n_features: int, value: float) -> Learnt:
    return Learnt(Additive(n_features, Linear.constant(value), trees=None), levels=None)


def _spread(
    X: Matrix,
    y: Vector,
    folds: Sequence[Fold],
    models: Sequence[Learnt],
    amount: Learnt,
    bought: Rows,
    weight: Vector | None,
) -> Spread:
    """Residuals of amounts that the fold's model had not seen; in sample where there are no folds.

    Each fold's residuals are centred: a season that raises everyone's amounts is a level, not a spread.
    """
    tries = [(model, fold.test[y[fold.test] > 0]) for fold, model in zip(folds, models, strict=True)]
    tries = tries or [(amount, bought)]
    predicted, residual = [], []
    for model, rows in tries:
        level = model.score.score(X[rows])
        off = np.log(y[rows]) - level
        shift = mean(off, of_rows(weight, rows))
        predicted.append(level + shift)
        residual.append(off - shift)
    rows_tried = np.concatenate([rows for _, rows in tries])
    return Spread.of(np.concatenate(predicted), np.concatenate(residual), of_rows(weight, rows_tried))


def _total_ratio(
    model: ValueModel,
    X: Matrix,
    y: Vector,
    cutoff: Instants | None,
    any_value: Learnt,
    amount: Learnt,
    weight: Vector | None,
) -> float:
    """The observed over the predicted total, each value drawn into its own predictive interval.

    So a customer's order of a size that its past makes all but impossible counts as the largest plausible one. Each
    cutoff is predicted at its own level.
    """
    total = truth = 0.0
    for rows in [np.arange(len(y))] if cutoff is None else [np.flatnonzero(cutoff == at) for at in np.unique(cutoff)]:
        here = replace(model, any_level=any_value.level_of(cutoff, rows), amount_level=amount.level_of(cutoff, rows))
        low, high = here.interval(X[rows], 2 * KNOTS[-1] - 1)
        counted = np.ones(len(rows)) if weight is None else weight[rows]
        total += float((counted * here.mean(X[rows])).sum())
        truth += float((counted * np.clip(y[rows], low, high)).sum())
    return truth / total if truth > 0 and total > 0 else 1.0
