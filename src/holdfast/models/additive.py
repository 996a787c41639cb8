"""A score that is a sum: a linear part on logarithmic features plus boosted trees.

``score(x) = intercept + sum_j coef_j * z_j(x_j) + trees(x)``, where ``z`` is the signed logarithm
``sign(x) log(1 + |x|)``, clipped to the range seen in training and standardised. Because it is a sum, its reasons add
up: a linear contribution is ``coef_j * z_j`` (``z`` has mean 0 in training), a tree contribution the exact SHAP value
(Lundberg et al. 2020, doi:10.1038/s42256-019-0138-9), which LightGBM computes as ``pred_contrib``.

Every operation works on each row by itself, so one row scored alone equals the same row scored among a million.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import lightgbm as lgb
import numpy as np

from holdfast.models.checks import Matrix, Vector, refuse_infinite, refuse_other_width
from holdfast.models.tree_text import require_sound_trees

_ROWS_WORTH_TWO_THREADS = 2_000
_ROWS_AT_ONCE = 1_024  # what is made of them on the way to a score stays in the processor's cache


def signed_logarithms(values: Matrix) -> Matrix:
    """``sign(x) log(1 + |x|)`` of each cell, in a matrix of its own."""
    logs = np.abs(values)
    np.log1p(logs, out=logs)
    return np.copysign(logs, values, out=logs)


def _threads(rows: int) -> int:
    """Two for many rows; one where the process was started as one of many, which OMP_THREAD_LIMIT says."""
    return min(2, int(os.environ.get("OMP_THREAD_LIMIT") or 2)) if rows >= _ROWS_WORTH_TWO_THREADS else 1


@dataclass(frozen=True)
class Linear:
    """Coefficients on standardised signed logarithms of some columns.

    Attributes
    ----------
    columns : array of int
        Which columns of the matrix enter.
    low, high, center, width : arrays, one value per entering column
        Range seen in training, and mean and standard deviation of the clipped logarithms; all on the logarithmic scale.
    fill : array, one value per entering column
        Stands in for a missing value: the median in training, on the logarithmic scale.
    """

    columns: Vector
    low: Vector
    high: Vector
    fill: Vector
    center: Vector
    width: Vector
    coef: Vector
    intercept: float

    @classmethod
    def constant(cls, value: float) -> Linear:
        """No columns, the same score for every row."""
        nothing = np.empty(0)
        return cls(nothing, nothing, nothing, nothing, nothing, nothing, nothing, value)

    def standardised(self, X: Matrix) -> Matrix:
        """The entering columns as the coefficients see them, shape (n_rows, n_entering)."""
        logs = signed_logarithms(X[:, self.columns.astype(np.intp)])
        missing = np.isnan(logs)
        np.clip(logs, self.low, self.high, out=logs)
        if missing.any():
            np.copyto(logs, self.fill, where=missing)
        logs -= self.center
        logs /= self.width
        return logs

    def score(self, X: Matrix) -> Vector:
        """Intercept plus the sum of contributions, one number per row."""
        total = np.full(len(X), self.intercept)
        for begin in range(0, len(X), _ROWS_AT_ONCE):
            some = slice(begin, begin + _ROWS_AT_ONCE)
            parts = self.standardised(X[some]) * self.coef
            for part in parts.T:  # column by column: a BLAS product depends on the row count
                total[some] += part
        return total

    def contributions(self, X: Matrix) -> Matrix:
        """One column per column of ``X`` (0 for those that do not enter), and the intercept last."""
        out = np.zeros((len(X), X.shape[1] + 1))
        out[:, self.columns.astype(np.intp)] = self.standardised(X) * self.coef
        out[:, -1] = self.intercept
        return out

    def to_json(self) -> dict[str, Any]:
        """Everything as plain lists and numbers."""
        arrays = {name: getattr(self, name).tolist() for name in ("columns", *_SHAPES)}
        return {**arrays, "intercept": self.intercept}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any], n_features: int) -> Linear:
        """Rebuild from :meth:`to_json`; raises ValueError if no matrix has these columns."""
        arrays = {name: np.asarray(stored[name], dtype=np.float64) for name in ("columns", *_SHAPES)}
        if (
            not np.isin(arrays["columns"], np.arange(n_features)).all()
            or len({each.shape for each in arrays.values()}) > 1
        ):
            raise ValueError("columns that no matrix has")
        return cls(**arrays, intercept=float(stored["intercept"]))


_SHAPES = ("low", "high", "fill", "center", "width", "coef")


@dataclass(frozen=True)
class Trees:
    """Boosted trees in LightGBM's text form, with its one surprise removed.

    Where a column had no missing value in training, LightGBM reads a missing value as 0. Here ``fill`` (the median
    in training) takes its place; a NaN in ``fill`` marks a column whose missing values the trees have learnt to treat.
    """

    text: str
    fill: Vector = field(repr=False)

    @cached_property
    def _booster(self) -> lgb.Booster:
        return lgb.Booster(model_str=self.text)

    def __getstate__(self) -> dict[str, Any]:
        return {"text": self.text, "fill": self.fill}

    def _predict(self, X: Matrix, **what: bool) -> Matrix:
        missing = np.isnan(X) & ~np.isnan(self.fill)
        if missing.any():
            X = np.where(missing, self.fill, X)
        return np.asarray(self._booster.predict(X, num_threads=_threads(len(X)), **what), dtype=np.float64)

    def score(self, X: Matrix) -> Vector:
        """The raw sum over trees, one number per row."""
        return self._predict(X, raw_score=True)

    def contributions(self, X: Matrix) -> Matrix:
        """Exact SHAP values, one column per feature and the expectation last."""
        return self._predict(X, pred_contrib=True)


@dataclass(frozen=True)
class Additive:
    """The sum of a linear part and trees; either may be absent."""

    n_features: int
    linear: Linear | None
    trees: Trees | None

    def _checked(self, X: Matrix) -> Matrix:
        X = np.ascontiguousarray(X, dtype=np.float64)
        refuse_other_width(X, self.n_features)
        refuse_infinite(X)
        return X

    def score(self, X: Matrix) -> Vector:
        """One number per row: log-odds, or the expected logarithm of an amount."""
        X = self._checked(X)
        total = np.zeros(len(X))
        for part in (self.linear, self.trees):
            if part is not None and len(X):
                total += part.score(X)
        return total

    def contributions(self, X: Matrix) -> Matrix:
        """Shape (n_rows, n_features + 1); each row sums to its score, the last column is the base."""
        X = self._checked(X)
        total = np.zeros((len(X), self.n_features + 1))
        for part in (self.linear, self.trees):
            if part is not None and len(X):
                total += part.contributions(X)
        return total

    def to_parts(self, name: str) -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description, and the text of the trees under the file name ``<name>.txt``."""
        about: dict[str, Any] = {"n_features": self.n_features, "linear": None, "trees": None}
        if self.linear is not None:
            about["linear"] = self.linear.to_json()
        if self.trees is None:
            return about, {}
        fill = [None if np.isnan(x) else float(x) for x in self.trees.fill]
        about["trees"] = {"file": f"{name}.txt", "fill": fill}
        return about, {f"{name}.txt": self.trees.text}

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> Additive:
        """Rebuild from :meth:`to_parts`."""
        n_features, linear, trees = int(about["n_features"]), about["linear"], about["trees"]
        if trees is not None:
            require_sound_trees(texts[trees["file"]], n_features)
        return cls(
            n_features=n_features,
            linear=None if linear is None else Linear.from_json(linear, n_features),
            trees=None
            if trees is None
            else Trees(texts[trees["file"]], np.array([np.nan if x is None else float(x) for x in trees["fill"]])),
        )
