"""From a table with named columns to the matrix that models take, the same in training and in scoring.

Numbers become float64. A category becomes its place in the list of categories seen in training, kept in the feature's
own record under ``categories``; an unknown or missing category becomes NaN, which the models treat as missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from holdfast.errors import BundleError
from holdfast.models.checks import InputError, Matrix, Vector, refuse_infinite

FeatureSpec = Mapping[str, Any]
_MOST_CATEGORIES = 100


def learn_categories(frame: pd.DataFrame, features: Sequence[FeatureSpec]) -> tuple[dict[str, Any], ...]:
    """The feature records, each category feature with the categories of ``frame`` (at most the 100 most frequent)."""
    return tuple(
        {**spec, "categories": _frequent(frame[str(spec["name"])])} if spec.get("dtype") == "category" else dict(spec)
        for spec in features
    )


def _frequent(column: pd.Series[Any]) -> list[str]:
    counts = column.dropna().astype(str).value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return sorted(str(name) for name, _ in ordered[:_MOST_CATEGORIES])


def categorical_columns(features: Sequence[FeatureSpec]) -> tuple[int, ...]:
    """Which columns of the matrix hold categories."""
    return tuple(i for i, spec in enumerate(features) if spec.get("dtype") == "category")


def to_matrix(frame: pd.DataFrame, features: Sequence[FeatureSpec]) -> Matrix:
    """Float64 matrix of shape (n_rows, n_features) in the order of the features; other columns are ignored.

    Raises
    ------
    BundleError
        Columns are missing; all of them are named.
    InputError
        A column holds text where numbers are wanted, or an infinite number.
    """
    names = [str(spec["name"]) for spec in features]
    missing = [name for name in names if name not in frame.columns]
    if missing:
        raise BundleError(
            f"The model wants {len(names)} feature columns; missing are {', '.join(missing)}. "
            "Build the features with the catalogue that the model was trained on, or train again."
        )
    X = np.empty((len(frame), len(names)))
    for i, spec in enumerate(features):
        X[:, i] = _codes(frame[names[i]], spec) if spec.get("dtype") == "category" else _numbers(frame[names[i]])
    refuse_infinite(X, names)
    return X


def _codes(column: pd.Series[Any], spec: FeatureSpec) -> Vector:
    place = {name: float(i) for i, name in enumerate(spec["categories"])}
    return np.array([np.nan if pd.isna(x) else place.get(str(x), np.nan) for x in column], dtype=np.float64)


def _numbers(column: pd.Series[Any]) -> Vector:
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError(
            f"Feature '{column.name}' wants numbers; found a column of type {column.dtype}. "
            "Convert it, or declare the feature as a category and train again."
        ) from None
