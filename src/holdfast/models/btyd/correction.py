"""What outcomes add to a model of the customer base: a ridge on top of its answer.

The answer of the base enters with weight 1 and without penalty (an offset), so where outcomes say nothing the base
stays as it is, and what is learnt on short outcome windows holds for longer ones: only the offset is exchanged. With
the answer ``o`` of the base, standardised numbers ``z`` and the penalty ``lambda`` in rows, least of::

    sum_i w_i loss(y_i, o_i + a + z_i b) + lambda / 2 |b|^2

where the loss is the log loss of a share, or that of a Poisson rate for anything that is counted or summed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np

from holdfast.models.calibration import sigmoid
from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import quantiles

Outcome = Literal["share", "rate"]
_OUTER = 0.001  # share of values beyond the range that is followed, on each side, as in the ridge of the other models
_STEPS = 50
_SETTLED = 1e-9  # of a step, in the unit of the score
_FARTHEST = 30.0  # of a score from 0, so that its exponential is a number


@dataclass(frozen=True)
class Correction:
    """A linear score on numbers clipped to the range seen in training and standardised; missing ones are the median.

    Attributes
    ----------
    low, high, fill, center, width, coef : arrays of shape (n_numbers,)
    intercept : float
    """

    low: Vector
    high: Vector
    fill: Vector
    center: Vector
    width: Vector
    coef: Vector
    intercept: float

    def parts(self, numbers: Matrix) -> Matrix:
        """What each number adds, shape of ``numbers``; 0 for a customer in the middle."""
        return self._standardised(numbers) * self.coef

    def score(self, numbers: Matrix) -> Vector:
        """Intercept and parts together, one number per row."""
        total = np.full(len(numbers), self.intercept)
        for part in self.parts(numbers).T:  # column by column: a BLAS product depends on the row count
            total += part
        return total

    def raised(self, by: float) -> Correction:
        """The same with another intercept."""
        return Correction(**{**self.__dict__, "intercept": self.intercept + by})

    def _standardised(self, numbers: Matrix) -> Matrix:
        there = np.where(np.isnan(numbers), self.fill, np.clip(numbers, self.low, self.high))
        return np.asarray((there - self.center) / self.width)

    def to_json(self) -> dict[str, Any]:
        """Everything as plain lists and numbers."""
        return {name: value if isinstance(value, float) else value.tolist() for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Correction:
        """Rebuild from :meth:`to_json`."""
        arrays = {name: np.asarray(value, dtype=np.float64) for name, value in stored.items() if name != "intercept"}
        return cls(**arrays, intercept=float(stored["intercept"]))

    @classmethod
    def fit(
        cls, numbers: Matrix, y: Vector, offset: Vector, *, outcome: Outcome, penalty: float, weight: Vector
    ) -> Correction:
        """The correction of least penalised loss, by Newton's method.

        Parameters
        ----------
        numbers : array of shape (n_rows, n_numbers)
            NaN means missing.
        y : array of shape (n_rows,)
            0 or 1 for a share; 0 or more for a rate.
        offset : array of shape (n_rows,)
            What the base says: log-odds, or the logarithm of a rate.
        """
        blank = cls._described(numbers, weight)
        Z = np.column_stack([blank._standardised(numbers), np.ones(len(y))])
        ridge = np.full(Z.shape[1], penalty)
        ridge[-1] = 1e-6
        beta = np.zeros(Z.shape[1])
        for _ in range(_STEPS):
            eta = np.clip(offset + Z @ beta, -_FARTHEST, _FARTHEST)
            fitted = sigmoid(eta) if outcome == "share" else np.exp(eta)
            curve = weight * (fitted * (1 - fitted) if outcome == "share" else fitted)
            hessian = (Z * curve[:, None]).T @ Z + np.diag(ridge)
            step = np.linalg.solve(hessian, Z.T @ (weight * (y - fitted)) - ridge * beta)
            longest = float(np.abs(step).max())
            beta += step / max(longest, 1.0)
            if longest < _SETTLED:
                break
        return cls(**{**blank.__dict__, "coef": beta[:-1], "intercept": float(beta[-1])})

    @classmethod
    def _described(cls, numbers: Matrix, weight: Vector) -> Correction:
        """Range, median, mean and spread of each column, and coefficients of 0; a column of NaN says nothing."""
        count = numbers.shape[1]
        low, fill, high = np.zeros(count), np.zeros(count), np.zeros(count)
        for j, column in enumerate(numbers.T):
            seen = ~np.isnan(column) & (weight > 0)
            if seen.any():
                low[j], fill[j], high[j] = quantiles(column[seen], [_OUTER, 0.5, 1 - _OUTER], weight[seen])
        blank = cls(low, high, fill, np.zeros(count), np.ones(count), np.zeros(count), 0.0)
        there = blank._standardised(numbers)
        center = np.average(there, axis=0, weights=weight)
        width = np.sqrt(np.average((there - center) ** 2, axis=0, weights=weight))
        return cls(low, high, fill, center, np.where(width > 1e-9, width, 1.0), np.zeros(count), 0.0)
