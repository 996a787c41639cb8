"""The churn classifier: additive, regularised, stopped and calibrated on later cutoffs, refitted on all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Self

import numpy as np
from numpy.typing import ArrayLike

from holdfast.learning.binary_classifier import BinaryRiskClassifier
from holdfast.learning.boosting import Recipe, fit_rounds
from holdfast.learning.btyd.customer_base import Base, at_each_cutoff
from holdfast.learning.calibration_choice import Trial, choose
from holdfast.learning.folds import Rows, forward_folds, random_folds
from holdfast.learning.inputs import counting_rows, directions, instants, more_rows, on_one_blas_thread, without_columns
from holdfast.learning.recipe_search import Ground
from holdfast.learning.tuning import choose_recipe
from holdfast.learning.tuning_settings import Tuning
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.calibration import IDENTITY
from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import of_rows
from holdfast.models.risk import RiskModel
from holdfast.timeline import Instants

_FOLDS, _FOLDS_TO_TUNE = 4, 3
_BASE, _PENALTY = "bg_nbd", 1.0
_MOST_CUSTOMERS = 20_000  # of a cutoff teach the customer base; more give the same three or four parameters
_FEWEST_TO_TRY = 20  # rows of each kind that a fold needs
_A_CATEGORY = "holds categories, and these have no order"
_OF_THE_BASE = "the customer base reads, whose odds have a shape of their own"
_OF_THE_YEAR = "tells the time of the year, by which the level goes up and down"


class AtRiskClassifier(BinaryRiskClassifier):
    """Calibrated churn risk: a ridge-logistic base plus boosted trees, and a level by the time of the year.

    With ``cutoff`` in :meth:`fit`, every cutoff has a level of its own, which is forecast for the year to come
    (:mod:`holdfast.learning.cutoff_intercepts`); up to four later cutoffs, each at least ``purge_days`` after what it
    learns from, decide the weight of the ridge, the number of trees (perhaps none) and the calibration (identity, shift
    or Platt, by its record on cutoffs that it had not seen); then the model learns from all rows. Without it, or with
    one cutoff alone, a stratified fifth of the rows decides the ridge and the number of trees. Where of several cutoffs
    none can judge, which takes 20 rows of each kind, nobody does, and there are no trees.

    Parameters
    ----------
    learning_rate, feature_fraction, bagging_fraction, reg_lambda :
        As in LightGBM; a tree sees at least ten columns.
    num_leaves : int or sequence of int
        As in LightGBM; of several, the one with the least loss at the latest of the later cutoffs.
    min_child_samples : int
        Rows a leaf, but never more than a twentieth of all rows.
    n_estimators : int
        At most so many trees at a fold; all rows together may bear a few more.
    linear_penalty : float or sequence of float
        Weight of the ridge, in rows for each column; of several, the one with the least loss there.
    categorical_features : sequence of int
        Columns whose numbers are codes of categories.
    season_columns : sequence of int
        Columns of the sine and the cosine of the year's angle; empty if there are none: then the level is one number.
    history_columns : sequence of int
        Columns of orders so far, days since the last and days since the first order. If given, a customer-base model,
        fitted at each cutoff on what was known there, adds its odds of no purchase as one more column.
    accumulating_columns : sequence of int
        Columns that ridge and trees leave alone, because they grow with the history that the data has.
    bought_within_days : float or None
        The rows are customers who bought so lately; None if they were not chosen by it. For the customer base alone.
    horizon_days : float
        Of the outcome, for the customer base alone.
    monotonic_cst : array-like of int of shape (n_features,), or dict of column name to int, optional
        As in scikit-learn's trees: 1 for columns with which, all else equal, the risk never falls, -1 for those with
        which it never rises, 0 for the others. Log-odds keep to it for every row, up to rounding, and so does what the
        column contributes to them. Values that are missing have no direction. Categories, columns of the season and
        of the history can have none; one that accumulates keeps to it by having no say.
    purge_days : float
        Days from a cutoff until its outcome is complete: gap plus horizon.
    n_jobs : int
        Folds at once; threads for 100,000 rows and more; the result does not depend on it.
    random_state : int
        Seed of the samples that the trees draw, and of the search.
    tuning : Tuning or None
        Budget of a search for better values of the first three parameters and of the four from ``feature_fraction`` to
        ``linear_penalty`` (:mod:`holdfast.learning.tuning`). They stay as they are if it finds none, and without a
        budget. Without ``cutoff``, three stratified fifths take the place of the one.

    Attributes
    ----------
    model_ : RiskModel
        What the fitted classifier computes.
    n_trees_ : int
    linear_penalty_, num_leaves_ : float, int
        Those chosen.
    choice_record_ : dict
        What the score is made of ("customer base", "ridge" or "ridge and trees"), and the least log loss of each at the
        latest of the later cutoffs, after the best shift of its level.
    calibration_record_ : dict
        Which calibration was chosen, and the log loss of each candidate on the cutoffs where it was tried.
    tuning_record_ : dict or None
        Which parameters were chosen and why; None without a search.
    """

    def __init__(
        self,
        learning_rate: float = 0.03,
        num_leaves: int | Sequence[int] = (15, 31),
        min_child_samples: int = 200,
        n_estimators: int = 800,
        *,
        feature_fraction: float = 0.3,
        bagging_fraction: float = 0.5,
        reg_lambda: float = 10.0,
        linear_penalty: float | Sequence[float] = (3.0, 100.0),
        categorical_features: Sequence[int] = (),
        season_columns: Sequence[int] = (),
        history_columns: Sequence[int] = (),
        accumulating_columns: Sequence[int] = (),
        bought_within_days: float | None = None,
        horizon_days: float = 90,
        monotonic_cst: ArrayLike | Mapping[str, int] | None = None,
        purge_days: float = 0,
        n_jobs: int = 2,
        random_state: int = 0,
        tuning: Tuning | None = None,
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
        self.history_columns = history_columns
        self.accumulating_columns = accumulating_columns
        self.bought_within_days = bought_within_days
        self.horizon_days = horizon_days
        self.monotonic_cst = monotonic_cst
        self.purge_days = purge_days
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.tuning = tuning

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
        X : array of shape (n_rows, n_features)
            NaN means missing.
        y : array of shape (n_rows,)
            Two classes; the greater one is churn.
        cutoff : array of int64, shape (n_rows,), optional
            The instant of each snapshot, microseconds UTC.
        sample_weight : array of shape (n_rows,), optional
            How many rows each stands for; regularisation counts in rows, so weights that average 1 leave it as it is.
        recent : array of shape (n_customers, n_features), optional
            Customers as they are now, before anybody knows their outcome. The customer base is learnt from them, so it
            is not an outcome window old when it scores.

        Raises
        ------
        InputError
            No rows, one class only, an infinite cell; or a direction of a column that can have none.
        """
        X, churned, weight = self._checked(X, y, sample_weight)
        kept = {
            _A_CATEGORY: self.categorical_features,
            _OF_THE_BASE: self.history_columns,
            _OF_THE_YEAR: self.season_columns,
        }
        declared = {"monotonic_cst": directions(self, self.monotonic_cst, kept)}
        X, churned, weight, at = counting_rows(X, churned, weight, instants(cutoff, len(churned)))

        def usable(train: Rows, test: Rows) -> bool:
            counts = [np.bincount(churned[rows].astype(int), minlength=2) for rows in (train, test)]
            return int(np.min(counts)) >= _FEWEST_TO_TRY

        folds = [] if at is None else forward_folds(at, self.purge_days, count=_FOLDS, usable=usable)
        ahead = bool(folds)
        if at is None or at.min() == at.max():  # of several cutoffs, rows at random share customers and outcomes
            count = 1 if self.tuning is None else _FOLDS_TO_TUNE
            folds = random_folds(churned.astype(np.int64), count=count, share=0.2, seed=self.random_state)
            folds = [fold for fold in folds if usable(fold.train, fold.test)]
        given, (X, history) = X, self._with_history(X, at, weight, recent)
        recipes = Recipe.of("binary", self.get_params() | declared)
        if history is not None:
            recipes.append(replace(recipes[0], columns=(X.shape[1] - 1,), n_estimators=0))
        data = Ground(X, churned, weight, at)
        chosen, self.tuning_record_ = choose_recipe(recipes, data, folds, self.tuning, what="risk")
        self.n_trees_ = chosen.n_trees
        self.linear_penalty_, self.num_leaves_ = chosen.recipe.linear_penalty, chosen.recipe.num_leaves
        self.choice_record_ = {"chosen": chosen.named, "log_loss": dict(chosen.losses)}
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
                for fold, model in zip(folds, chosen.models, strict=True)
            ]
            calibration, self.calibration_record_ = choose(trials)
        rounds = fit_rounds(chosen.recipe, X, churned, n_trees=self.n_trees_, weight=weight, cutoff=at)
        learnt = rounds.upto(self.n_trees_)
        level = learnt.year_ahead(given, at, self.purge_days, self.season_columns)
        self.model_ = RiskModel(learnt.score, calibration, level, history)
        return self

    def _with_history(
        self, X: Matrix, cutoff: Instants | None, weight: Vector | None, recent: ArrayLike | None
    ) -> tuple[Matrix, HistoryRisk | None]:
        """What the score reads: columns that accumulate are blank, and the odds of the customer base come last."""
        blank = without_columns(X, self.accumulating_columns)
        if not self.history_columns:
            return blank, None
        base = Base(HistoryColumns(*self.history_columns), _BASE, self.horizon_days, _PENALTY, self.bought_within_days)

        def learn(rows: Matrix, weight: Vector | None) -> HistoryRisk | None:
            chosen = base.some_rows(rows, weight, _MOST_CUSTOMERS)
            return None if chosen is None else base.risk(*chosen)

        found, history = at_each_cutoff(learn, X, cutoff, weight, None if recent is None else more_rows(self, recent))
        if history is None:
            return blank, None
        odds = np.full(len(X), np.nan)
        for rows, risk in found:
            if risk is not None:
                odds[rows] = np.exp(risk.log_odds(X[rows]))
        return np.column_stack([blank, odds]), history
