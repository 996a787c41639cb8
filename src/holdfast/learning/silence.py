"""How likely customers have gone who do not buy for a while, where orders are all that is seen.

A model of the customer base tells it from the history, for customers who buy at random. Real orders come in heaps, and
who pauses after a heap comes back more often than such a model believes. So what came later corrects it, as a cure
model does (Farewell 1982, doi:10.2307/2529885). A customer of ``x`` repeats and age ``T`` has gone with the probability

    g = sigmoid(level + slope * logit(1 - P(alive)))

and one who has not waits for longer than f with the probability ``(1 + f / (stretch * (alpha + T))) ** -(r + x)``: each
buys at a rate of their own, gamma distributed as in the customer base. The three numbers are those under which the
first returns, and the silences that still last, are likeliest.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit, logit

from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.purchases import PurchaseModel
from holdfast.models.checks import Matrix, Vector

_NEAREST = 1e-4  # of P(alive) to 0 and 1: no history is proof
_PENALTY = 1e-4  # draws level and stretch to those of the customer base where hardly anything came later
_BOUNDS = ((-5.0, 5.0), (0.0, 2.0), (-2.0, 2.0))
_LEAST = 1e-300

History = tuple[Vector, Vector, Vector]
"""Repeats, age at the last purchase and age, in days."""


@dataclass(frozen=True)
class SilenceModel:
    """A customer base, and how what came later corrects it.

    Attributes
    ----------
    base : PurchaseModel
    columns : HistoryColumns
        Where a row tells its history.
    level, slope : float
        From its log-odds of having gone to ours.
    stretch : float
        By how much waits are longer than it believes.
    """

    base: PurchaseModel
    columns: HistoryColumns
    level: float = 0.0
    slope: float = 1.0
    stretch: float = 1.0

    @classmethod
    def fit(
        cls, base: PurchaseModel, columns: HistoryColumns, X: Matrix, after: Vector, by: Vector, weight: Vector
    ) -> SilenceModel:
        """The correction by maximum likelihood, from rows of known history.

        Parameters
        ----------
        after, by : arrays of shape (n_rows,)
            The first purchase came more than ``after`` and at most ``by`` days after the cutoff; infinity in ``by``
            where none has come yet.
        """
        history, start = columns.read(X), cls(base, columns)
        odds, weight = start._odds(history), weight / weight.sum()

        def corrected(at: Vector) -> SilenceModel:
            return replace(start, level=float(at[0]), slope=float(at[1]), stretch=float(np.exp(at[2])))

        def loss(at: Vector) -> float:
            model = corrected(at)
            gone = expit(model.level + model.slope * odds)
            came = (1 - gone) * (model._waits(history, after) - model._waits(history, by))
            density = came + np.where(np.isinf(by), gone, 0.0)
            return float(-weight @ np.log(np.maximum(density, _LEAST))) + _PENALTY * float(at[0] ** 2 + at[2] ** 2)

        return corrected(minimize(loss, (0.0, 1.0, 0.0), method="L-BFGS-B", bounds=_BOUNDS).x)

    def gone(self, history: History, silent: Vector) -> Vector:
        """Probability to have gone at the end of the history, given no purchase in so many days after it."""
        gone = expit(self.level + self.slope * self._odds(history))
        return np.asarray(gone / (gone + (1 - gone) * self._waits(history, silent)))

    def _odds(self, history: History) -> Vector:
        gone = 1 - self.base.probability_alive(*history)
        return np.asarray(logit(np.clip(gone, _NEAREST, 1 - _NEAREST)))

    def _waits(self, history: History, days: Vector) -> Vector:
        """P(no purchase in so many days) of those who have not gone."""
        repeats, _, age = history
        longer = np.log1p(days / (self.stretch * (self.base.buying_rate + age)))
        return np.asarray(np.exp(-(self.base.buying_shape + repeats) * longer))
