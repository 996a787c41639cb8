"""What rows carry beside their features, checked: cutoffs and weights; and which rows and columns count."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from pandas.api.types import is_bool_dtype, is_float_dtype, is_integer_dtype
from sklearn.utils.validation import check_array
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped] # ships no types

from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.timeline import Instants, instant

on_one_blas_thread = threadpool_limits.wrap(limits=1, user_api="blas")
"""Decorates ``fit``: the same sums, to the bit, on any number of cores; and folds that run at once do not crowd."""

_EARLIEST, _LATEST = instant("1900-01-01"), instant("2200-01-01")
_OTHER_UNITS = ((10**9, 10**10), (10**12, 10**13))  # seconds and milliseconds of 2001 to 2286: days of 1970


def weights(sample_weight: ArrayLike | None, X: Matrix) -> Vector | None:
    """One weight a row, none below 0 and not all of them 0, or None."""
    if sample_weight is None:
        return None
    found = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight", ensure_non_negative=True
    )
    if found.shape != (len(X),) or not found.any():
        raise InputError(
            f"Wanted one weight for each of {len(X)} rows, at least one non-zero; found "
            f"{'shape ' + str(found.shape) if found.shape != (len(X),) else 'weights of 0 alone'}."
        )
    return np.asarray(found)


def instants(cutoff: ArrayLike | None, rows: int) -> Instants | None:
    """One cutoff a row in microseconds UTC, or None.

    Parameters
    ----------
    cutoff : array-like of datetimes or integers
        Datetimes of any unit and zone, those without a zone in UTC; integers are microseconds since 1970 in UTC.

    Raises
    ------
    InputError
        Another number of cutoffs than rows, missing ones, or numbers that are no microseconds of our time.
    """
    if cutoff is None:
        return None
    given = (
        cutoff if isinstance(cutoff, pd.Series | pd.Index | pd.api.extensions.ExtensionArray) else np.asarray(cutoff)
    )
    if np.shape(given) != (rows,):
        raise InputError(f"Wanted one cutoff for each of {rows} rows, found shape {np.shape(given)}.")
    if pd.isna(given).any():
        raise InputError(f"Wanted a cutoff for each row, found {int(pd.isna(given).sum())} of {rows} missing.")
    if is_integer_dtype(given):
        at = np.asarray(given, dtype=np.int64)
        first, last = int(at.min()), int(at.max())
        if not _EARLIEST <= first <= last < _LATEST or any(low <= first and last < end for low, end in _OTHER_UNITS):
            raise InputError(
                f"Wanted integers as cutoff in microseconds since 1970, found {first} to {last}: outside 1900 to 2200, "
                "or in the first days of 1970, as seconds or milliseconds are. Give datetimes, or convert the unit."
            )
        return at
    if not (is_float_dtype(given) or is_bool_dtype(given)):
        with suppress(TypeError, ValueError):
            return np.asarray(pd.DatetimeIndex(pd.to_datetime(given, utc=True, format="ISO8601")).as_unit("us").asi8)
    raise InputError(
        f"Wanted datetimes, or integers as microseconds since 1970 in UTC, as cutoff; found {np.asarray(given).dtype}. "
        "Convert them, for example with pandas.to_datetime."
    )


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
