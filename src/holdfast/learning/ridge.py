"""Ridge and ridge-logistic regression on standardised signed logarithms, by Newton's method.

With standardised columns ``Z`` (p of them), weights ``w`` and penalty ``lambda`` (rows a column), least of::

    sum_i w_i loss(y_i, a + Z_i b) + lambda p / 2 |b|^2

The loss is the log loss (binary) or half the squared error (regression); the intercept ``a`` is free, for each group of
rows if there are groups. Because the
penalty grows with p, it says beforehand how much all columns together may move a score, however many they are.

The signed logarithm is monotone, so the sign of a coefficient is the direction in which the score goes with its column.
Where a direction is wanted, the least is that among coefficients of the wanted sign or 0: each Newton step goes to, or
towards, the least of the quadratic model within these bounds, which is a problem of non-negative least squares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import nnls

from holdfast.models.additive import Linear, signed_logarithms
from holdfast.models.calibration import sigmoid
from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import quantiles

Objective = Literal["binary", "regression"]
_OUTER = 0.001  # share of values beyond the range that the linear part follows, on each side
_STEPS = 50
_ROWS_FOR_CURVATURE = 10_000  # the curvature only steers the steps; the gradient and so the answer come from all rows
_LEAST_CURVATURE = 1e-3  # of a group of which the rows for curvature hold none
_SETTLED = 1e-8  # relative decrease of the loss


def fit_linear(
    X: Matrix,
    y: Vector,
    described: Linear,
    *,
    objective: Objective,
    penalty: float,
    weight: Vector | None = None,
    groups: NDArray[np.intp] | None = None,
    monotonic_cst: Sequence[int] = (),
) -> tuple[Linear, Vector]:
    """The fitted linear part on the columns that are described, and its score of the rows.

    ``y`` is 0 or 1, or a real number.

    ``described`` says how columns are standardised (:func:`describe`); it looks at no outcome. With ``groups`` (numbers
    from 0), each group has an intercept of its own while the coefficients are fitted; the intercept returned is the
    mean of theirs, by weight. ``monotonic_cst`` holds the wanted sign of the coefficient of each column of ``X``, 0 for
    any; empty if no column has one.
    """
    w = np.ones(len(y)) if weight is None else weight
    of = np.zeros(len(y), dtype=np.intp) if groups is None else groups
    count = int(of.max()) + 1
    Z = described.standardised(X)
    width = Z.shape[1]
    ridge = np.concatenate([np.full(width, penalty * width), np.zeros(count)])
    sign = np.zeros(width + count)
    if len(monotonic_cst):
        sign[:width] = np.asarray(monotonic_cst)[described.columns.astype(np.intp)]

    def scores(beta: Vector) -> Vector:
        return np.asarray(Z @ beta[:width] + beta[width:][of])

    def loss(beta: Vector) -> float:
        eta = scores(beta)
        each = np.logaddexp(0, eta) - y * eta if objective == "binary" else (y - eta) ** 2 / 2
        return float(w @ each + ridge @ beta**2 / 2)

    beta = np.zeros(width + count)
    mean = float(np.average(y, weights=w))
    beta[width:] = np.log(mean / (1 - mean)) if objective == "binary" else mean
    now = loss(beta)
    some = slice(None, None, max(1, len(y) // _ROWS_FOR_CURVATURE))
    part = np.column_stack([Z[some], np.eye(count)[of[some]]])
    share = len(part) / len(y)
    for _ in range(_STEPS):
        fitted = scores(beta)
        if objective == "binary":
            fitted = sigmoid(fitted)
        curve = w * fitted * (1 - fitted) if objective == "binary" else w
        root = part * np.sqrt(curve[some])[:, None]
        hessian = root.T @ root / share + np.diag(ridge + _LEAST_CURVATURE)
        off = w * (fitted - y)
        gradient = np.concatenate([Z.T @ off, np.bincount(of, off, count)]) + ridge * beta
        step = _step(hessian, gradient, beta, sign)
        size = 1.0
        while (tried := loss(beta - size * step)) > now and size > 1e-3:
            size /= 2
        if tried >= now - _SETTLED * abs(now):
            break
        beta, now = beta - size * step, tried
    intercept = float(np.average(beta[width:], weights=np.bincount(of, w, count)))
    wrong = sign[:width] * beta[:width] < 0  # by rounding
    coef = np.where(wrong, 0.0, beta[:width])
    return replace(described, coef=coef, intercept=intercept), np.asarray(Z @ coef + intercept)


def _step(hessian: Matrix, gradient: Vector, beta: Vector, sign: Vector) -> Vector:
    """From ``beta`` back to the least of the quadratic model, where some coefficients must have a sign, or be 0.

    For given values of these, the others follow; what is left (the Schur complement) is a problem of the bounded alone.
    """
    bound, free = np.flatnonzero(sign), np.flatnonzero(sign == 0)
    if not len(bound):
        return np.asarray(np.linalg.solve(hessian, gradient))
    across, s = hessian[np.ix_(free, bound)], sign[bound]
    solved = np.linalg.solve(hessian[np.ix_(free, free)], np.column_stack([across, gradient[free]]))
    own = (hessian[np.ix_(bound, bound)] - across.T @ solved[:, :-1]) * np.outer(s, s)
    pull = s * (gradient[bound] - across.T @ solved[:, -1])
    root = np.linalg.cholesky(own)
    at, _ = nnls(root.T, np.linalg.solve(root, own @ (s * beta[bound]) - pull))
    step = np.empty(len(beta))
    step[bound] = beta[bound] - s * at
    step[free] = solved[:, -1] - solved[:, :-1] @ step[bound]
    return step


def describe(X: Matrix, columns: Sequence[int], weight: Vector | None = None) -> Linear:
    """A linear part with coefficients 0 that knows range, median, mean and spread of those columns that vary.

    All are weighted, so a weight of 2 is a second row.
    """
    columns = [column for column in columns if _varies(X[:, column])]
    if not columns:
        return Linear.constant(0.0)
    logs = signed_logarithms(X[:, columns])
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
