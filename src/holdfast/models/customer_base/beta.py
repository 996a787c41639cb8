"""Means over a beta distribution by a fixed rule of points and weights.

With u the share of the distribution below a point, a mean is an integral over u from 0 to 1. Its ends are where a beta
density may be infinite, so the points crowd towards them doubly exponentially (Takahasi and Mori 1974)::

    u = 1 / (1 + exp(-pi sinh v)),   v in equal steps

and the rule is exact to rounding for a function without jumps where a is 1 or more; below, p is so small at the points
that a change of the function falls between two of them.
"""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, betaln, expit

from holdfast.models.checks import Matrix, Vector

_STEP = 0.09
_V = np.arange(-4.05, 3.2, _STEP)  # farther to the left: what is divided by p is large where p is small
_SHARE = expit(np.pi * np.sinh(_V))
_NEGLIGIBLE = 1e-10
_WEIGHT = _STEP * np.pi * np.cosh(_V) * _SHARE * expit(-np.pi * np.sinh(_V))


def beta_rule(a: float, b: Vector) -> tuple[Matrix, Vector]:
    """Points in (0, 1] of each distribution Beta(a, b), shape (len(b), n_points), and the weights of all of them."""
    column = b[:, None]
    leading = np.exp((np.log(_SHARE * a) + betaln(a, column)) / a)  # of the series of u in p
    near_zero = leading * (column + 1.0) < _NEGLIGIBLE  # where the inverse of scipy may end in NaN
    return np.where(near_zero, leading, betaincinv(a, column, np.where(near_zero, 0.5, _SHARE))), _WEIGHT
