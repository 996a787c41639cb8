"""Arguments of the estimators, checked by scikit-learn's rules and typed for ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import _check_monotonic_cst, _check_sample_weight, check_is_fitted, validate_data
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


def directions(
    estimator: BaseEstimator,
    monotonic_cst: ArrayLike | Mapping[str, int] | None,
    refused: Mapping[str, Sequence[int]],
) -> tuple[int, ...]:
    """1, -1 or 0 for each column that :func:`learning_rows` has seen.

    Parameters
    ----------
    refused : mapping of a reason to columns
        Those that can have no direction; the reason says what they do.
    """
    try:
        found = tuple(int(each) for each in _check_monotonic_cst(estimator, monotonic_cst))
    except ValueError as error:
        raise InputError(
            f"Wanted 1, -1 or 0 for each column as monotonic_cst: {error} Give one for each, or a dict by name where X "
            "has names."
        ) from None
    for reason, columns in refused.items():
        for column in columns:
            if found[column]:
                raise InputError(
                    f"Wanted monotonic_cst of columns whose direction can be kept to, found {found[column]} for column "
                    f"{column}, which {reason}. Give 0 for it."
                )
    return found


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
