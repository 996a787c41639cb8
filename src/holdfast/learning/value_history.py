"""What the history of purchases adds to the value, fitted at each cutoff on what was known there; and the blend.

A customer-base model looks at no outcome, so it can be fitted at every cutoff on the customers as they were then, and
once more on the customers of today, whose outcomes nobody knows. Its totals are off by a season or a trend, as all
totals are: that is a level, forecast as the levels of the two parts are (:mod:`holdfast.learning.cutoff_intercepts`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.learning.btyd.customer_base import CustomerBaseLearner, at_each_cutoff
from holdfast.learning.cutoff_intercepts import CutoffIntercepts
from holdfast.models.btyd.history_value import HistoryValue, spending
from holdfast.models.checks import Matrix, Vector
from holdfast.models.past_value import history_columns
from holdfast.models.season_level import SeasonLevel
from holdfast.timeline import Instants

_MOST_CUSTOMERS = 5_000  # of a cutoff; more give the same parameters and cost more
_FEWEST_CUSTOMERS = 30


@dataclass(frozen=True)
class HistoryExpectations:
    """What was expected of each row at its own cutoff, and the model of the present.

    Attributes
    ----------
    columns : array of shape (n_rows, 2)
        As :func:`~holdfast.models.past_value.history_columns`; the second is the expected value.
    latest : HistoryValue
        Fitted on the present, or else at the latest cutoff.
    """

    columns: Matrix
    latest: HistoryValue

    @property
    def expected(self) -> Vector:
        """Expected value of each row, in currency."""
        return np.asarray(self.columns[:, 1])


def past_values(
    base: CustomerBaseLearner,
    spend: int,
    X: Matrix,
    cutoff: Instants | None,
    weight: Vector | None,
    recent: Matrix | None,
) -> HistoryExpectations | None:
    """Fit at every cutoff, and on ``recent`` rows; None where at one of them too few have bought."""

    def learn(rows: Matrix, weight: Vector | None, before: HistoryValue | None) -> HistoryValue | None:
        chosen = base.some_rows(rows, weight, _MOST_CUSTOMERS)
        if chosen is None:
            return None
        purchases, mean = spending(base.columns, spend, chosen[0])
        few = ((purchases > 0) & (mean > 0)).sum() < _FEWEST_CUSTOMERS
        return None if few else base.value(*chosen, spend, near=None if before is None else before.model)

    models, latest = at_each_cutoff(learn, X, cutoff, weight, recent)
    found = np.empty((len(X), 2))
    for rows, value in models:
        if value is None:
            return None
        found[rows] = history_columns(value, X[rows])
    return None if latest is None else HistoryExpectations(found, latest)


def level_of_totals(
    truth: Vector,
    expected: Vector,
    cutoff: Instants | None,
    weight: Vector | None,
    *,
    X: Matrix,
    purge_days: float,
    season_columns: Sequence[int],
) -> SeasonLevel:
    """The level that brings expected totals to the true ones, in the year ahead; 0 where there are no totals."""
    w = np.ones(len(truth)) if weight is None else weight
    at = np.zeros(len(truth), dtype=np.int64) if cutoff is None else cutoff
    cutoffs, group = np.unique(at, return_inverse=True)
    total, hoped = (np.bincount(group, w * values, len(cutoffs)) for values in (truth, expected))
    if not ((total > 0) & (hoped > 0)).all():
        return SeasonLevel.constant()
    level = np.log(total / hoped)
    off = w * (truth - expected * np.exp(level)[group])
    error = np.sqrt(np.bincount(group, off**2, len(cutoffs))) / total
    if cutoff is None:
        return SeasonLevel.constant(float(level[0]))
    return CutoffIntercepts(cutoffs, level, error, "regression").year_ahead(
        purge_days, tuple(season_columns), X, cutoff
    )
