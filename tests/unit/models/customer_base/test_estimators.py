"""Customer-base models behind scikit-learn's interface, on columns of a wide matrix."""

from __future__ import annotations

from typing import Any

from sklearn.utils.estimator_checks import parametrize_with_checks

from holdfast.models.customer_base import CustomerBaseClassifier, CustomerBaseRegressor

KINDS = ("bg_nbd", "mbg_nbd", "pareto_nbd")


@parametrize_with_checks(
    [
        *(CustomerBaseClassifier(kind, days_since_first_order=1) for kind in KINDS),
        *(CustomerBaseRegressor(kind, days_since_first_order=1, spend=1) for kind in KINDS),
    ]
)
def test_estimators_keep_the_scikit_learn_promise(estimator: Any, check: Any) -> None:
    """Users put them into pipelines, grid searches and cross-validation, which rely on this contract."""
    check(estimator)
