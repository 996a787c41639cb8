"""What a correction sees of a customer: numbers that mean the same in a young history and in an old one.

The history enters only through what the base makes of it: log-odds of no purchase, log of the buying rate, log-odds of
being alive, and repeats as a logarithm, up to three, and whether there are none. Beside it stand columns that do not
grow because time goes by: ``marks`` (the mean worth of an order) enter as signed logarithms, and ``spans`` of days (the
mean gap between orders) in relation to the customer's age. So what is learnt at an age of 13 weeks holds at 39.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import logit

from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.purchases import PurchaseModel
from holdfast.models.checks import Matrix, Vector

HISTORY = 6
"""How many of the numbers, the first ones, come from the history."""
_SUREST = 8.0  # log-odds of being alive
_NEAREST = 1e-12
_FEW = 3.0


@dataclass(frozen=True)
class CorrectionInputs:
    """Which numbers are seen.

    Attributes
    ----------
    columns : HistoryColumns
    near_days : float
        The horizon of the outcomes learnt from; the log-odds of no purchase are those within it.
    marks, spans : tuple of int
        Columns of the matrix.
    """

    columns: HistoryColumns
    near_days: float
    marks: tuple[int, ...]
    spans: tuple[int, ...]

    def numbers(self, model: PurchaseModel, X: Matrix) -> Matrix:
        """Shape (n_rows, 6 + marks + spans); the history of a customer without purchases is NaN."""
        relative = _logs(X[:, self.spans]) - _logs(X[:, [self.columns.days_since_first_order]])
        return np.column_stack([self.history(model, X), _logs(X[:, self.marks]), relative])

    def history(self, model: PurchaseModel, X: Matrix) -> Matrix:
        """The first six of the numbers."""
        out = np.full((len(X), HISTORY), np.nan)
        known = self.columns.known(X)
        x, last, age = self.columns.read(X[known])
        none = clipped(model.probability_none(x, last, age, self.near_days))
        alive = clipped(model.probability_alive(x, last, age))
        out[known] = np.column_stack(
            [
                logit(none),
                np.log((model.buying_shape + x) / (model.buying_rate + age)),
                np.clip(logit(alive), -_SUREST, _SUREST),
                np.log1p(x),
                np.minimum(x, _FEW),
                x == 0,
            ]
        )
        return out


def _logs(values: Matrix) -> Matrix:
    return np.asarray(np.sign(values) * np.log1p(np.abs(values)))


def clipped(probability: Vector) -> Vector:
    """Probabilities a hair away from 0 and 1, whose log-odds are finite."""
    return np.clip(probability, _NEAREST, 1 - _NEAREST)
