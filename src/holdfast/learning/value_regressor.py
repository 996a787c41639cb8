"""The value regressor: two parts, a spread learnt out of sample, and a total that is brought to the truth's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from holdfast.learning.boosting import Learnt, Recipe, fit_rounds
from holdfast.learning.folds import Fold, Rows, forward_folds, random_folds
from holdfast.learning.inputs import (
    counting_rows,
    instants,
    learning_rows,
    more_rows,
    on_one_blas_thread,
    scoring_rows,
    weights,
    without_columns,
)
from holdfast.learning.recipe_search import Best, Ground
from holdfast.learning.ridge import Objective
from holdfast.learning.tuning import choose_recipe
from holdfast.learning.tuning_settings import Tuning
from holdfast.learning.value_blend import Trial, blend_by_record, blended
from holdfast.learning.value_history import PastValues, level_of_totals, past_values
from holdfast.learning.value_parts import Part, Values, by_parts, constant_score, levels_of, refunds_of, spread_of
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.checks import Matrix, Vector
from holdfast.models.past_value import PastValue
from holdfast.models.quantiles import of_rows, quantiles
from holdfast.models.residual_quantiles import KNOTS
from holdfast.models.value import Blend, ValueModel
from holdfast.timeline import Instants

_FOLDS = 3
_FEWEST_AMOUNTS = 20
_SCALE_LIMITS = (0.5, 2.0)


class ValueRegressor(RegressorMixin, BaseEstimator):
    """Future value with a predictive distribution: P(any) times amount given any.

    With ``cutoff`` in :meth:`fit`, both parts have levels by the time of the year, as in :class:`AtRiskClassifier`, and
    up to three later, purged cutoffs decide ridge, numbers of trees and spread; without it, three random fifths do.
    Where there are cutoffs but none can judge, because too few bought, the fifths decide and there are no trees.
    Amounts are learnt on the logarithmic scale. Where one lies outside the inner 99 % of what customers like its own
    spend, it is drawn in to the end of that range, so that one huge order does not decide; totals count it so too,
    and are low by what such orders bring.

    With ``history_columns`` and ``spend_column``, a customer-base model, fitted at each cutoff on what was known there,
    adds two columns to both parts, and its expectation to theirs, by its record
    (:mod:`holdfast.learning.value_history`).

    Parameters
    ----------
    learning_rate, num_leaves, min_child_samples, n_estimators, feature_fraction, bagging_fraction, reg_lambda, \
