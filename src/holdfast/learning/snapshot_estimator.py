"""What all estimators share: they read tables and matrices, know columns by name or place, and say what weighs most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from holdfast.learning.tables import FROM_DTYPE, categories_of, encoded
from holdfast.models.checks import InputError, Matrix, Vector, refuse_infinite
from holdfast.models.quantiles import of_rows

Columns = Sequence[int] | Sequence[str] | int | str | None
"""Columns of X by place or, where X is a DataFrame, by name; or a mask with one truth value a column."""

_ROWS_THAT_WEIGH = 1_000  # of those learnt from; more tell the same importances and cost more
_COLUMNS_TO_LIST = 12


class SnapshotEstimator(BaseEstimator):
    """An estimator over snapshots: a DataFrame, whose text and categories it encodes itself, or a matrix of numbers.

    Attributes
    ----------
    n_features_in_, feature_names_in_ :
        As in scikit-learn.
    categories_ : dict of int to list
        The categories that a DataFrame had in training, by place of their column, in the order of their codes: the
        matrices that ``model_`` takes hold the codes. In a DataFrame to predict, categories may come in any order and
        type; one that was not seen counts as missing.
    is_categorical_ : array of bool, shape (n_features_in_,)
    feature_importances_ : array of shape (n_features_in_,)
        Mean size of what each column contributes to the score, over at most 1,000 rows taken evenly from those learnt
        from; they add up to 1, or are all 0 where nothing tells customers apart.
    """

    n_features_in_: int
    categories_: dict[int, list[Any]]
    is_categorical_: NDArray[np.bool_]
    _weighing_rows: tuple[Matrix, Vector | None]

    @cached_property
    def feature_importances_(self) -> Vector:
        """Mean size of what each column contributes, as shares; worked out when it is first asked for."""
        check_is_fitted(self)
        return self._importances(*self._weighing_rows)

    def _importances(self, rows: Matrix, weight: Vector | None) -> Vector:
        raise NotImplementedError

    def _weigh(self, rows: Matrix, weight: Vector | None) -> None:
        """Keep the rows over which importances are taken; those of an earlier fit are forgotten."""
        self.__dict__.pop("feature_importances_", None)
        self._weighing_rows = evenly(rows, weight)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        return tags

    @property
    def _categorical(self) -> tuple[int, ...]:
        """Places of the columns that hold categories."""
        return tuple(np.flatnonzero(self.is_categorical_).tolist())

    def _learning_rows(
        self, X: ArrayLike, y: ArrayLike, *, numbers: bool, categorical_features: Columns = FROM_DTYPE
    ) -> tuple[Matrix, NDArray[Any]]:
        """Matrix and target of :meth:`fit`; ``numbers`` asks for a float64 target."""
        self.categories_ = {}
        from_dtype = isinstance(categorical_features, str) and categorical_features == FROM_DTYPE
        declared: tuple[int, ...] = ()
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, skip_check_array=True)  # learns the names
            declared = () if from_dtype else self._places("categorical_features", categorical_features)
            self.categories_ = categories_of(X, None if from_dtype else declared)
            X = encoded(X, self.categories_)
        matrix, target = validate_data(
            self, X, y, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=2, y_numeric=numbers
        )
        if not from_dtype:
            declared = self._places("categorical_features", categorical_features)
        self.is_categorical_ = np.isin(np.arange(self.n_features_in_), [*declared, *self.categories_])
        self._refuse_infinite(matrix)
        return np.ascontiguousarray(matrix), np.asarray(target, dtype=np.float64) if numbers else np.asarray(target)

    def _scoring_rows(self, X: ArrayLike) -> Matrix:
        """Matrix of a method that needs a fitted estimator; none of its rows is no error."""
        check_is_fitted(self)
        return self._more_rows(X)

    def _more_rows(self, X: ArrayLike) -> Matrix:
        """Matrix with the columns that :meth:`_learning_rows` has seen."""
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, skip_check_array=True, reset=False)  # names, before what they hold
            X = encoded(X, self.categories_)
        matrix = validate_data(self, X, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=0, reset=False)
        self._refuse_infinite(matrix)
        return np.ascontiguousarray(matrix)

    def _refuse_infinite(self, matrix: Matrix) -> None:
        refuse_infinite(matrix, getattr(self, "feature_names_in_", None))

    def _places(self, parameter: str, columns: Columns, *, count: int | None = None) -> tuple[int, ...]:
        """Places of the columns that a parameter gives by name, by place or as a mask.

        Parameters
        ----------
        count : int, optional
            So many columns of numbers, or none.
        """
        width, names = self.n_features_in_, list(getattr(self, "feature_names_in_", ()))
        if columns is None:
            return ()
        given: list[Any] = [columns] if isinstance(columns, str | int | np.integer) else list(columns)
        if len(given) == width and all(isinstance(each, bool | np.bool_) for each in given):
            given = np.flatnonzero(given).tolist()
        place: dict[Any, int] = {i: i for i in range(width)} | {name: i for i, name in enumerate(names)}
        unknown = [each for each in given if isinstance(each, bool | np.bool_) or each not in place]
        if unknown:
            there = ", ".join(names[:_COLUMNS_TO_LIST]) + (", …" if len(names) > _COLUMNS_TO_LIST else "")
            raise InputError(
                f"Wanted columns of X as {parameter}; X has no {', '.join(map(repr, unknown))}. It has {width} "
                f"columns, numbered from 0, {f'named {there}' if names else 'without names'}."
            )
        found = tuple(place[each] for each in given)
        if count is not None and found and (len(found) != count or self.is_categorical_[list(found)].any()):
            raise InputError(
                f"Wanted as many columns of numbers as {parameter} has, {count}, or none; found "
                f"{', '.join(map(repr, given))}{' with categories' if len(found) == count else ''}."
            )
        return found

    def _directions(
        self, monotonic_cst: ArrayLike | Mapping[str, int] | None, refused: Mapping[str, Sequence[int]]
    ) -> tuple[int, ...]:
        """1, -1 or 0 for each column; ``refused`` holds columns that can have no direction, by what they do."""
        width = self.n_features_in_
        if isinstance(monotonic_cst, Mapping):
            given = np.zeros(width)
            given[list(self._places("monotonic_cst", list(monotonic_cst)))] = list(monotonic_cst.values())
        else:
            given = np.zeros(width) if monotonic_cst is None else np.asarray(monotonic_cst)
        if given.shape != (width,) or not np.isin(given, (-1, 0, 1)).all():
            raise InputError(
                f"Wanted 1, -1 or 0 for each of {width} columns as monotonic_cst, found {given.tolist()}. Give one for "
                "each, or a dict by name where X has names."
            )
        for reason, columns in refused.items():
            for column in columns:
                if given[column]:
                    raise InputError(
                        "Wanted monotonic_cst of columns whose direction can be kept to, found "
                        f"{given[column]:g} for column {column}, which {reason}. Give 0 for it."
                    )
        return tuple(int(each) for each in given)


def evenly(X: Matrix, weight: Vector | None) -> tuple[Matrix, Vector | None]:
    """The rows, and their weights, over which importances are taken."""
    some = np.arange(0, len(X), max(1, -(-len(X) // _ROWS_THAT_WEIGH)))
    return X[some], of_rows(weight, some)


def importances(parts: Matrix, weight: Vector | None = None) -> Vector:
    """Mean size of each column's contributions, as shares of their sum; 0 for all where it is 0."""
    size = np.average(np.abs(parts), axis=0, weights=weight)
    return np.asarray(size / (size.sum() or 1.0))
