"""Quantiles and means of rows that do not all count the same: a row of weight 3 stands for three equal rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from holdfast.models.checks import Vector


def quantiles(values: Vector, at: Vector | Sequence[float], weight: Vector | None = None) -> Vector:
    """The quantiles of ``values``, interpolated as numpy does by default (definition 7 of Hyndman and Fan 1996).

    With whole numbers as weights the answer is that of the repeated rows. Rows of weight 0 are not there.
    """
    if weight is None:
        return np.asarray(np.quantile(values, at))
    there = weight > 0
    order = np.argsort(values[there], kind="stable")
    ordered, upto = values[there][order], np.cumsum(weight[there][order])
    first = np.concatenate([[0.0], upto[:-1]])  # the places that a row's copies take, from first to last
    last = np.maximum(upto - 1, first)
    places = np.column_stack([first, last]).ravel()
    return np.interp(np.asarray(at) * max(float(upto[-1]) - 1, 0.0), places, np.repeat(ordered, 2))


def mean(values: Vector, weight: Vector | None = None) -> float:
    """The weighted mean of ``values``; 0 if there are none."""
    if not len(values):
        return 0.0
    return float(np.mean(values)) if weight is None else float(np.average(values, weights=weight))


def of_rows(weight: Vector | None, rows: NDArray[np.intp] | NDArray[np.bool_]) -> Vector | None:
    """The weights of some rows; None stays None."""
    return None if weight is None else weight[rows]
