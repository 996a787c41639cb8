"""The parameters that the classifier of risk and the regressor of value have in common."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass

from holdfast.learning.btyd.customer_base import CustomerBaseLearner
from holdfast.learning.snapshot_estimator import Columns, SnapshotEstimator
from holdfast.learning.tuning_settings import Tuning
from holdfast.models.btyd.history_columns import HistoryColumns


@dataclass(
    eq=False, repr=False
)  # fields are scikit-learn's parameters: stored as they are given, listed by the signature
class BoostedEstimator(SnapshotEstimator):
    """An estimator whose scores are a ridge plus boosted trees, with what a customer base says if that is asked for.

    Columns are given by name where X is a DataFrame, by place, or as a mask.

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
    categorical_features : "from_dtype" or columns
        By default, columns of a DataFrame that hold text or have the dtype ``category``, as in scikit-learn's trees. In
        other columns that are named here, numbers are the codes of categories.
    season_columns : columns
        Sine and cosine of the year's angle; none if there are none: then the level is one number.
    history_columns : columns
        Orders so far, days since the last and days since the first order. If given, a customer-base model, fitted at
        each cutoff on what was known there, adds what it expects to the columns.
    accumulating_columns : columns
        Those that ridge and trees leave alone, because they grow with the history that the data has.
    bought_within_days : float or None
        The rows are customers who bought so lately; None if they were not chosen by it. For the customer base alone.
    horizon_days : float
        Of the outcome, for the customer base alone.
    purge_days : float
        Days from a cutoff until its outcome is complete: gap plus horizon.
    n_folds : int
        At most so many later cutoffs decide; each is learnt up to once.
    n_jobs : int
        Folds at once; threads for 100,000 rows and more; the result does not depend on it.
    random_state : int
        Seed of the samples that the trees draw, and of the search.
    tuning : Tuning or None
        Budget of a search for better values of the first three parameters and of the four from ``feature_fraction`` to
        ``linear_penalty`` (:mod:`holdfast.learning.tuning`). They stay as they are if it finds none, and without a
        budget.
    """

    learning_rate: float = 0.05
    num_leaves: int | Sequence[int] = (15, 31)
    min_child_samples: int = 200
    n_estimators: int = 800
    _: KW_ONLY
    feature_fraction: float = 0.3
    bagging_fraction: float = 0.5
    reg_lambda: float = 10.0
    linear_penalty: float | Sequence[float] = (3.0, 100.0)
    categorical_features: Columns = "from_dtype"
    season_columns: Columns = ()
    history_columns: Columns = ()
    accumulating_columns: Columns = ()
    bought_within_days: float | None = None
    horizon_days: float = 90
    purge_days: float = 0
    n_folds: int = 4
    n_jobs: int = 2
    random_state: int = 0
    tuning: Tuning | None = None

    def _customer_base(self, kind: str) -> CustomerBaseLearner | None:
        """How the customer base is learnt; None where no columns tell the history."""
        orders = self._places("history_columns", self.history_columns, count=3)
        if not orders:
            return None
        within = self.bought_within_days
        return CustomerBaseLearner(HistoryColumns(*orders), kind, self.horizon_days, bought_within_days=within)
