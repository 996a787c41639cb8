"""Models of a customer base that also learn from outcomes, and answer for horizons longer than any outcome window.

Where a business is young, no outcome of the horizon one asks about exists yet. So a model of the customer base, which
needs no outcomes, is fitted at every cutoff on what was known there; outcomes of a shorter horizon then say how it
errs, as a function of numbers that mean the same at any age (:mod:`correction_inputs`); and the base at the latest
cutoff, with its own horizon, carries that further. On CDNOW outcomes of 13 weeks, carried to 39, beat every other model
that was tried.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from holdfast.learning.btyd.customer_base import CustomerBaseLearner
from holdfast.learning.folds import rows_by_cutoff
from holdfast.models.btyd.corrected_risk import CorrectedRisk
from holdfast.models.btyd.corrected_value import CorrectedValue, ExpectationCorrection
from holdfast.models.btyd.correction import Correction
from holdfast.models.btyd.correction_inputs import HISTORY, CorrectionInputs, clipped
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.calibration import sigmoid
from holdfast.models.checks import Matrix, Vector
from holdfast.timeline import Instants

_LEAST = 1e-12  # of an expectation, so that it has a logarithm


@dataclass(frozen=True)
class CorrectedBaseLearner:
    """How to learn a model of the customer base and what outcomes add to it.

    Attributes
    ----------
    base : CustomerBaseLearner
        Its horizon is the length of the outcome windows.
    spend : int
        Column of the spend of all orders so far, such as ``spend_lifetime``, which is net of refunds; where it is not
        positive, nothing is learnt of the worth of purchases.
    horizon_days : float
        What to predict.
    marks, spans : tuple of int
        Columns that outcomes may bring into the answer: those that do not grow because time goes by, such as the mean
        worth of an order; and spans of days, such as the mean gap between orders, which are seen in relation to the
        age.
    ridge : float
        In rows: so many of them say of each number that it adds nothing to the base.
    """

    base: CustomerBaseLearner
    spend: int
    horizon_days: float
    marks: tuple[int, ...] = ()
    spans: tuple[int, ...] = ()
    ridge: float = 300.0

    def fit(
        self,
        X: Matrix,
        spent: Vector,
        *,
        purchases: Vector | None = None,
        cutoff: Instants | None = None,
        weight: Vector | None = None,
        latest: Matrix | None = None,
    ) -> CorrectedValue:
        """Learn from snapshots; the answer holds the risk of no purchase as well.

        Parameters
        ----------
        X, spent : arrays of shape (n_rows, n_features), (n_rows,)
            All customers of each cutoff, and their spend in the outcome window; less than 0 counts as 0.
        purchases : array of shape (n_rows,), optional
            Number of purchases in the outcome window. Without, whether there was any is read off the spend, and
            purchases are expected to err as the spend does.
        cutoff : array of int64, shape (n_rows,), optional
            The instant of each snapshot; without, all are of one.
        latest : array of shape (n_customers, n_features), optional
            All customers at a later cutoff, whose outcomes are not known: the base that answers is learnt there, and
            else at the latest ``cutoff``.
        """
        count = np.ones(len(X)) if weight is None else weight
        spent = np.maximum(spent, 0.0)
        inputs = CorrectionInputs(self.base.columns, float(self.base.horizon_days), self.marks, self.spans)
        none, orders, worth = np.empty(len(X)), np.empty(len(X)), np.empty(len(X))
        seen = np.empty((len(X), HISTORY + len(self.marks) + len(self.spans)))
        for rows in rows_by_cutoff(cutoff, len(X)):
            risk, value = self._bases(X[rows], count[rows])
            none[rows], seen[rows] = risk.log_odds(X[rows]), inputs.numbers(value.model, X[rows])
            orders[rows], worth[rows] = value.orders(X[rows]), value.mean(X[rows])
        if latest is not None:
            risk, value = self._bases(latest, None)
        came = spent if purchases is None else purchases
        missed = (came <= 0).astype(np.float64)
        correction = Correction.fit(seen, missed, none, outcome="share", penalty=self.ridge, weight=count)
        odds = none + correction.score(seen)
        any_more = np.log(1 - clipped(sigmoid(odds))) - np.log(1 - clipped(sigmoid(none)))
        worthed = self._correction_of(worth, spent, seen, any_more, count)
        counted = worthed if purchases is None else self._correction_of(orders, purchases, seen, any_more, count)
        far = float(self.horizon_days)
        risk, value = replace(risk, horizon_days=far), replace(value, horizon_days=far)
        return CorrectedValue(value, CorrectedRisk(risk, inputs, correction), counted, worthed)

    def _bases(self, X: Matrix, weight: Vector | None) -> tuple[HistoryRisk, HistoryValue]:
        """The base at one cutoff: its risk, and with what purchases are worth."""
        rows = self.base.rows(X, weight)
        risk = self.base.risk(*rows)
        return risk, self.base.value(*rows, self.spend, purchases=risk.model)

    def _correction_of(
        self, base: Vector, came: Vector, seen: Matrix, any_more: Vector, count: Vector
    ) -> ExpectationCorrection:
        """Both corrections of an expectation, in units of what a buyer makes, so that money weighs like purchases."""
        unit = float(count @ came) / max(float(count @ (came > 0)), 1.0) or 1.0
        offset = np.log(np.maximum(base, _LEAST) / unit)
        counted = Correction.fit(seen, came / unit, offset, outcome="rate", penalty=self.ridge, weight=count)
        total = float(count @ (base * np.exp(any_more)))
        level = float(np.log(max(float(count @ came), _LEAST) / max(total, _LEAST)))
        return ExpectationCorrection(counted, level)
