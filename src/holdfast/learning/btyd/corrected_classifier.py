"""Models of a customer base that also learn from outcomes, and answer for horizons longer than any outcome window.

Where a business is young, no outcome of the horizon one asks about exists yet. So a model of the customer base, which
needs no outcomes, is fitted at every cutoff on what was known there; outcomes of a shorter horizon then say how it
errs, as a function of numbers that mean the same at any age (:mod:`sight`); and the base at the latest cutoff, with its
own horizon, carries that further. On CDNOW outcomes of 13 weeks, carried to 39, beat every other model that was tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from holdfast.learning.binary_classifier import BinaryRiskClassifier
from holdfast.learning.btyd.outcomes import (
    base_of,
    latest_rows,
    sight_of,
    together,
)
from holdfast.learning.folds import rows_by_cutoff
from holdfast.learning.inputs import instants, on_one_blas_thread, scoring_rows
from holdfast.models.btyd.corrected_risk import CorrectedRisk
from holdfast.models.btyd.correction import Correction
from holdfast.models.checks import Vector


class CorrectedBaseClassifier(BinaryRiskClassifier):
    """Churn as no purchase within a horizon: a model of the customer base, corrected by outcomes.

    Parameters
    ----------
    kind : {"bg_nbd", "mbg_nbd", "pareto_nbd"}
        The base.
    label_days : float
        Length of the outcome windows of ``y``.
    horizon_days : float or None
        What to predict; None for ``label_days``.
    orders, days_since_order, days_since_first_order : int
        Columns, as in :class:`~holdfast.models.btyd.history_columns.HistoryColumns`.
    marks, spans : sequence of int
        Columns that outcomes may bring into the answer: those that do not grow because time goes by, such as the mean
        worth of an order; and spans of days, such as the mean gap between orders, which are seen in relation to the
        age.
    ridge : float
        In rows: so many of them say of each number that it adds nothing to the base.
    penalty, bought_within_days :
        As in :class:`~holdfast.learning.btyd.estimators.CustomerBaseClassifier`.
    """

    answers_with: ClassVar[Any] = CorrectedRisk
    model_: CorrectedRisk  # type: ignore[assignment] # answers as RiskModel does

    def __init__(
        self,
        kind: str = "pareto_nbd",
        label_days: float = 90.0,
        horizon_days: float | None = None,
        orders: int = 0,
        days_since_order: int = 1,
        days_since_first_order: int = 2,
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
        self.marks = marks
        self.spans = spans
        self.ridge = ridge
        self.penalty = penalty
        self.bought_within_days = bought_within_days

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # expects histories of purchases
        return tags

    @on_one_blas_thread
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        cutoff: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        latest: ArrayLike | None = None,
    ) -> Self:
        """Learn from snapshots.

        Parameters
        ----------
        X, y : arrays of shape (n_rows, n_features), (n_rows,)
            All customers of each cutoff, and the two classes, of which the greater is no purchase.
        cutoff : array of int64, shape (n_rows,), optional
            The instant of each snapshot; without, all are of one.
        latest : array of shape (n_customers, n_features), optional
            All customers at a later cutoff, whose outcomes are not known: the base that answers is learnt there, and
            else at the latest ``cutoff``.
        """
        X, none, weight = self._checked(X, y, sample_weight)
        count = np.ones(len(X)) if weight is None else weight
        sight, learner = sight_of(self), base_of(self)
        at, now = instants(cutoff, len(X)), latest_rows(self, latest)
        offset, numbers = np.empty(len(X)), []
        for rows in rows_by_cutoff(at, len(X)):
            base = learner.risk(*learner.rows(X[rows], count[rows]))
            offset[rows] = base.log_odds(X[rows])
            numbers.append((rows, sight.numbers(base.model, X[rows])))
        correction = Correction.fit(together(numbers), none, offset, outcome="share", penalty=self.ridge, weight=count)
        base = base if now is None else learner.risk(*learner.rows(now))
        self.model_ = CorrectedRisk(
            base if self.horizon_days is None else replace(base, horizon_days=float(self.horizon_days)),
            sight,
            correction,
        )
        return self

    def probability_none(self, X: ArrayLike, horizon_days: float) -> Vector:
        """P(no purchase within any horizon), shape (n_rows,); never increasing in the horizon for a known customer."""
        return self.model_.probability(scoring_rows(self, X), horizon_days)
