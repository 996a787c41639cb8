"""What the corrected models need to learn from outcomes: rows by cutoff, what is seen of them, and the corrections."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holdfast.learning.btyd.customer_base import Base
from holdfast.learning.folds import Rows
from holdfast.models.btyd.corrected_value import Twofold
from holdfast.models.btyd.correction import Correction
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.sight import Sight, surest
from holdfast.models.calibration import sigmoid
from holdfast.models.checks import InputError, Matrix, Vector, refuse_infinite, refuse_other_width

_LEAST = 1e-12  # of an expectation, so that it has a logarithm


@dataclass(frozen=True)
class Outcome:
    """What all corrections of expectations have in common."""

    seen: Matrix
    none: Vector
    correction: Correction
    ridge: float
    count: Vector

    def twofold(self, base: Vector, came: Vector) -> Twofold:
        """Both corrections of an expectation, in units of what a buyer makes, so that money weighs like purchases."""
        unit = float(self.count @ came) / max(float(self.count @ (came > 0)), 1.0) or 1.0
        offset = np.log(np.maximum(base, _LEAST) / unit)
        counted = Correction.fit(self.seen, came / unit, offset, outcome="rate", penalty=self.ridge, weight=self.count)
        odds = self.none + self.correction.score(self.seen)
        any_more = np.log(1 - surest(sigmoid(odds))) - np.log(1 - surest(sigmoid(self.none)))
        total = float(self.count @ (base * np.exp(any_more)))
        level = float(np.log(max(float(self.count @ came), _LEAST) / max(total, _LEAST)))
        return Twofold(counted, level)


def base_of(estimator: Any) -> Base:
    """The base that an estimator's parameters name; its horizon is that of the outcomes."""
    columns = HistoryColumns(estimator.orders, estimator.days_since_order, estimator.days_since_first_order)
    return Base(columns, estimator.kind, estimator.label_days, estimator.penalty, estimator.bought_within_days)


def sight_of(estimator: Any) -> Sight:
    """What an estimator's parameters let it see; raises InputError for columns that are not there."""
    columns = base_of(estimator).columns
    chosen = (*estimator.marks, *estimator.spans)
    width = estimator.n_features_in_
    if not all(0 <= place < width for place in chosen) or set(chosen) & set(columns.places):
        raise InputError(
            f"Wanted marks and spans among the columns 0 to {width - 1} without those of the history, found {chosen}."
        )
    return Sight(columns, float(estimator.label_days), tuple(estimator.marks), tuple(estimator.spans))


def latest_rows(estimator: Any, latest: ArrayLike | None) -> Matrix | None:
    """Customers at a later cutoff, as wide as those learnt from."""
    if latest is None:
        return None
    matrix = np.ascontiguousarray(latest, dtype=np.float64)
    refuse_other_width(matrix, estimator.n_features_in_)
    refuse_infinite(matrix)
    return matrix


def together(numbers: Sequence[tuple[Rows, Matrix]]) -> Matrix:
    """What was seen cutoff by cutoff, in the order of the rows."""
    out = np.empty((sum(len(rows) for rows, _ in numbers), numbers[0][1].shape[1]))
    for rows, part in numbers:
        out[rows] = part
    return out


def counts(purchases: ArrayLike, rows: int) -> Vector:
    """Numbers of purchases, one a row, none below 0."""
    bought = np.asarray(purchases, dtype=np.float64)
    if bought.shape != (rows,) or not (np.isfinite(bought) & (bought >= 0)).all():
        raise InputError(f"Wanted a number of purchases of 0 or more for each of {rows} rows; found others.")
    return bought
