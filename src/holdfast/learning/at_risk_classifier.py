"""The churn classifier: additive, regularised, stopped and calibrated on later cutoffs, refitted on all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from holdfast.learning.binary_classifier import BinaryRiskClassifier
from holdfast.learning.binned_matrix import BinnedMatrix
from holdfast.learning.boosted_estimator import BoostedEstimator
from holdfast.learning.boosting import Recipe
from holdfast.learning.btyd.customer_base import CustomerBaseLearner, at_each_cutoff
from holdfast.learning.calibration_choice import CalibrationTrial, choose_calibration
from holdfast.learning.folds import Rows, forward_folds, random_folds
from holdfast.learning.inputs import counting_rows, instants, on_one_blas_thread, without_columns
from holdfast.learning.recipe_search import SearchData
from holdfast.learning.tuning import choose_recipe
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.calibration import IDENTITY
from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import of_rows
from holdfast.models.risk import RiskModel
from holdfast.timeline import Instants

_FOLDS_TO_TUNE = 3
_MOST_CUSTOMERS = 20_000  # of a cutoff teach the customer base; more give the same three or four parameters
_FEWEST_TO_TRY = 20  # rows of each kind that a fold needs
_A_CATEGORY = "holds categories, and these have no order"
_OF_THE_BASE = "the customer base reads, whose odds have a shape of their own"
_OF_THE_YEAR = "tells the time of the year, by which the level goes up and down"


@dataclass(eq=False, repr=False, kw_only=True)
class AtRiskClassifier(BinaryRiskClassifier, BoostedEstimator):
    """Calibrated churn risk: a ridge-logistic base plus boosted trees, and a level by the time of the year.

    With ``cutoff`` in :meth:`fit`, every cutoff has a level of its own, which is forecast for the year to come
    (:mod:`holdfast.learning.cutoff_intercepts`); up to ``n_folds`` later cutoffs, each at least ``purge_days`` after
    what it learns from, decide the weight of the ridge, the number of trees (perhaps none) and the calibration
    (identity, shift or Platt, by its record on cutoffs that it had not seen); then the model learns from all rows.
    Without it, or with one cutoff alone, a stratified fifth of the rows (three, if ``tuning`` is asked for) decides the
    ridge and the number of trees. Where of several cutoffs none can judge, which takes 20 rows of each kind, nobody
    does, and there are no trees.

    Parameters
    ----------
    learning_rate, num_leaves, min_child_samples, n_estimators, feature_fraction, bagging_fraction, reg_lambda, \
