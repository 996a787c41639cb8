"""The value regressor: two parts, a spread learnt out of sample, and a total that is brought to the truth's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin

from holdfast.learning.binned_matrix import BinnedMatrix
from holdfast.learning.boosted_estimator import BoostedEstimator
from holdfast.learning.boosting import FittedScore, Recipe
from holdfast.learning.folds import Fold, Rows, forward_folds, random_folds
from holdfast.learning.inputs import counting_rows, instants, on_one_blas_thread, weights, without_columns
from holdfast.learning.recipe_search import ChosenRecipe, SearchData
from holdfast.learning.ridge import Objective
from holdfast.learning.snapshot_estimator import Columns, importances
from holdfast.learning.tuning import choose_recipe
from holdfast.learning.value_blend import BlendTrial, blend_by_record, blended
from holdfast.learning.value_history import level_of_totals, past_values
from holdfast.models.calibration import sigmoid
from holdfast.models.checks import Matrix, Vector
from holdfast.models.past_value import PastValue
from holdfast.models.quantiles import mean, of_rows, quantiles
from holdfast.models.residual_quantiles import KNOTS, ResidualQuantiles
from holdfast.models.value import Blend, Distribution, Refunds, ValueModel
from holdfast.timeline import Instants

_FEWEST_AMOUNTS = 20
_SCALE_LIMITS = (0.5, 2.0)


@dataclass(frozen=True)
class ValueRows:
    """What the parts learn from; the matrix as they read it, with the columns of the customer base."""

    matrix: BinnedMatrix
    y: Vector
    cutoff: Instants | None
    weight: Vector | None

    @cached_property
    def some(self) -> Vector:
        """1 where anything was bought, else 0."""
        return (self.y > 0).astype(np.float64)

    @cached_property
    def bought(self) -> Rows:
        """The rows where anything was."""
        return np.flatnonzero(self.y > 0)

    def distribution(self, model: ValueModel, rows: Rows, any_value: FittedScore, amount: FittedScore) -> Distribution:
        """The distribution of rows at the levels of their own cutoffs, by some models of the two parts."""
        at = None if self.cutoff is None else self.cutoff[rows]
        return model.two_parts(*(part.at_levels(self._scores(part, rows), at) for part in (any_value, amount)))

    def _scores(self, part: FittedScore, rows: Rows) -> Vector:
        """Of all rows they may be known since they were learnt from."""
        if part.fitted is not None and len(rows) == len(self.y) == len(part.fitted):
            return part.fitted
        return part.score.score(self.matrix.X[rows])


@dataclass(frozen=True)
class FittedPart:
    """One of the two parts: trees, the models of the folds and the one of all rows."""

    n_trees: int
    tried: Sequence[FittedScore]
    learnt: FittedScore
    record: dict[str, Any] | None = None
    recipe: Recipe | None = None


@dataclass(eq=False, repr=False, kw_only=True)
class ValueRegressor(RegressorMixin, BoostedEstimator):
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
linear_penalty, categorical_features, season_columns, history_columns, accumulating_columns, bought_within_days, \
horizon_days, purge_days, n_folds, n_jobs, random_state, tuning :
        As in :class:`~holdfast.learning.boosted_estimator.BoostedEstimator`; each of the two parts is tuned in half of
        the minutes.
    spend_column : column
        The spend so far, in currency, for the customer base.
    amount_parameters : dict, optional
        Parameters of the amount that are not those of the part P(any), by name, such as ``num_leaves``.

    Attributes
    ----------
    model_ : ValueModel
        What the fitted regressor computes.
    feature_importances_ : array of shape (n_features_in_,)
        Mean size of what each column contributes to the logarithm of the two parts' expected value, to first order,
        over at most 1,000 of the training rows; they add up to 1. What the customer base adds to the parts counts in
        equal shares for the columns that it reads.
    n_trees_ : tuple of int
        Of the part P(any) and of the amount.
    scale_ : float
    recipes_ : dict
        For ``any_value`` and ``amount``, the ``num_leaves`` and ``linear_penalty`` that were chosen; without those that
        had nothing to be learnt from.
    tuning_record_ : dict or None
        For ``any_value`` and ``amount``, which parameters were chosen and why, or None where nothing could be searched;
        None without a search.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> draw = np.random.default_rng(0)
    >>> customers = pd.DataFrame(
    ...     {"spend_365d": draw.lognormal(4, 1, 600), "channel": draw.choice(["shop", "web"], 600)}
    ... )
    >>> future_value = customers["spend_365d"] / 4 * draw.lognormal(0, 0.3, 600) * (draw.random(600) < 0.7)
    >>> model = ValueRegressor().fit(customers, future_value)
    >>> few = customers.head(3)
    >>> low, high = model.predict_interval(few, coverage=0.8)
    >>> bool(((low <= model.predict(few)) & (model.predict(few) <= high)).all())
    True
    """

    spend_column: Columns = None
    amount_parameters: Mapping[str, Any] | None = None
    n_folds: int = 3

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
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
        X : DataFrame or array of shape (n_rows, n_features)
            NaN means missing.
        y : array of shape (n_rows,)
            Value in the outcome window, in currency; negative where refunds outweigh purchases.
        cutoff : array of datetimes or int64, shape (n_rows,), optional
            The instant of each snapshot; in UTC where it has no zone. Integers are microseconds since 1970.
        sample_weight : array of shape (n_rows,), optional
            As in :class:`AtRiskClassifier`; every part learns with it, and the total that is met is the weighted one.
        recent : array of shape (n_customers, n_features), optional
            Customers as they are now, before anybody knows their outcome. The customer base is learnt from them, so it
            is not an outcome window old when it scores.

        Raises
        ------
        InputError
            No rows, an infinite cell, columns that X does not have, or a cutoff that is no instant.
        """
        X, y = self._learning_rows(X, y, numbers=True, categorical_features=self.categorical_features)
        season = self._places("season_columns", self.season_columns, count=2)
        base = self._customer_base("mbg_nbd")
        spend = self._places("spend_column", self.spend_column, count=1)
        X, y, weight, at = counting_rows(X, y, weights(sample_weight, X), instants(cutoff, len(y)))
        latest = None if recent is None else self._more_rows(recent)
        past = past_values(base, spend[0], X, at, weight, latest) if base and spend else None
        blank = without_columns(X, self._places("accumulating_columns", self.accumulating_columns))
        read = blank if past is None else np.column_stack([blank, past.columns])
        matrix = BinnedMatrix.of(read, at, self._categorical, n_jobs=self.n_jobs, seed=self.random_state)
        data = ValueRows(matrix, y, at, weight)
        folds = self._folds(data.some, at)
        any_value, amount = self._fit_any(data, folds), self._fit_amount(data, folds)
        self.n_trees_ = (any_value.n_trees, amount.n_trees)
        records = {"any_value": any_value.record, "amount": amount.record}
        named = {"any_value": any_value.recipe, "amount": amount.recipe}
        self.recipes_ = {name: recipe.chosen for name, recipe in named.items() if recipe is not None}
        self.tuning_record_ = None if self.tuning is None else records
        ahead = (X, at, self.purge_days, season)
        model = ValueModel(
            any_value=any_value.learnt.score,
            amount=amount.learnt.score,
            any_level=any_value.learnt.year_ahead(*ahead),
            amount_level=amount.learnt.year_ahead(*ahead),
            spread=_spread(data, folds, amount),
            scale=1.0,
            refunds=Refunds.of(y, weight),
            blend=Blend(),
        )
        everyone = np.arange(len(y))
        own = data.distribution(model, everyone, any_value.learnt, amount.learnt)
        winsorised, counted = own.winsorised(y), np.ones(len(y)) if weight is None else weight
        truth, total = float(counted @ winsorised), float(counted @ own.mean())
        self.scale_ = float(np.clip(truth / total, *_SCALE_LIMITS)) if truth > 0 and total > 0 else 1.0
        model = replace(model, scale=self.scale_)
        trials = []
        for fold, its_any, its_amount in zip(folds, any_value.tried, amount.tried, strict=True):
            rows = fold.test
            parts = data.distribution(model, rows, its_any, its_amount).mean()
            other = None if past is None else past.expected[rows]
            trials.append(BlendTrial.of(winsorised[rows], parts, other, of_rows(weight, rows)))
        share, slope = blend_by_record([trial for trial in trials if trial is not None])
        if past is not None:
            how: dict[str, Any] = {"X": X, "purge_days": self.purge_days, "season_columns": season}
            level = level_of_totals(winsorised, past.expected, at, weight, **how)
            model = replace(model, past=PastValue(past.latest, level))
        now = latest if latest is not None else X if at is None else X[at == at.max()]
        self.model_: ValueModel = blended(model, share if past is not None else 0.0, slope, now)
        self._history = (*base.columns.places, *spend) if base else ()
        self._weigh(matrix.X, weight)
        return self

    def _importances(self, rows: Matrix, weight: Vector | None) -> Vector:
        """By the gradient of ``log(p) + amount``: that of ``log(p)`` in the log-odds is ``1 - p``."""
        odds, amount = (part.contributions(rows) for part in (self.model_.any_value, self.model_.amount))
        parts = (1 - sigmoid(odds.sum(axis=1)))[:, None] * odds + amount
        own = importances(parts[:, :-1], weight)
        found, of_base = own[: self.n_features_in_].copy(), own[self.n_features_in_ :].sum()
        if self._history:
            found[list(self._history)] += of_base / len(self._history)
        return found

    def _folds(self, some: Vector, cutoff: Instants | None) -> list[Fold]:
        def usable(train: Rows, test: Rows) -> bool:
            return bool(min(some[train].sum(), some[test].sum()) >= _FEWEST_AMOUNTS)

        folds = [] if cutoff is None else forward_folds(cutoff, self.purge_days, count=self.n_folds, usable=usable)
        if not folds:
            folds = random_folds(some.astype(np.int64), count=self.n_folds, share=0.2, seed=self.random_state)
        return [fold for fold in folds if usable(fold.train, fold.test)]

    def _recipes(self, objective: Objective, cutoff: Instants | None, folds: Sequence[Fold]) -> list[Recipe]:
        """What may be learnt; of several cutoffs, rows at random share customers and outcomes, and judge no trees."""
        own = (self.amount_parameters or {}) if objective == "regression" else {}
        found = Recipe.of(objective, self.get_params() | {"categorical_features": self._categorical} | dict(own))
        several = cutoff is not None and cutoff.min() < cutoff.max()
        judged = not several or all(fold.ahead for fold in folds)
        return found if judged else [replace(recipe, n_estimators=0) for recipe in found]

    def _fit_any(self, data: ValueRows, folds: Sequence[Fold]) -> FittedPart:
        """The part P(any); constant with one class."""
        some = data.some
        both = [0 < some[fold.train].sum() < len(fold.train) for fold in folds]
        counted = np.ones(len(some)) if data.weight is None else data.weight

        def constant(rows: Rows) -> FittedScore:
            share = (counted[rows] @ some[rows] + 0.5) / (counted[rows].sum() + 1)
            return FittedScore.constant(data.matrix.X.shape[1], float(np.log(share / (1 - share))))

        if not 0 < some.sum() < len(some) or (folds and not any(both)):
            always = constant(np.arange(len(some)))
            return FittedPart(0, [always] * len(folds), always)
        recipes = self._recipes("binary", data.cutoff, folds)
        telling = [fold for fold, tells in zip(folds, both, strict=True) if tells]
        search = SearchData(data.matrix, some, data.weight, data.cutoff)
        best, record = self._chosen(recipes, search, telling, "any value")
        found = iter(best.models)
        tried = [next(found) if tells else constant(fold.train) for fold, tells in zip(folds, both, strict=True)]
        return FittedPart(best.n_trees, tried, search.whole(best.recipe, best.n_trees), record, best.recipe)

    def _fit_amount(self, data: ValueRows, folds: Sequence[Fold]) -> FittedPart:
        """The part log(amount) given any; constant with too few amounts."""
        bought, logs = data.bought, np.zeros(len(data.y))
        logs[bought] = np.log(data.y[bought])
        if len(bought) < 2:
            constant = FittedScore.constant(data.matrix.X.shape[1], float(logs[bought].sum()))
            return FittedPart(0, [constant] * len(folds), constant)
        recipes = self._recipes("regression", data.cutoff, folds)
        search = SearchData(data.matrix, logs, data.weight, data.cutoff, bought)
        at = None if data.cutoff is None else data.cutoff[bought]
        expected = search.whole(recipes[0], 0).at_own_cutoff(data.matrix.X[bought], at)
        off = logs[bought] - expected
        logs[bought] = expected + np.clip(off, *quantiles(off, [KNOTS[0], KNOTS[-1]], of_rows(data.weight, bought)))
        best, record = self._chosen(recipes, search, folds, "amount")
        return FittedPart(best.n_trees, best.models, search.whole(best.recipe, best.n_trees), record, best.recipe)

    def _chosen(
        self, recipes: Sequence[Recipe], data: SearchData, folds: Sequence[Fold], what: str
    ) -> tuple[ChosenRecipe, dict[str, Any] | None]:
        half = None if self.tuning is None else self.tuning.part(1 / 2)
        return choose_recipe(recipes, data, folds, half, what=what)

    def predict(self, X: ArrayLike) -> Vector:
        """Expected value, shape (n_rows,), in currency."""
        X = self._scoring_rows(X)
        return self.model_.mean(X)

    def predict_interval(self, X: ArrayLike, coverage: float = 0.9) -> tuple[Vector, Vector]:
        """Interval that holds the value with the given probability; below 0 only where the past had refunds.

        It is central where nothing is unlikely; else it begins at 0, as :meth:`Distribution.interval` says.
        """
        X = self._scoring_rows(X)
        return self.model_.interval(X, coverage)

    def predict_quantile(self, X: ArrayLike, q: float) -> Vector:
        """The value that is not exceeded with probability ``q``, shape (n_rows,)."""
        X = self._scoring_rows(X)
        return self.model_.distribution(X).quantile(np.full(len(X), q))

    def probability_above(self, X: ArrayLike, amount: ArrayLike) -> Vector:
        """P(value > amount), shape (n_rows,); the amount is one number or one per row."""
        X = self._scoring_rows(X)
        return self.model_.probability_above(X, amount)


def _spread(data: ValueRows, folds: Sequence[Fold], part: FittedPart) -> ResidualQuantiles:
    """Residuals of amounts that the fold's model had not seen; in sample where there are no folds.

    Each fold's residuals are centred: a season that raises everyone's amounts is a level, not a spread.
    """
    tries = [(model, fold.test[data.y[fold.test] > 0]) for fold, model in zip(folds, part.tried, strict=True)]
    tries = tries or [(part.learnt, data.bought)]
    predicted, residual = [], []
    for model, rows in tries:
        level = model.score.score(data.matrix.X[rows])
        off = np.log(data.y[rows]) - level
        shift = mean(off, of_rows(data.weight, rows))
        predicted.append(level + shift)
        residual.append(off - shift)
    rows_tried = np.concatenate([rows for _, rows in tries])
    return ResidualQuantiles.of(np.concatenate(predicted), np.concatenate(residual), of_rows(data.weight, rows_tried))
