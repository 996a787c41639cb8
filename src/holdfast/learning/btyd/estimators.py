"""The customer-base models as scikit-learn estimators over a wide matrix, in days.

Both learn from what a row says of the past alone: the target gives the classes and nothing else. So they need no label
window, and they are at home where snapshots are few. Mind three things:

- Where the rows are only those who bought lately, as populations are, say so by ``bought_within_days``; or the models
  see nobody leave, and are far too sure of everybody.
- A customer at several cutoffs is the same history at several ages. Give ``cutoff`` and the latest is learnt from.
- A row with NaN in the history belongs to somebody who has not bought. Nothing is learnt from it, and its answer is the
  mean answer of those learnt from.
"""

from __future__ import annotations

from typing import Any, ClassVar, Self

from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator, RegressorMixin

from holdfast.learning.binary_classifier import BinaryRiskClassifier
from holdfast.learning.btyd.customer_base import Base
from holdfast.learning.inputs import learning_rows, on_one_blas_thread, scoring_rows, weights
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.checks import Vector


class CustomerBaseClassifier(BinaryRiskClassifier):
    """Churn as no purchase within a horizon, by a model of the customer base.

    Parameters
    ----------
    kind : {"bg_nbd", "mbg_nbd", "pareto_nbd"}
        When customers leave: after repeat purchases, after all purchases, at any time.
    horizon_days : float
        Length of the outcome window.
    orders, days_since_order, days_since_first_order : int
        Columns, as in :class:`~holdfast.models.btyd.history_columns.HistoryColumns`.
    penalty : float
        In customers: so many of them know a usual business and nothing else. It keeps a fit on few repeat purchases
        finite, and is not seen in one on many. 0 for the published maxima.
    bought_within_days : float or None
        The rows are customers whose last purchase is at most so long ago; others are not learnt from. None if the rows
        are all customers, however long silent.
    """

    answers_with: ClassVar[Any] = HistoryRisk
    model_: HistoryRisk  # type: ignore[assignment] # answers as RiskModel does

    def __init__(
        self,
        kind: str = "mbg_nbd",
        horizon_days: float = 90.0,
        orders: int = 0,
        days_since_order: int = 1,
        days_since_first_order: int = 2,
        penalty: float = 1.0,
        bought_within_days: float | None = None,
    ) -> None:
        self.kind = kind
        self.horizon_days = horizon_days
        self.orders = orders
        self.days_since_order = days_since_order
        self.days_since_first_order = days_since_first_order
        self.penalty = penalty
        self.bought_within_days = bought_within_days

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True  # the target is not looked at
        return tags

    @on_one_blas_thread
    def fit(
        self, X: ArrayLike, y: ArrayLike, *, cutoff: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn the customer base; ``y`` gives ``classes_`` alone. Only rows of the latest ``cutoff`` are learnt."""
        X, _, weight = self._checked(X, y, sample_weight)
        base = base_of(self)
        self.model_ = base.risk(*base.rows(X, weight, cutoff=cutoff))
        return self

    def probability_none(self, X: ArrayLike, horizon_days: float) -> Vector:
        """P(no purchase within any horizon), shape (n_rows,); never increasing in the horizon for a known customer."""
        X = scoring_rows(self, X)
        return self.model_.probability(X, horizon_days)


class CustomerBaseRegressor(RegressorMixin, BaseEstimator):
    """Expected spend within a horizon: purchases by a model of the customer base, times their worth by gamma-gamma.

    Parameters
    ----------
    kind, horizon_days, orders, days_since_order, days_since_first_order, penalty, bought_within_days :
        As in :class:`CustomerBaseClassifier`.
    spend : int
        Column of the spend of all orders so far, such as ``spend_lifetime``, which is net of refunds; where it is not
        positive, nothing is learnt of the worth of purchases.
    """

    def __init__(
        self,
        kind: str = "mbg_nbd",
        horizon_days: float = 90.0,
        orders: int = 0,
        days_since_order: int = 1,
        days_since_first_order: int = 2,
        spend: int = 3,
        penalty: float = 1.0,
        bought_within_days: float | None = None,
    ) -> None:
        self.kind = kind
        self.horizon_days = horizon_days
        self.orders = orders
        self.days_since_order = days_since_order
        self.days_since_first_order = days_since_first_order
        self.spend = spend
        self.penalty = penalty
        self.bought_within_days = bought_within_days

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.regressor_tags.poor_score = True  # the target is not looked at
        return tags

    @on_one_blas_thread
    def fit(
        self, X: ArrayLike, y: ArrayLike, *, cutoff: ArrayLike | None = None, sample_weight: ArrayLike | None = None
    ) -> Self:
        """Learn the customer base; ``y`` is not looked at, and only rows of the latest ``cutoff`` are learnt."""
        X, _ = learning_rows(self, X, y, numbers=True)
        base, weight = base_of(self), weights(sample_weight, X)
        self.model_ = base.value(*base.rows(X, weight, also=(self.spend,), cutoff=cutoff), self.spend)
        return self

    def predict(self, X: ArrayLike) -> Vector:
        """Expected spend within ``horizon_days``, shape (n_rows,), in currency."""
        X = scoring_rows(self, X)
        return self.model_.mean(X)

    def expected_orders(self, X: ArrayLike, horizon_days: float | None = None) -> Vector:
        """Expected number of purchases, shape (n_rows,), within ``horizon_days`` or another horizon."""
        X = scoring_rows(self, X)
        return self.model_.orders(X, horizon_days)


def base_of(estimator: CustomerBaseClassifier | CustomerBaseRegressor) -> Base:
    """What the parameters say."""
    columns = HistoryColumns(estimator.orders, estimator.days_since_order, estimator.days_since_first_order)
    return Base(columns, estimator.kind, estimator.horizon_days, estimator.penalty, estimator.bought_within_days)
