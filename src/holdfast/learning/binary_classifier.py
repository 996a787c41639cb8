"""What all risk classifiers share: checks, labels, and the answers of what was fitted."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import ClassifierMixin
from sklearn.utils.multiclass import type_of_target

from holdfast.learning.inputs import weights
from holdfast.learning.snapshot_estimator import Columns, SnapshotEstimator, importances
from holdfast.learning.tables import FROM_DTYPE
from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.risk import RiskModel


class BinaryRiskClassifier(ClassifierMixin, SnapshotEstimator):
    """What all risk classifiers share: checks, labels, and the answers of a fitted :class:`RiskModel`."""

    model_: RiskModel

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        return tags

    def _checked(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None, categorical_features: Columns = FROM_DTYPE
    ) -> tuple[Matrix, Vector, Vector | None]:
        """Matrix, 0/1 outcomes and weights; learns ``classes_``, the second of which is churn."""
        X, y = self._learning_rows(X, y, numbers=False, categorical_features=categorical_features)
        kind = type_of_target(y, input_name="y", raise_unknown=True)
        if kind != "binary":
            raise InputError(
                f"Only binary classification is supported. The type of the target is {kind}. "
                "Give 1 for customers who churned and 0 for the others."
            )
        self.classes_, codes = np.unique(y, return_inverse=True)
        weight = weights(sample_weight, X)
        if len(self.classes_) < 2 or (weight is not None and np.ptp(codes[weight > 0]) == 0):
            raise InputError(
                f"Wanted customers who churned and customers who stayed; found one class only in "
                f"{len(y)} rows of positive weight. Change the definition of churn or the cutoffs until both occur."
            )
        return X, codes.astype(np.float64), weight

    def _learnt(self, model: RiskModel, X: Matrix, weight: Vector | None) -> Self:
        """The estimator with its model, which learnt from these rows."""
        self.model_ = model
        self._weigh(X, weight)
        return self

    def _importances(self, rows: Matrix, weight: Vector | None) -> Vector:
        return importances(self.model_.contributions(rows)[:, :-1], weight)

    def decision_function(self, X: ArrayLike) -> Vector:
        """Calibrated log-odds of churn, shape (n_rows,)."""
        X = self._scoring_rows(X)
        return self.model_.log_odds(X)

    def predict_proba(self, X: ArrayLike) -> Matrix:
        """Probabilities, shape (n_rows, 2); the second column is churn."""
        X = self._scoring_rows(X)
        p = self.model_.probability(X)
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> Any:
        """The likelier class."""
        likelier = (self.decision_function(X) > 0).astype(int)
        return self.classes_[likelier]

    def contributions(self, X: ArrayLike) -> Matrix:
        """Shape (n_rows, n_features + 1): rows sum to ``decision_function`` within 1e-9; the base is last."""
        X = self._scoring_rows(X)
        return self.model_.contributions(X)
