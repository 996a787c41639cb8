"""From a DataFrame of any types to numbers: a category becomes its place among those seen in training."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import infer_dtype, is_numeric_dtype

from holdfast.models.checks import InputError, Vector

FROM_DTYPE = "from_dtype"
_MOST_CATEGORIES = 100  # the most frequent; a column of names or keys would teach the trees its rows by heart
_NUMBERS = ("integer", "floating", "mixed-integer-float", "decimal", "boolean", "empty")
_CATEGORIES = ("categorical", "string", "bytes", "mixed", "mixed-integer")


def categories_of(frame: pd.DataFrame, declared: Collection[int] | None) -> dict[int, list[Any]]:
    """The categories of each column of text or of dtype ``category``, by its place.

    Parameters
    ----------
    declared : collection of int or None
        Places of the columns that may hold categories; None where their dtypes decide.

    Raises
    ------
    InputError
        A column holds neither numbers nor categories, or text and is not declared.
    """
    kinds = [infer_dtype(frame.iloc[:, j], skipna=True) for j in range(frame.shape[1])]
    names = [f"'{name}'" for name in frame.columns]
    other = [f"{name} ({kind})" for name, kind in zip(names, kinds, strict=True) if kind not in _NUMBERS + _CATEGORIES]
    if other:
        raise InputError(
            f"Wanted columns of numbers, text or categories, found {', '.join(other)}. Turn instants into numbers, "
            "such as days before the cutoff, or leave these columns out."
        )
    held = [j for j, kind in enumerate(kinds) if kind in _CATEGORIES and (declared is None or j in declared)]
    text = [name for j, name in enumerate(names) if j not in held and _is_text(frame.iloc[:, j], kinds[j])]
    if text:
        raise InputError(
            f"Wanted numbers in the columns that categorical_features does not name, found text in {', '.join(text)}. "
            f"Name them there, or leave it at '{FROM_DTYPE}'."
        )
    return {j: _frequent(frame.iloc[:, j]) for j in held}


def _is_text(column: pd.Series[Any], kind: str) -> bool:
    return not is_numeric_dtype(column.cat.categories) if kind == "categorical" else kind in _CATEGORIES


def _frequent(column: pd.Series[Any]) -> list[Any]:
    counts = column.astype(object).value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-item[1], str(item[0])))
    return sorted((category for category, _ in ordered[:_MOST_CATEGORIES]), key=str)


def encoded(frame: pd.DataFrame, categories: Mapping[int, list[Any]]) -> pd.DataFrame:
    """The same columns in float64; NaN stands for what is missing, and for a category that was not seen in training."""
    columns = [
        _codes(column, categories[j]) if j in categories else _numbers(column)
        for j, column in enumerate(frame.iloc[:, j] for j in range(frame.shape[1]))
    ]
    values = np.column_stack(columns) if columns else np.empty(frame.shape)
    return pd.DataFrame(values, index=frame.index, columns=frame.columns)


def _codes(column: pd.Series[Any], categories: list[Any]) -> Vector:
    codes = pd.Index(categories, dtype=object).get_indexer(pd.Index(column.astype(object), dtype=object))
    return np.where(codes < 0, np.nan, codes)


def _numbers(column: pd.Series[Any]) -> Vector:
    try:
        return column.to_numpy(dtype=np.float64, na_value=np.nan)
    except (TypeError, ValueError):
        raise InputError(
            f"Wanted numbers in column '{column.name}', as in training; found a column of type {column.dtype}. "
            "Convert it, or fit again with what it holds now."
        ) from None
