"""Means over a beta distribution by a fixed rule of points and weights.

With u the share of the distribution below a point, a mean is an integral over u from 0 to 1. Its ends are where a beta
density may be infinite, so the points crowd towards them doubly exponentially (Takahasi and Mori 1974)::

    u = 1 / (1 + exp(-pi sinh v)),   v in equal steps

That is exact to rounding for a function without jumps, unless a is small: then so much lies next to 0 that a change of
the function falls between two points. So there the mean is taken of what the function loses by p, over Beta(a + 1, b)::

    E[h(p)] = h(0) - a / (a + b) E'[(h(0) - h(p)) / p]
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaincinv, betaln, expit, psi

from holdfast.models.checks import Matrix, Vector

_STEP = 0.07
_V = np.arange(-4.05, 3.2, _STEP)  # farther to the left: what is divided by p is large where p is small
_SHARE, _REST = expit(np.pi * np.sinh(_V)), expit(-np.pi * np.sinh(_V))
_WEIGHT = _STEP * np.pi * np.cosh(_V) * _SHARE * _REST
_NEGLIGIBLE = -23.0  # logarithm
_SMALL = 0.5


@dataclass(frozen=True)
class BetaRule:
    """Points in (0, 1] for distributions Beta(a, b) of one a and several b.

    Attributes
    ----------
    a, b : float, array of shape (n_distributions,)
        The distributions.
    p : array of shape (n_distributions, n_points)
        Where a function is to be known.
    """

    a: float
    b: Vector
    p: Matrix

    @classmethod
    def of(cls, a: float, b: Vector) -> BetaRule:
        """The rule of some distributions."""
        return cls(a, b, np.exp(_log_inverse(a + (a < _SMALL), b[:, None], _SHARE)))

    def mean(self, values: Matrix, at_zero: Vector, row: NDArray[np.intp] | None = None) -> Vector:
        """Mean of a function for each row; ``values`` are those at the points ``p[row]``, ``at_zero`` at 0."""
        if self.a >= _SMALL:
            return _weighed(values)
        p, b = (self.p, self.b) if row is None else (self.p[row], self.b[row])
        return np.asarray(at_zero - self.a / (self.a + b) * _weighed((at_zero[:, None] - values) / p))

    def mean_slopes(self, values: Matrix, at_zero: Vector) -> tuple[Vector, Vector]:
        """Derivatives of :meth:`mean` by a and by b, if there is one distribution."""
        a, b = self.a, self.b
        shifted = a + (a < _SMALL)
        log_q = _log_inverse(b, np.array([shifted]), _REST)
        by_a = np.log(self.p[0]) - psi(shifted) + psi(shifted + b)
        by_b = log_q - psi(b) + psi(shifted + b)
        if a >= _SMALL:
            return values @ (_WEIGHT * by_a), values @ (_WEIGHT * by_b)
        lost = a / (a + b) * (values - at_zero[:, None]) / self.p
        return lost @ (_WEIGHT * (by_a + 1.0 / a - 1.0 / (a + b))), lost @ (_WEIGHT * (by_b - 1.0 / (a + b)))


def _weighed(values: Matrix) -> Vector:
    """The sum of each row by the weights, whatever rows stand beside it: a BLAS product depends on their number."""
    return np.asarray(np.einsum("ij,j->i", np.ascontiguousarray(values), _WEIGHT))


def _log_inverse(a: float | Vector, b: Vector, share: Vector) -> Matrix:
    """Logarithm of the point below which a share of Beta(a, b) lies."""
    leading = (np.log(share * a) + betaln(a, b)) / a  # of the series of the share in the point
    near_zero = leading + np.log1p(b) < _NEGLIGIBLE  # where the inverse of scipy may end in NaN
    return np.asarray(np.where(near_zero, leading, np.log(betaincinv(a, b, np.where(near_zero, 0.5, share)))))
