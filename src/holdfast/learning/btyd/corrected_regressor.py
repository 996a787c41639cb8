"""Expected spend by a model of the customer base that also learns from outcomes (:mod:`corrected_classifier`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin

from holdfast.learning.btyd.outcomes import (
    Outcome,
    base_of,
    counts,
    latest_rows,
    sight_of,
    together,
)
from holdfast.learning.folds import rows_by_cutoff
from holdfast.learning.inputs import instants, learning_rows, on_one_blas_thread, scoring_rows, weights
from holdfast.models.btyd.corrected_risk import CorrectedRisk
from holdfast.models.btyd.corrected_value import CorrectedValue
from holdfast.models.btyd.correction import Correction
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.checks import Matrix, Vector


class CorrectedBaseRegressor(RegressorMixin, BaseEstimator):
    """Expected spend within a horizon: a model of the customer base, corrected by outcomes.

    Parameters
    ----------
    kind, label_days, horizon_days, orders, days_since_order, days_since_first_order :
        As in :class:`CorrectedBaseClassifier`; and ``marks, spans, ridge, penalty, bought_within_days`` as well.
    spend : int
        As in :class:`~holdfast.learning.btyd.estimators.CustomerBaseRegressor`.
    """

    model_: CorrectedValue

    def __init__(
        self,
        kind: str = "pareto_nbd",
        label_days: float = 90.0,
        horizon_days: float | None = None,
        orders: int = 0,
        days_since_order: int = 1,
        days_since_first_order: int = 2,
        spend: int = 3,
        *,
        marks: Sequence[int] = (),
        spans: Sequence[int] = (),
        ridge: float = 300.0,
        penalty: float = 1.0,
        bought_within_days: float | None = None,
    ) -> None:
        self.kind = kind
        self.label_days = label_days
        self.horizon_days = horizon_days
        self.orders = orders
        self.days_since_order = days_since_order
        self.days_since_first_order = days_since_first_order
        self.spend = spend
        self.marks = marks
        self.spans = spans
        self.ridge = ridge
        self.penalty = penalty
        self.bought_within_days = bought_within_days

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.regressor_tags.poor_score = True  # expects histories of purchases
        return tags

    @on_one_blas_thread
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        purchases: ArrayLike | None = None,
        cutoff: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        latest: ArrayLike | None = None,
    ) -> Self:
        """Learn from snapshots; ``cutoff`` and ``latest`` as in :meth:`CorrectedBaseClassifier.fit`.

        Parameters
        ----------
        y : array of shape (n_rows,)
            Spend in the outcome window; less than 0 counts as 0.
        purchases : array of shape (n_rows,), optional
            Number of purchases in the outcome window. Without, whether there was any is read off the spend, and
            purchases are expected to err as the spend does.
        """
        X, spent = learning_rows(self, X, y, numbers=True)
        weight = weights(sample_weight, X)
        count = np.ones(len(X)) if weight is None else weight
        spent = np.maximum(spent, 0.0)
        bought = spent if purchases is None else counts(purchases, len(X))
        sight, at, now = sight_of(self), instants(cutoff, len(X)), latest_rows(self, latest)
        base: dict[str, Vector] = {name: np.empty(len(X)) for name in ("none", "orders", "value")}
        numbers = []
        for rows in rows_by_cutoff(at, len(X)):
            risk, value = self._bases(X[rows], count[rows])
            base["none"][rows] = risk.log_odds(X[rows])
            base["orders"][rows], base["value"][rows] = value.orders(X[rows]), value.mean(X[rows])
            numbers.append((rows, sight.numbers(value.model, X[rows])))
        seen = together(numbers)
        none = (bought <= 0).astype(np.float64)
        correction = Correction.fit(seen, none, base["none"], outcome="share", penalty=self.ridge, weight=count)
        outcome = Outcome(seen, base["none"], correction, self.ridge, count)
        if now is not None:
            risk, value = self._bases(now, None)
        if self.horizon_days is not None:
            far = float(self.horizon_days)
            risk, value = replace(risk, horizon_days=far), replace(value, horizon_days=far)
        worthed = outcome.twofold(base["value"], spent)
        counted = worthed if purchases is None else outcome.twofold(base["orders"], bought)
        self.model_ = CorrectedValue(value, CorrectedRisk(risk, sight, correction), counted, worthed)
        return self

    def _bases(self, X: Matrix, weight: Vector | None) -> tuple[HistoryRisk, HistoryValue]:
        """The base at one cutoff: its risk, and with what purchases are worth."""
        learner = base_of(self)
        rows = learner.rows(X, weight, also=(self.spend,))
        risk = learner.risk(*rows)
        return risk, learner.value(*rows, self.spend, purchases=risk.model)

    def predict(self, X: ArrayLike) -> Vector:
        """Expected spend within ``horizon_days``, shape (n_rows,), in currency."""
        X = scoring_rows(self, X)
        return self.model_.mean(X)

    def expected_orders(self, X: ArrayLike, horizon_days: float | None = None) -> Vector:
        """Expected number of purchases, shape (n_rows,), within ``horizon_days`` or another horizon."""
        X = scoring_rows(self, X)
        return self.model_.orders(X, horizon_days)
