"""Weighted sums over groups of tied scores: the arithmetic that all metrics share.

Weights have shape (n_draws, n_rows). A weight of 2 means that the row was drawn twice, or, where the rows are a sample,
that it stands for two; the weight of a draw from a sample is the product of both. Rows with equal scores form one
group, so no metric depends on the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def as_draws(weights: Array | None, n_rows: int) -> Array:
    """Weights as a matrix; none means one draw in which every row counts once."""
    return np.ones((1, n_rows)) if weights is None else np.atleast_2d(weights)


def answer(values: Array, weights: Array | None) -> Array:
    """One number if no weights were given, else one per draw."""
    return values[0] if weights is None or weights.ndim == 1 else values


@dataclass(frozen=True)
class Ties:
    """Rows ordered by score, in groups of equal scores.

    Attributes
    ----------
    order : array of int
        Rows, best group first if ``descending``.
    starts : array of int
        Where each group begins in that order.
    """

    order: NDArray[np.intp]
    starts: NDArray[np.intp]

    @classmethod
    def of(cls, score: Array, *, descending: bool) -> Ties:
        """Group the rows of a score."""
        order = np.argsort(-score if descending else score, kind="stable")
        ordered = score[order]
        starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]]) if len(score) else np.empty(0, dtype=np.intp)
        return cls(order, starts)

    def sums(self, rows: Array) -> Array:
        """Sum over each group; (n_draws, n_rows) to (n_draws, n_groups)."""
        ordered = rows[:, self.order]
        if len(self.starts) == len(self.order):
            return ordered
        return np.asarray(np.add.reduceat(ordered, self.starts, axis=1))

    def spread(self, groups: Array) -> Array:
        """The value of its group for each row; (n_draws, n_groups) to (n_draws, n_rows)."""
        sizes = np.diff(np.r_[self.starts, len(self.order)])
        out = np.empty((len(groups), len(self.order)))
        out[:, self.order] = np.repeat(groups, sizes, axis=1)
        return out


def ratio(above: Array, below: Array) -> Array:
    """Quotient, NaN where the divisor is 0 (a draw without a single churner, say)."""
    out = np.full(np.broadcast(above, below).shape, np.nan)
    return np.asarray(np.divide(above, below, out=out, where=below != 0))


def mean(rows: Array, draws: Array) -> Array:
    """Weighted mean of one number per row, per draw."""
    return ratio(draws @ rows, draws.sum(axis=1))
