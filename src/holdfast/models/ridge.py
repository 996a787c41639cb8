"""Ridge and ridge-logistic regression on standardised signed logarithms, by Newton's method.

With standardised columns ``Z`` (p of them), weights ``w`` and penalty ``lambda`` (rows a column), least of::

    sum_i w_i loss(y_i, a + Z_i b) + lambda p / 2 |b|^2

The loss is the log loss (binary) or half the squared error (regression); the intercept ``a`` is free. Because the
penalty grows with p, it says beforehand how much all columns together may move a score, however many they are.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from holdfast.models.additive import Linear
from holdfast.models.calibration import sigmoid
from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import quantiles

Objective = Literal["binary", "regression"]
_OUTER = 0.001  # share of values beyond the range that the linear part follows, on each side
_STEPS = 50
_ROWS_FOR_CURVATURE = 10_000  # the curvature only steers the steps; the gradient and so the answer come from all rows
_SETTLED = 1e-8  # relative decrease of the loss


def fit_linear(
    X: Matrix, y: Vector, columns: Sequence[int], *, objective: Objective, penalty: float, weight: Vector | None = None
) -> Linear:
    """The fitted linear part on those of the ``columns`` that vary; ``y`` is 0 or 1, or a real number.

    Range, median, mean and spread of the logarithms are weighted as well, so a weight of 2 is a second row.
    """
    w = np.ones(len(y)) if weight is None else weight
    blank = describe(X, [j for j in columns if _varies(X[:, j])], weight)
    Z = np.column_stack([blank.standardised(X), np.ones(len(y))])
    ridge = np.full(Z.shape[1], penalty * len(blank.columns))
    ridge[-1] = 0.0

    def loss(beta: Vector) -> float:
        eta = Z @ beta
        each = np.logaddexp(0, eta) - y * eta if objective == "binary" else (y - eta) ** 2 / 2
        return float(w @ each + ridge @ beta**2 / 2)

    beta = np.zeros(Z.shape[1])
    mean = float(np.average(y, weights=w))
    beta[-1] = np.log(mean / (1 - mean)) if objective == "binary" else mean
    now = loss(beta)
    some = slice(None, None, max(1, len(y) // _ROWS_FOR_CURVATURE))
    part = np.ascontiguousarray(Z[some])
    share = len(part) / len(y)
    for _ in range(_STEPS):
        fitted = Z @ beta
        if objective == "binary":
            fitted = sigmoid(fitted)
        curve = w * fitted * (1 - fitted) if objective == "binary" else w
        hessian = part.T @ (part * curve[some][:, None]) / share + np.diag(ridge + 1e-9)
        step = np.linalg.solve(hessian, Z.T @ (w * (fitted - y)) + ridge * beta)
        size = 1.0
        while (tried := loss(beta - size * step)) > now and size > 1e-3:
            size /= 2
        if tried >= now - _SETTLED * abs(now):
            break
        beta, now = beta - size * step, tried
    return replace(blank, coef=beta[:-1], intercept=float(beta[-1]))


def describe(X: Matrix, columns: Sequence[int], weight: Vector | None = None) -> Linear:
    """A linear part with coefficients 0 that knows range, median, mean and spread of some columns."""
    raw = X[:, list(columns)]
    logs = np.sign(raw) * np.log1p(np.abs(raw))
    if not columns:
        return Linear.constant(0.0)
    three = [_OUTER, 0.5, 1 - _OUTER]
    if weight is None:
        low, fill, high = np.nanquantile(logs, three, axis=0)
    else:
        seen = [~np.isnan(column) for column in logs.T]
        low, fill, high = np.transpose(
            [quantiles(column[some], three, weight[some]) for column, some in zip(logs.T, seen, strict=True)]
        )
    logs = np.where(np.isnan(logs), fill, np.clip(logs, low, high))
    if weight is None:
        center, width = logs.mean(axis=0), logs.std(axis=0)
    else:
        center = np.average(logs, axis=0, weights=weight)
        width = np.sqrt(np.average((logs - center) ** 2, axis=0, weights=weight))
    width = np.where(width > 1e-12, width, 1.0)
    places = np.asarray(columns, dtype=np.float64)
    return Linear(places, low, high, fill, center, width, np.zeros(len(columns)), 0.0)


def _varies(column: Vector) -> bool:
    seen = column[~np.isnan(column)]
    return len(seen) > 0 and bool(seen.min() < seen.max())
