"""What every model must beat: risk from a few numbers, and value as the customer's own past rate."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import RegressorMixin

from holdfast.learning.binary_classifier import BinaryRiskClassifier
from holdfast.learning.inputs import counting_rows, on_one_blas_thread, weights
from holdfast.learning.ridge import describe, fit_linear
from holdfast.learning.snapshot_estimator import Columns, SnapshotEstimator
from holdfast.models.additive import Additive
from holdfast.models.calibration import IDENTITY
from holdfast.models.checks import Matrix, Vector
from holdfast.models.risk import RiskModel


class LogisticBaseline(BinaryRiskClassifier):
    """Ridge-logistic regression on the logarithms of a few columns: recency, frequency, value.

    Parameters
    ----------
    columns : columns or None
        Which enter, by name or place; None for all that hold numbers.
    penalty : float
        Weight of the ridge, in rows for each column.

    Examples
    --------
    >>> model = LogisticBaseline().fit([[5.0], [8.0], [90.0], [60.0]], [0, 0, 1, 1])
    >>> model.predict([[6.0], [70.0]])
    array([0, 1])
    """

    def __init__(self, columns: Columns = None, penalty: float = 1.0) -> None:
        self.columns = columns
        self.penalty = penalty

    @on_one_blas_thread
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        cutoff: ArrayLike | None = None,  # noqa: ARG002 - one interface for all classifiers
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn from snapshots; ``cutoff`` is taken for the sake of one interface and not used."""
        X, churned, weight = self._checked(X, y, sample_weight)
        X, churned, weight, _ = counting_rows(X, churned, weight, None)
        every = np.flatnonzero(~self.is_categorical_).tolist()
        columns = every if self.columns is None else self._places("columns", self.columns)
        described = describe(X, columns, weight)
        linear, _ = fit_linear(X, churned, described, objective="binary", penalty=self.penalty, weight=weight)
        return self._learnt(RiskModel(Additive(X.shape[1], linear, trees=None), IDENTITY), X, weight)


class MeanRateRegressor(RegressorMixin, SnapshotEstimator):
    """Value as the customer's own past: what it spent in a past window, times one rate for all.

    The rate is the ratio of total future value to total past spend in training, so the total is unbiased there.

    Parameters
    ----------
    column : column
        The past spend, by name or place; missing counts as 0.

    Examples
    --------
    >>> model = MeanRateRegressor().fit([[100.0], [300.0]], [20.0, 60.0])
    >>> model.predict([[50.0]])
    array([10.])
    """

    def __init__(self, column: int | str = 0) -> None:
        self.column = column

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True  # one column, no intercept
        return tags

    @on_one_blas_thread
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        cutoff: ArrayLike | None = None,  # noqa: ARG002 - one interface for all regressors
        sample_weight: ArrayLike | None = None,
    ) -> Self:
        """Learn the rate; ``cutoff`` is taken for the sake of one interface and not used."""
        X, y = self._learning_rows(X, y, numbers=True)
        (self._column,) = self._places("column", self.column, count=1)
        past, weight = self._past(X), weights(sample_weight, X)
        if weight is not None:
            past, y = past * weight, y * weight
        self.rate_ = float(np.sum(y) / past.sum()) if past.sum() > 0 else 0.0
        self._weigh(X, weight)
        return self

    def _importances(self, rows: Matrix, weight: Vector | None) -> Vector:  # noqa: ARG002 - the same for any rows
        return np.asarray((np.arange(rows.shape[1]) == self._column) * float(self.rate_ != 0))

    def _past(self, X: Matrix) -> Vector:
        return np.maximum(np.nan_to_num(X[:, self._column], nan=0.0), 0.0)

    def predict(self, X: ArrayLike) -> Vector:
        """Expected value, shape (n_rows,), in currency."""
        X = self._scoring_rows(X)
        return self.rate_ * self._past(X)
