"""How far amounts lie from their prediction: a table of residual quantiles by predicted level, on the log scale.

The residual is ``log(amount) - predicted log(amount)``, from models that had not seen the amount. Small customers
scatter more than large ones, and a subscription scatters to one side only (it can end early, it cannot pay twice), so
the table keeps the quantiles themselves instead of one standard deviation. Between two levels each quantile is
interpolated. The outermost quantiles (.5 % and 99.5 %) end the distribution: one order of 77,000 does not decide.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import mean, of_rows, quantiles

KNOTS: Vector = np.array(
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995]
)
_RESIDUALS_PER_LEVEL = 200
_MOST_LEVELS = 10
_UPPER_SCORES = [0.253, 0.524, 0.842, 1.036, 1.282, 1.645, 1.96, 2.326, 2.576]  # of the standard normal, at the knots
_NORMAL_SCORES: Vector = np.array([-z for z in _UPPER_SCORES[::-1]] + [0.0, *_UPPER_SCORES])
_ENOUGH = 30  # residuals, below which a normal curve replaces their quantiles


@dataclass(frozen=True)
class ResidualQuantiles:
    """Residual quantiles at :data:`KNOTS`, one row per predicted level.

    Attributes
    ----------
    levels : array of shape (n_levels,)
        Increasing predicted log amounts.
    table : array of shape (n_levels, n_knots)
        Non-decreasing along each row.
    """

    levels: Vector
    table: Matrix

    @classmethod
    def of(cls, predicted: Vector, residual: Vector, weight: Vector | None = None) -> ResidualQuantiles:
        """Learn from out-of-fold predictions and residuals; with few of them, one level and a normal curve.

        Levels hold equal numbers of residuals; within a level, weights count.
        """
        if len(residual) < _ENOUGH:
            middle = mean(residual, weight)
            sd = np.sqrt(mean((residual - middle) ** 2, weight)) if len(residual) > 1 else 1.0
            return cls(np.zeros(1), (middle + sd * _NORMAL_SCORES)[None, :])
        count = int(np.clip(len(residual) // _RESIDUALS_PER_LEVEL, 1, _MOST_LEVELS))
        parts = np.array_split(np.argsort(predicted, kind="stable"), count)
        levels = np.array([mean(predicted[part], of_rows(weight, part)) for part in parts])
        table = np.array([quantiles(residual[part], KNOTS, of_rows(weight, part)) for part in parts])
        return cls(levels, table)

    def rows(self, predicted: Vector) -> Matrix:
        """The residual quantiles of each row, shape (n_rows, n_knots)."""
        last = len(self.levels) - 1
        if last == 0:
            return np.repeat(self.table, len(predicted), axis=0)
        right = np.clip(np.searchsorted(self.levels, predicted), 1, last)
        gap = np.maximum(self.levels[right] - self.levels[right - 1], 1e-12)
        share = np.clip((predicted - self.levels[right - 1]) / gap, 0, 1)[:, None]
        return np.asarray(self.table[right - 1] * (1 - share) + self.table[right] * share)

    def to_json(self) -> dict[str, Any]:
        """Levels and table as lists."""
        return {"levels": self.levels.tolist(), "table": self.table.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ResidualQuantiles:
        """Rebuild from :meth:`to_json`."""
        return cls(np.asarray(stored["levels"], dtype=np.float64), np.asarray(stored["table"], dtype=np.float64))


def mean_factor(rows: Matrix) -> Vector:
    """Mean of ``exp(residual)`` per row; the residual's quantiles are straight between knots and flat outside."""
    left, step = rows[:, :-1], np.diff(rows, axis=1)
    safe = np.where(step < 1e-9, 1.0, step)
    pieces = np.exp(left) * np.where(step < 1e-9, 1.0, np.expm1(safe) / safe) * np.diff(KNOTS)
    total = KNOTS[0] * np.exp(rows[:, 0]) + (1 - KNOTS[-1]) * np.exp(rows[:, -1])
    for piece in pieces.T:  # column by column, so that a row does not depend on its neighbours
        total = total + piece
    return np.asarray(total)


def quantile(rows: Matrix, level: Vector) -> Vector:
    """The residual at a probability of its own for each row."""
    right = np.clip(np.searchsorted(KNOTS, level), 1, len(KNOTS) - 1)
    each = np.arange(len(rows))
    share = np.clip((level - KNOTS[right - 1]) / (KNOTS[right] - KNOTS[right - 1]), 0, 1)
    return np.asarray(rows[each, right - 1] * (1 - share) + rows[each, right] * share)


def probability_above(rows: Matrix, residual: Vector) -> Vector:
    """P(residual > threshold) with a threshold of its own for each row."""
    below = (rows <= residual[:, None]).sum(axis=1)
    right = np.clip(below, 1, len(KNOTS) - 1)
    each = np.arange(len(rows))
    low, high = rows[each, right - 1], rows[each, right]
    share = np.clip((residual - low) / np.maximum(high - low, 1e-12), 0, 1)
    inside = 1 - (KNOTS[right - 1] + share * (KNOTS[right] - KNOTS[right - 1]))
    return np.where(below == 0, 1.0, np.where(below == len(KNOTS), 0.0, inside))
