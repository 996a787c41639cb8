"""What every model must beat: risk from three numbers, risk from one, and value as the customer's own past rate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin

from holdfast.learning.binary_classifier import BinaryRiskClassifier
from holdfast.learning.inputs import learning_rows, on_one_blas_thread, scoring_rows, weights
from holdfast.learning.ridge import fit_linear
from holdfast.models.additive import Additive
from holdfast.models.calibration import IDENTITY
from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.risk import RiskModel


class LogisticBaseline(BinaryRiskClassifier):
    """Ridge-logistic regression on the logarithms of a few columns: recency, frequency, value.

    Parameters
    ----------
    columns : sequence of int or None
        Which columns enter; None for all.
    penalty : float
        Weight of the ridge, in rows for each column.
    """

    def __init__(self, columns: Sequence[int] | None = None, penalty: float = 1.0) -> None:
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
        if weight is not None:
            X, churned, weight = X[weight > 0], churned[weight > 0], weight[weight > 0]
        columns = range(X.shape[1]) if self.columns is None else self.columns
        linear = fit_linear(X, churned, list(columns), objective="binary", penalty=self.penalty, weight=weight)
        self.model_ = RiskModel(Additive(X.shape[1], linear, trees=None), IDENTITY)
        return self


class RecencyBaseline(LogisticBaseline):
    """Logistic regression on the days since the last sign of life alone.

    Parameters
    ----------
    column : int
        Which column holds the days.
    """

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # one column
        return tags

    @property
    def columns(self) -> tuple[int, ...]:  # type: ignore[override] # one column is this baseline's definition
        """The one column."""
        return (self.column,)

    @property
    def penalty(self) -> float:  # type: ignore[override] # nothing to choose
        """One row's worth."""
        return 1.0


class MeanRateRegressor(RegressorMixin, BaseEstimator):
    """Value as the customer's own past: what it spent in a past window, times one rate for all.

    The rate is the ratio of total future value to total past spend in training, so the total is unbiased there.

    Parameters
    ----------
    column : int
        Which column holds the past spend; missing counts as 0.
    """

    def __init__(self, column: int = 0) -> None:
        self.column = column

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
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
        X, y = learning_rows(self, X, y, numbers=True)
        if not 0 <= self.column < X.shape[1]:
            raise InputError(f"Wanted a column between 0 and {X.shape[1] - 1}, found {self.column}.")
        past, weight = self._past(X), weights(sample_weight, X)
        if weight is not None:
            past, y = past * weight, y * weight
        self.rate_ = float(np.sum(y) / past.sum()) if past.sum() > 0 else 0.0
        return self

    def _past(self, X: Matrix) -> Vector:
        return np.maximum(np.nan_to_num(X[:, self.column], nan=0.0), 0.0)

    def predict(self, X: ArrayLike) -> Vector:
        """Expected value, shape (n_rows,), in currency."""
        X = scoring_rows(self, X)
        return self.rate_ * self._past(X)
