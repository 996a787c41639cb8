"""Arguments of the estimators, checked by scikit-learn's rules and typed for ours."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # ships no types

from holdfast.models.checks import InputError, Matrix, Vector, refuse_infinite
from holdfast.timeline import Instants

on_one_blas_thread = threadpool_limits.wrap(limits=1, user_api="blas")
"""Decorates ``fit``: the same sums, to the bit, on any number of cores; and folds that run at once do not crowd."""


def learning_rows(estimator: BaseEstimator, X: ArrayLike, y: ArrayLike, *, numbers: bool) -> tuple[Matrix, np.ndarray]:
    """Matrix and target of :meth:`fit`; sets ``n_features_in_``. ``numbers`` asks for a float64 target."""
    matrix, target = validate_data(
        estimator, X, y, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2, y_numeric=numbers
    )
    refuse_infinite(matrix)
    return np.ascontiguousarray(matrix), np.asarray(target, dtype=np.float64) if numbers else np.asarray(target)


def scoring_rows(estimator: BaseEstimator, X: ArrayLike) -> Matrix:
    """Matrix of a method that needs a fitted estimator."""
    check_is_fitted(estimator)
    return more_rows(estimator, X)


def more_rows(estimator: BaseEstimator, X: ArrayLike) -> Matrix:
    """Matrix with the columns that :func:`learning_rows` has seen."""
    matrix = validate_data(estimator, X, dtype=np.float64, ensure_all_finite=False, reset=False)
    refuse_infinite(matrix)
    return np.ascontiguousarray(matrix)


def weights(sample_weight: ArrayLike | None, X: Matrix) -> Vector | None:
    """One weight a row, none below 0 and not all of them 0, or None."""
    if sample_weight is None:
        return None
    return np.asarray(_check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True))


def instants(cutoff: ArrayLike | None, rows: int) -> Instants | None:
    """One cutoff a row (microseconds UTC), or None."""
    if cutoff is None:
        return None
    at = np.asarray(cutoff, dtype=np.int64)
    if at.shape != (rows,):
        raise InputError(f"Wanted one cutoff for each of {rows} rows, found shape {at.shape}.")
    return at


def without_columns(X: Matrix, columns: Sequence[int]) -> Matrix:
    """The matrix with some columns missing everywhere, so that nothing can be learnt from them; itself without any."""
    if not columns:
        return X
    return np.where(np.isin(np.arange(X.shape[1]), columns), np.nan, X)


def counting_rows(
    X: Matrix, y: Vector, weight: Vector | None, cutoff: Instants | None
) -> tuple[Matrix, Vector, Vector | None, Instants | None]:
    """Rows of weight 0 are not there: not for quantiles, not for folds."""
    if weight is None or (weight > 0).all():
        return X, y, weight, cutoff
    there = weight > 0
    return X[there], y[there], weight[there], None if cutoff is None else cutoff[there]
