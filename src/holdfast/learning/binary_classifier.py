"""What all risk classifiers share: checks, labels, and the answers of what was fitted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from holdfast.learning.inputs import learning_rows, scoring_rows, weights
from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.risk import RiskModel


class BinaryRiskClassifier(ClassifierMixin, BaseEstimator):
    """What all risk classifiers share: checks, labels, and the answers of a fitted :class:`RiskModel`."""

    answers_with: ClassVar[Any] = RiskModel
    """The class of ``model_``."""

    model_: RiskModel

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.classifier_tags.multi_class = False
        return tags

    def _checked(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[Matrix, Vector, Vector | None]:
        """Matrix, 0/1 outcomes and weights; learns ``classes_``, the second of which is churn."""
        X, y = learning_rows(self, X, y, numbers=False)
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

    def decision_function(self, X: ArrayLike) -> Vector:
        """Calibrated log-odds of churn, shape (n_rows,)."""
        X = scoring_rows(self, X)
        return self.model_.log_odds(X)

    def predict_proba(self, X: ArrayLike) -> Matrix:
        """Probabilities, shape (n_rows, 2); the second column is churn."""
        X = scoring_rows(self, X)
        p = self.model_.probability(X)
        return np.column_stack([1 - p, p])

    def predict(self, X: ArrayLike) -> Any:
        """The likelier class."""
        likelier = (self.decision_function(X) > 0).astype(int)
        return self.classes_[likelier]

    def contributions(self, X: ArrayLike) -> Matrix:
        """Shape (n_rows, n_features + 1): rows sum to ``decision_function`` within 1e-9; the base is last."""
        X = scoring_rows(self, X)
        return self.model_.contributions(X)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """What the fitted model computes, as JSON and as texts of trees by file name."""
        check_is_fitted(self)
        return self.model_.to_parts()

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> Self:
        """A fitted estimator with default parameters that answers as the stored one; classes are 0 and 1."""
        found = cls()
        found.model_ = cls.answers_with.from_parts(about, texts)
        found.classes_, found.n_features_in_ = np.array([0, 1]), found.model_.n_features
        return found
