"""The churn classifier: additive, regularised, stopped and calibrated on later cutoffs, refitted on all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from holdfast.models.boosting import Recipe, best_recipe, fit_rounds
from holdfast.models.calibration import IDENTITY, Trial, choose
from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.folds import Rows, forward_folds, random_folds
from holdfast.models.inputs import instants, learning_rows, on_one_blas_thread, scoring_rows, weights
from holdfast.models.quantiles import of_rows
from holdfast.models.risk import RiskModel

_FOLDS = 4
_FEWEST_TO_TRY = 20  # rows of each kind that a fold needs


class BinaryRiskClassifier(ClassifierMixin, BaseEstimator):
    """What all risk classifiers share: checks, labels, and the answers of a fitted :class:`RiskModel`."""

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
        found.model_ = RiskModel.from_parts(about, texts)
        found.classes_, found.n_features_in_ = np.array([0, 1]), found.model_.n_features
        return found


class AtRiskClassifier(BinaryRiskClassifier):
    """Calibrated churn risk: a ridge-logistic base plus boosted trees, and a level by the time of the year.

    With ``cutoff`` in :meth:`fit`, every cutoff has a level of its own, which is forecast for the year to come
    (:mod:`holdfast.models.levels`); up to four later cutoffs, each at least ``purge_days`` after what it learns from,
    decide the weight of the ridge, the number of trees (perhaps none) and the calibration (identity, shift or Platt, by
    its record on cutoffs that it had not seen); then the model learns from all rows. Without it, a stratified fifth of
    the rows decides the ridge and the number of trees.

    Parameters
    ----------
    learning_rate, num_leaves, feature_fraction, bagging_fraction, reg_lambda :
        As in LightGBM; a tree sees at least ten columns.
    min_child_samples : int
        Rows a leaf, but never more than a twentieth of all rows.
    n_estimators : int
        At most so many trees.
    linear_penalty : float or sequence of float
        Weight of the ridge, in rows for each column; of several, the one with the least loss on later cutoffs.
    categorical_features : sequence of int
        Columns whose numbers are codes of categories.
    season_columns : sequence of int
        Columns of the sine and the cosine of the year's angle; empty if there are none: then the level is one number.
    purge_days : float
        Days from a cutoff until its outcome is complete: gap plus horizon.
    n_jobs : int
        Folds at once; threads for 100,000 rows and more; the result does not depend on it.
    random_state : int
        Seed of the samples that the trees draw.

    Attributes
    ----------
    model_ : RiskModel
        What the fitted classifier computes.
    n_trees_ : int
    linear_penalty_ : float
    calibration_record_ : dict
        Which calibration was chosen, and the log loss of each candidate on the cutoffs where it was tried.
    """

    def __init__(
        self,
        learning_rate: float = 0.03,
        num_leaves: int = 15,
        min_child_samples: int = 200,
        n_estimators: int = 400,
        *,
        feature_fraction: float = 0.3,
        bagging_fraction: float = 0.5,
        reg_lambda: float = 10.0,
        linear_penalty: float | Sequence[float] = (3.0, 100.0),
        categorical_features: Sequence[int] = (),
        season_columns: Sequence[int] = (),
        purge_days: float = 0,
        n_jobs: int = 2,
        random_state: int = 0,
    ) -> None:
        self.learning_rate = learning_rate
        self.num_leaves = num_leaves
        self.min_child_samples = min_child_samples
        self.n_estimators = n_estimators
        self.feature_fraction = feature_fraction
        self.bagging_fraction = bagging_fraction
        self.reg_lambda = reg_lambda
        self.linear_penalty = linear_penalty
        self.categorical_features = categorical_features
        self.season_columns = season_columns
        self.purge_days = purge_days
        self.n_jobs = n_jobs
        self.random_state = random_state

    @on_one_blas_thread
    def fit(
        self, X: ArrayLike, y: ArrayLike, *, cutoff: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn from snapshots.

        Parameters
        ----------
        X : array of shape (n_rows, n_features)
            NaN means missing.
        y : array of shape (n_rows,)
            Two classes; the greater one is churn.
        cutoff : array of int64, shape (n_rows,), optional
            The instant of each snapshot, microseconds UTC.
        sample_weight : array of shape (n_rows,), optional
            How many rows each stands for; regularisation counts in rows, so weights that average 1 leave it as it is.

        Raises
        ------
        InputError
            No rows, one class only, an infinite cell.
        """
        X, churned, weight = self._checked(X, y, sample_weight)
        at = instants(cutoff, len(churned))
        if weight is not None and (weight == 0).any():
            there = weight > 0
            X, churned, weight, at = X[there], churned[there], weight[there], None if at is None else at[there]

        def usable(train: Rows, test: Rows) -> bool:
            counts = [np.bincount(churned[rows].astype(int), minlength=2) for rows in (train, test)]
            return int(np.min(counts)) >= _FEWEST_TO_TRY

        folds = [] if at is None else forward_folds(at, self.purge_days, count=_FOLDS, usable=usable)
        ahead = bool(folds)
        if not ahead:
            folds = random_folds(churned.astype(np.int64), count=1, share=0.2, seed=self.random_state)
            folds = [fold for fold in folds if usable(fold.train, fold.test)]
        recipes = Recipe.of("binary", self.get_params())
        recipe, self.n_trees_, models = best_recipe(recipes, X, churned, folds, weight=weight, cutoff=at)
        self.linear_penalty_ = recipe.linear_penalty
        calibration, self.calibration_record_ = IDENTITY, {"chosen": "identity", "log_loss": {}}
        if ahead:
            trials = [
                Trial(
                    fold.cutoff,
                    fold.known_at,
                    model.score.score(X[fold.test]) + model.at(fold.cutoff, self.purge_days),
                    churned[fold.test],
                    of_rows(weight, fold.test),
                )
                for fold, model in zip(folds, models, strict=True)
            ]
            calibration, self.calibration_record_ = choose(trials)
        rounds = fit_rounds(recipe, X, churned, n_trees=max(self.n_trees_, 1), weight=weight, cutoff=at)
        learnt = rounds.upto(self.n_trees_)
        self.model_ = RiskModel(
            learnt.score, calibration, learnt.year_ahead(X, at, self.purge_days, self.season_columns)
        )
        return self