linear_penalty, categorical_features, season_columns, history_columns, accumulating_columns, bought_within_days, \
horizon_days, purge_days, n_folds, n_jobs, random_state, tuning :
        As in :class:`~holdfast.learning.boosted_estimator.BoostedEstimator`.
    monotonic_cst : array-like of int of shape (n_features,), or dict of column name to int, optional
        As in scikit-learn's trees: 1 for columns with which, all else equal, the risk never falls, -1 for those with
        which it never rises, 0 for the others. Log-odds keep to it for every row, up to rounding, and so does what the
        column contributes to them. Values that are missing have no direction. Categories, columns of the season and
        of the history can have none; one that accumulates keeps to it by having no say.

    Attributes
    ----------
    model_ : RiskModel
        What the fitted classifier computes.
    feature_importances_ : array of shape (n_features_in_,)
        Mean size of what each column contributes to the log-odds, by ridge, trees and customer base together, over at
        most 1,000 of the training rows; they add up to 1.
    n_trees_ : int
    recipe_ : dict
        The ``num_leaves`` and ``linear_penalty`` that were chosen.
    choice_record_ : dict
        What the score is made of ("customer base", "ridge" or "ridge and trees"), and the least log loss of each at the
        latest of the later cutoffs, after the best shift of its level.
    calibration_record_ : dict
        Which calibration was chosen, and the log loss of each candidate on the cutoffs where it was tried.
    tuning_record_ : dict or None
        Which parameters were chosen and why; None without a search.

    Examples
    --------
    >>> import numpy as np
    >>> import pandas as pd
    >>> draw = np.random.default_rng(0)
    >>> customers = pd.DataFrame(
    ...     {"days_since_order": draw.exponential(60, 800), "channel": draw.choice(["shop", "web"], 800)}
    ... )
    >>> months = pd.date_range("2024-01-01", periods=4, freq="MS").repeat(200)
    >>> log_odds = customers["days_since_order"] / 30 - 2 + (customers["channel"] == "web")
    >>> churned = draw.random(800) < 1 / (1 + np.exp(-log_odds))
    >>> model = AtRiskClassifier(purge_days=30).fit(customers, churned, cutoff=months)
    >>> silent = pd.DataFrame({"days_since_order": [5.0, 150.0], "channel": ["shop", "web"]})
    >>> model.predict(silent)
    array([False,  True])
    """

    monotonic_cst: ArrayLike | Mapping[str, int] | None = None

    @on_one_blas_thread
    def fit(
        self,
        X: ArrayLike,
        y: ArrayLike,
        *,
        cutoff: ArrayLike | None = None,
        sample_weight: ArrayLike | None = None,
        recent: ArrayLike | None = None,
    ) -> Self:
        """Learn from snapshots.

        Parameters
        ----------
        X : DataFrame or array of shape (n_rows, n_features)
            NaN means missing.
        y : array of shape (n_rows,)
            Two classes; the greater one is churn.
        cutoff : array of datetimes or int64, shape (n_rows,), optional
            The instant of each snapshot; in UTC where it has no zone. Integers are microseconds since 1970.
        sample_weight : array of shape (n_rows,), optional
            How many rows each stands for; regularisation counts in rows, so weights that average 1 leave it as it is.
        recent : array of shape (n_customers, n_features), optional
            Customers as they are now, before anybody knows their outcome. The customer base is learnt from them, so it
            is not an outcome window old when it scores.

        Raises
        ------
        InputError
            No rows, one class only, an infinite cell; columns that X does not have; a cutoff that is no instant; or a
            direction of a column that can have none.
        """
        X, churned, weight = self._checked(X, y, sample_weight, self.categorical_features)
        season = self._places("season_columns", self.season_columns, count=2)
        base = self._customer_base("bg_nbd")
        kept = {_A_CATEGORY: self._categorical, _OF_THE_BASE: base.columns.places if base else (), _OF_THE_YEAR: season}
        declared = {
            "categorical_features": self._categorical,
            "monotonic_cst": self._directions(self.monotonic_cst, kept),
        }
        X, churned, weight, at = counting_rows(X, churned, weight, instants(cutoff, len(churned)))

        def usable(train: Rows, test: Rows) -> bool:
            counts = [np.bincount(churned[rows].astype(int), minlength=2) for rows in (train, test)]
            return int(np.min(counts)) >= _FEWEST_TO_TRY

        folds = [] if at is None else forward_folds(at, self.purge_days, count=self.n_folds, usable=usable)
        ahead = bool(folds)
        if at is None or at.min() == at.max():  # of several cutoffs, rows at random share customers and outcomes
            count = 1 if self.tuning is None else _FOLDS_TO_TUNE
            folds = random_folds(churned.astype(np.int64), count=count, share=0.2, seed=self.random_state)
            folds = [fold for fold in folds if usable(fold.train, fold.test)]
        given, (X, history) = X, self._with_history(X, base, at, weight, recent)
        recipes = Recipe.of("binary", self.get_params() | declared)
        if history is not None:
            recipes.append(replace(recipes[0], columns=(X.shape[1] - 1,), n_estimators=0))
        matrix = BinnedMatrix.of(X, at, self._categorical, n_jobs=self.n_jobs, seed=self.random_state)
        data = SearchData(matrix, churned, weight, at)
        chosen, self.tuning_record_ = choose_recipe(recipes, data, folds, self.tuning, what="risk")
        self.n_trees_ = chosen.n_trees
        self.recipe_ = chosen.recipe.chosen
        self.choice_record_ = {"chosen": chosen.named, "log_loss": dict(chosen.losses)}
        calibration, self.calibration_record_ = IDENTITY, {"chosen": "identity", "log_loss": {}}
        if ahead:
            trials = [
                CalibrationTrial(
                    fold.cutoff,
                    fold.known_at,
                    model.score.score(X[fold.test]) + model.at(fold.cutoff, self.purge_days),
                    churned[fold.test],
                    of_rows(weight, fold.test),
                )
                for fold, model in zip(folds, chosen.models, strict=True)
            ]
            calibration, self.calibration_record_ = choose_calibration(trials)
        learnt = data.whole(chosen.recipe, self.n_trees_)
        level = learnt.year_ahead(given, at, self.purge_days, season)
        return self._learnt(RiskModel(learnt.score, calibration, level, history), given, weight)

    def _with_history(
        self,
        X: Matrix,
        base: CustomerBaseLearner | None,
        cutoff: Instants | None,
        weight: Vector | None,
        recent: ArrayLike | None,
    ) -> tuple[Matrix, HistoryRisk | None]:
        """What the score reads: columns that accumulate are blank, and the odds of the customer base come last."""
        blank = without_columns(X, self._places("accumulating_columns", self.accumulating_columns))
        if base is None:
            return blank, None

        def learn(rows: Matrix, weight: Vector | None, before: HistoryRisk | None) -> HistoryRisk | None:
            chosen = base.some_rows(rows, weight, _MOST_CUSTOMERS)
            return None if chosen is None else base.risk(*chosen, near=None if before is None else before.model)

        found, history = at_each_cutoff(learn, X, cutoff, weight, None if recent is None else self._more_rows(recent))
        if history is None:
            return blank, None
        odds = np.full(len(X), np.nan)
        for rows, risk in found:
            if risk is not None:
                odds[rows] = np.exp(risk.log_odds(X[rows]))
        return np.column_stack([blank, odds]), history