linear_penalty, categorical_features, season_columns, purge_days, n_jobs, random_state, tuning :
        As in :class:`AtRiskClassifier`; each of the two parts is tuned in half of the minutes.
    history_columns : sequence of int
        Columns of orders so far, days since the last and days since the first order, for the customer base.
    spend_column : int or None
        Column of the spend so far, in currency, for the customer base.
    accumulating_columns : sequence of int
        Columns that ridge and trees leave alone, because they grow with the history that the data has.
    bought_within_days : float or None
        The rows are customers who bought so lately; None if they were not chosen by it. For the customer base alone.
    horizon_days : float
        Of the outcome, for the customer base alone.

    Attributes
    ----------
    model_ : ValueModel
        What the fitted regressor computes.
    n_trees_ : tuple of int
        Of the part P(any) and of the amount.
    scale_ : float
    tuning_record_ : dict or None
        For ``any_value`` and ``amount``, which parameters were chosen and why, or None where nothing could be searched;
        None without a search.
    """

    model_: ValueModel

    def __init__(
        self,
        learning_rate: float = 0.03,
        num_leaves: int | Sequence[int] = (15, 31),
        min_child_samples: int = 200,
        n_estimators: int = 800,
        *,
        feature_fraction: float = 0.3,
        bagging_fraction: float = 0.5,
        reg_lambda: float = 10.0,
        linear_penalty: float | Sequence[float] = (3.0, 100.0),
        categorical_features: Sequence[int] = (),
        season_columns: Sequence[int] = (),
        history_columns: Sequence[int] = (),
        spend_column: int | None = None,
        accumulating_columns: Sequence[int] = (),
        bought_within_days: float | None = None,
        horizon_days: float = 90,
        purge_days: float = 0,
        n_jobs: int = 2,
        random_state: int = 0,
        tuning: Tuning | None = None,
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
        self.history_columns = history_columns
        self.spend_column = spend_column
        self.accumulating_columns = accumulating_columns
        self.bought_within_days = bought_within_days
        self.horizon_days = horizon_days
        self.purge_days = purge_days
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.tuning = tuning

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.regressor_tags.poor_score = True  # values below 0 are refunds, not a target to regress on
        return tags

    @on_one_blas_thread
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        cutoff: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        recent: ArrayLike | None = None,
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
        recent : array of shape (n_customers, n_features), optional
            Customers as they are now, before anybody knows their outcome. The customer base is learnt from them, so it
            is not an outcome window old when it scores.

        Raises
        ------
        InputError
            No rows, an infinite cell, or history columns that the matrix does not have.
        """
        X, y = learning_rows(self, X, y, numbers=True)
        X, y, weight, at = counting_rows(X, y, weights(sample_weight, X), instants(cutoff, len(y)))
        past = self._history(X, at, weight, recent)
        blank = without_columns(X, self.accumulating_columns)
        data = Values(blank if past is None else np.column_stack([blank, past.columns]), y, at, weight)
        folds = self._folds(data.some, at)
        any_value, amount = self._fit_any(data, folds), self._fit_amount(data, folds)
        self.n_trees_ = (any_value.n_trees, amount.n_trees)
        records = {"any_value": any_value.record, "amount": amount.record}
        self.tuning_record_ = None if self.tuning is None else records
        ahead = (X, at, self.purge_days, self.season_columns)
        model = ValueModel(
            any_value=any_value.learnt.score,
            amount=amount.learnt.score,
            any_level=any_value.learnt.year_ahead(*ahead),
            amount_level=amount.learnt.year_ahead(*ahead),
            spread=spread_of(data, folds, amount),
            scale=1.0,
            refunds=refunds_of(y, weight),
            blend=Blend(),
        )
        everyone = np.arange(len(y))
        own = by_parts(model, data, everyone, any_value.learnt, amount.learnt)
        drawn_in, counted = own.drawn_in(y), np.ones(len(y)) if weight is None else weight
        truth, total = float(counted @ drawn_in), float(counted @ own.mean())
        self.scale_ = float(np.clip(truth / total, *_SCALE_LIMITS)) if truth > 0 and total > 0 else 1.0
        model = replace(model, scale=self.scale_)
        trials = []
        for fold, its_any, its_amount in zip(folds, any_value.tried, amount.tried, strict=True):
            rows = fold.test
            parts = by_parts(model, data, rows, its_any, its_amount).mean()
            other = None if past is None else past.expected[rows]
            trials.append(Trial.of(drawn_in[rows], parts, other, of_rows(weight, rows)))
        share, slope = blend_by_record([trial for trial in trials if trial is not None])
        if past is not None:
            level = level_of_totals(
                drawn_in,
                past.expected,
                at,
                weight,
                X=X,
                purge_days=self.purge_days,
                season_columns=self.season_columns,
            )
            model = replace(model, past=PastValue(past.latest, level))
        now = more_rows(self, recent) if recent is not None else X if at is None else X[at == at.max()]
        self.model_ = blended(model, share if past is not None else 0.0, slope, now)
        return self

    def _history(
        self, X: Matrix, cutoff: Instants | None, weight: Vector | None, recent: ArrayLike | None
    ) -> PastValues | None:
        """What the customer base says of each row; None where nobody said which columns tell the history."""
        if not self.history_columns or self.spend_column is None:
            return None
        return past_values(
            HistoryColumns(*self.history_columns),
            self.spend_column,
            X,
            cutoff,
            weight,
            horizon_days=self.horizon_days,
            bought_within_days=self.bought_within_days,
            recent=None if recent is None else more_rows(self, recent),
        )

    def _folds(self, some: Vector, cutoff: Instants | None) -> list[Fold]:
        def usable(train: Rows, test: Rows) -> bool:
            return bool(min(some[train].sum(), some[test].sum()) >= _FEWEST_AMOUNTS)

        folds = [] if cutoff is None else forward_folds(cutoff, self.purge_days, count=_FOLDS, usable=usable)
        if not folds:
            folds = random_folds(some.astype(np.int64), count=_FOLDS, share=0.2, seed=self.random_state)
        return [fold for fold in folds if usable(fold.train, fold.test)]

    def _recipes(self, objective: Objective, cutoff: Instants | None, folds: Sequence[Fold]) -> list[Recipe]:
        """What may be learnt; of several cutoffs, rows at random share customers and outcomes, and judge no trees."""
        found = Recipe.of(objective, self.get_params())
        several = cutoff is not None and cutoff.min() < cutoff.max()
        judged = not several or all(fold.ahead for fold in folds)
        return found if judged else [replace(recipe, n_estimators=0) for recipe in found]

    def _fit_any(self, data: Values, folds: Sequence[Fold]) -> Part:
        """The part P(any); constant with one class."""
        some = data.some
        both = [0 < some[fold.train].sum() < len(fold.train) for fold in folds]
        counted = np.ones(len(some)) if data.weight is None else data.weight

        def constant(rows: Rows) -> Learnt:
            share = (counted[rows] @ some[rows] + 0.5) / (counted[rows].sum() + 1)
            return constant_score(data.X.shape[1], float(np.log(share / (1 - share))))

        if not 0 < some.sum() < len(some) or (folds and not any(both)):
            always = constant(np.arange(len(some)))
            return Part(0, [always] * len(folds), always)
        recipes = self._recipes("binary", data.cutoff, folds)
        telling = [fold for fold, tells in zip(folds, both, strict=True) if tells]
        best, record = self._chosen(recipes, Ground(data.X, some, data.weight, data.cutoff), telling, "any value")
        found = iter(best.models)
        tried = [next(found) if tells else constant(fold.train) for fold, tells in zip(folds, both, strict=True)]
        trees = best.n_trees
        rounds = fit_rounds(best.recipe, data.X, some, n_trees=trees, weight=data.weight, cutoff=data.cutoff)
        return Part(trees, tried, rounds.upto(trees), record)

    def _fit_amount(self, data: Values, folds: Sequence[Fold]) -> Part:
        """The part log(amount) given any; constant with too few amounts."""
        bought, logs = data.bought, np.zeros(len(data.y))
        logs[bought] = np.log(data.y[bought])
        if len(bought) < 2:
            constant = constant_score(data.X.shape[1], float(logs[bought].sum()))
            return Part(0, [constant] * len(folds), constant)
        recipes = self._recipes("regression", data.cutoff, folds)
        X, at, weight = (
            data.X[bought],
            None if data.cutoff is None else data.cutoff[bought],
            of_rows(data.weight, bought),
        )
        smooth = fit_rounds(recipes[0], X, logs[bought], n_trees=0, weight=weight, cutoff=at).upto(0)
        expected = smooth.score.score(X) + (0.0 if at is None else levels_of(smooth, at))
        off = logs[bought] - expected
        logs[bought] = expected + np.clip(off, *quantiles(off, [KNOTS[0], KNOTS[-1]], weight))
        best, record = self._chosen(recipes, Ground(data.X, logs, data.weight, data.cutoff, bought), folds, "amount")
        rounds = fit_rounds(best.recipe, X, logs[bought], n_trees=best.n_trees, weight=weight, cutoff=at)
        return Part(best.n_trees, best.models, rounds.upto(best.n_trees), record)

    def _chosen(
        self, recipes: Sequence[Recipe], ground: Ground, folds: Sequence[Fold], what: str
    ) -> tuple[Best, dict[str, Any] | None]:
        half = None if self.tuning is None else self.tuning.part(1 / 2)
        return choose_recipe(recipes, ground, folds, half, what=what)

    def predict(self, X: ArrayLike) -> Vector:
        """Expected value, shape (n_rows,), in currency."""
        X = scoring_rows(self, X)
        return self.model_.mean(X)

    def predict_interval(self, X: ArrayLike, coverage: float = 0.9) -> tuple[Vector, Vector]:
        """Interval that holds the value with the given probability; below 0 only where the past had refunds.

        It is central where nothing is unlikely; else it begins at 0, as :meth:`Distribution.interval` says.
        """
        X = scoring_rows(self, X)
        return self.model_.interval(X, coverage)

    def predict_quantile(self, X: ArrayLike, q: float) -> Vector:
        """The value that is not exceeded with probability ``q``, shape (n_rows,)."""
        X = scoring_rows(self, X)
        return self.model_.distribution(X).quantile(np.full(len(X), q))

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
