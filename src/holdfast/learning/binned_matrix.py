"""A matrix whose columns are put into LightGBM's bins once, for all that is learnt from some of its rows.

The bins of a column say nothing of outcomes, so folds may share them; a tree learns from the rows of its fold alone.

Every cutoff has an intercept of its own (:mod:`holdfast.learning.cutoff_intercepts`), so columns that are constant
within every cutoff (the season, an index of the economy) have nothing to say about the score, and are left out: they
would name cutoffs, and the trees would learn each cutoff by heart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any

import lightgbm as lgb
import numpy as np

from holdfast.learning.folds import Rows
from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import of_rows
from holdfast.timeline import Instants

_ROWS_TO_BIN = 30_000  # tell where the bounds of bins lie as well as all rows do
_ROWS_WORTH_THREADS = 100_000  # below, threads wait for each other longer than they work, above all on a busy machine


def threads_worth(rows: int, n_jobs: int) -> int:
    """How many threads LightGBM gets for so many rows."""
    return n_jobs if rows >= _ROWS_WORTH_THREADS else 1


@dataclass(frozen=True, eq=False)
class BinnedMatrix:
    """The columns that scores are learnt from.

    Attributes
    ----------
    X : array of shape (n_rows, n_features)
        NaN means missing; columns that the cutoffs share are missing everywhere.
    categorical : sequence of int
    n_jobs, seed : int
    """

    X: Matrix
    categorical: Sequence[int]
    n_jobs: int
    seed: int
    _one_at_a_time: Lock = field(default_factory=Lock)

    @classmethod
    def of(
        cls, X: Matrix, cutoff: Instants | None, categorical: Sequence[int], *, n_jobs: int, seed: int
    ) -> BinnedMatrix:
        """Without the columns that are the same for all rows of a cutoff, at every cutoff, if there are several."""
        return cls(X if cutoff is None else _without_shared(X, cutoff), categorical, n_jobs, seed)

    @cached_property
    def _bins(self) -> lgb.Dataset:
        how: dict[str, Any] = {
            "feature_pre_filter": False,
            "deterministic": True,
            "force_col_wise": True,
            "enable_bundle": False,
            "bin_construct_sample_cnt": _ROWS_TO_BIN,
            "num_threads": threads_worth(len(self.X), self.n_jobs),
            "seed": self.seed,
            "verbosity": -1,
        }
        no_label = np.zeros(len(self.X))
        return lgb.Dataset(self.X, no_label, categorical_feature=list(self.categorical), params=how).construct()

    @cached_property
    def fill(self) -> Vector:
        """The median of columns without a missing value; NaN elsewhere and for categories."""
        fill = np.median(self.X, axis=0) if len(self.X) else np.full(self.X.shape[1], np.nan)  # NaN where a cell is NaN
        fill[list(self.categorical)] = np.nan
        return np.asarray(fill)

    def binned(self, rows: Rows, y: Vector, weight: Vector | None, start: Vector) -> lgb.Dataset:
        """Some rows, ascending, with their outcomes, weights and the scores that trees begin from."""
        with self._one_at_a_time:
            bins = self._bins
        found = bins.subset([])
        found.used_indices = rows  # given to subset, they would become a list of Python's numbers, and be sorted
        found.construct().set_label(y).set_weight(weight).set_init_score(start)
        return found


@dataclass(frozen=True, eq=False)
class LabelledRows:
    """Some rows of a matrix, ascending, and what came of them.

    Attributes
    ----------
    y, weight, cutoff : arrays of shape (n_rows,), or None
        Of these rows; ``y`` is 0 or 1, or a real number.
    """

    matrix: BinnedMatrix
    rows: Rows
    y: Vector
    weight: Vector | None = None
    cutoff: Instants | None = None

    @classmethod
    def some(
        cls, matrix: BinnedMatrix, rows: Rows, y: Vector, weight: Vector | None, cutoff: Instants | None
    ) -> LabelledRows:
        """Some rows of arrays that hold all."""
        return cls(matrix, rows, y[rows], of_rows(weight, rows), None if cutoff is None else cutoff[rows])

    def __len__(self) -> int:
        return len(self.rows)

    @cached_property
    def features(self) -> Matrix:
        """What is known of these rows."""
        return self.matrix.X if len(self) == len(self.matrix.X) else self.matrix.X[self.rows]

    def binned(self, start: Vector) -> lgb.Dataset:
        """For LightGBM, with the scores that trees begin from."""
        return self.matrix.binned(self.rows, self.y, self.weight, start)


def _without_shared(X: Matrix, cutoff: Instants) -> Matrix:
    ordered, at = X, cutoff
    if (np.diff(cutoff) < 0).any():
        by_cutoff = np.argsort(cutoff, kind="stable")
        ordered, at = X[by_cutoff], cutoff[by_cutoff]
    starts = np.flatnonzero(np.r_[True, np.diff(at) > 0])
    if len(starts) < 2:
        return X
    low, high = np.fmin.reduceat(ordered, starts, axis=0), np.fmax.reduceat(ordered, starts, axis=0)
    same = ((low == high) | np.isnan(low)).all(axis=0)
    if not same.any():
        return X
    X = X.copy()
    X[:, same] = np.nan
    return X
