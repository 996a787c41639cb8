"""From a table with named columns to the matrix that models take, the same in training and in scoring.

Numbers become float64. A category becomes its place in the list of categories seen in training, kept in the feature's
record; an unknown or missing category becomes NaN, which the models treat as missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from holdfast.errors import BundleError
from holdfast.models.checks import InputError, Matrix, Vector, refuse_infinite
from holdfast.models.feature_record import FeatureRecord

FEWEST_CUSTOMERS = 10
"""So many customers must share a category, or a model does not keep it: what fewer share may name a person."""
_MOST_CATEGORIES = 100
_CUSTOMER = "customer_id"
_NUMBERS = frozenset(["integer", "floating", "mixed-integer-float", "decimal", "boolean"])  # as pandas infers objects


def learn_categories(frame: pd.DataFrame, features: Sequence[FeatureRecord]) -> tuple[FeatureRecord, ...]:
    """The records, each category with those of ``frame`` that ten customers share, at most the 100 most frequent.

    Without a column ``customer_id``, every row counts as a customer.
    """
    who = frame[_CUSTOMER] if _CUSTOMER in frame else pd.Series(frame.index, index=frame.index)
    return tuple(
        replace(feature, categories=_frequent(frame[feature.name], who)) if feature.is_category else feature
        for feature in features
    )


def _frequent(column: pd.Series[Any], who: pd.Series[Any]) -> tuple[str, ...]:
    words = column.dropna().astype(str)
    customers = who[words.index].groupby(words).nunique()
    counts = words.value_counts()
    shared = counts[customers.reindex(counts.index) >= FEWEST_CUSTOMERS]
    ordered = sorted(shared.items(), key=lambda item: (-item[1], item[0]))
    return tuple(sorted(str(name) for name, _ in ordered[:_MOST_CATEGORIES]))


def categorical_columns(features: Sequence[FeatureRecord]) -> tuple[int, ...]:
    """Which columns of the matrix hold categories."""
    return tuple(i for i, feature in enumerate(features) if feature.is_category)


def to_matrix(frame: pd.DataFrame, features: Sequence[FeatureRecord]) -> Matrix:
    """Float64 matrix of shape (n_rows, n_features) in the order of the features; other columns are ignored.

    Raises
    ------
    BundleError
        Columns are missing, or hold numbers for a category; they are named.
    InputError
        A column holds text where numbers are wanted, or an infinite number.
    """
    _require_columns(frame, features)
    X = np.empty((len(frame), len(features)))
    for i, feature in enumerate(features):
        column = frame[feature.name]
        X[:, i] = _codes(column, feature.categories) if feature.is_category else _numbers(column)
    refuse_infinite(X, [feature.name for feature in features])
    return X


def _require_columns(frame: pd.DataFrame, features: Sequence[FeatureRecord]) -> None:
    columns = set(frame.columns)
    absent = [feature.name for feature in features if feature.name not in columns]
    if absent:
        more = ", …" if len(absent) > 10 else ""
        raise BundleError(
            f"The model was trained with {len(features)} features; the table lacks {len(absent)} of them: "
            f"{', '.join(absent[:10])}{more}. Build the features with the catalogue and the sources that the model was "
            "trained on, or train and promote a model on today's."
        )
    wrong = [
        f"{feature.name} (wanted a {feature.dtype}, found {frame[feature.name].dtype})"
        for feature in features
        if frame[feature.name].notna().any() and _holds_numbers(frame[feature.name]) == feature.is_category
    ]
    if wrong:
        raise InputError(
            f"The model was trained with other types of features: {', '.join(wrong)}. "
            "Map the columns as they were in training, or train again."
        )


def _holds_numbers(column: pd.Series[Any]) -> bool:
    if column.dtype == object:
        return pd.api.types.infer_dtype(column, skipna=True) in _NUMBERS
    return bool(pd.api.types.is_numeric_dtype(column))


def _codes(column: pd.Series[Any], categories: Sequence[str]) -> Vector:
    place = {name: float(i) for i, name in enumerate(categories)}
    return np.array([np.nan if pd.isna(x) else place.get(str(x), np.nan) for x in column], dtype=np.float64)


def _numbers(column: pd.Series[Any]) -> Vector:
    if column.isna().all():
        return np.full(len(column), np.nan)
    return column.to_numpy(dtype=np.float64, na_value=np.nan)
