"""The estimators keep the scikit-learn promise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from holdfast.learning import (
    AtRiskClassifier,
    HorizonClassifier,
    LogisticBaseline,
    MeanRateRegressor,
    RecencyBaseline,
    Tuning,
    ValueRegressor,
)
from holdfast.models.checks import InputError


@parametrize_with_checks(
    [
        AtRiskClassifier(n_estimators=40, n_jobs=1),
        ValueRegressor(n_estimators=40, n_jobs=1),
        AtRiskClassifier(n_estimators=10, n_jobs=1, tuning=Tuning(trials=2)),
        HorizonClassifier(
            (1.5, 2.5, 3.5, 4.5, 7.5),  # the targets of the checks are small whole numbers
            classifier=AtRiskClassifier(n_estimators=20, n_jobs=1),
        ),
        LogisticBaseline(),
        RecencyBaseline(),
        MeanRateRegressor(),
    ],
)
def test_estimators_keep_the_scikit_learn_promise(estimator: Any, check: Any) -> None:
    """Users put them into pipelines, grid searches and cross-validation, which rely on this contract."""
    check(estimator)


@pytest.mark.parametrize("parameters", [{"num_leaves": []}, {"linear_penalty": ()}])
@pytest.mark.parametrize("kind", [AtRiskClassifier, ValueRegressor])
def test_nothing_to_choose_from_is_refused(kind: Any, parameters: dict[str, Any]) -> None:
    """By name, and not as an index out of range."""
    with pytest.raises(InputError, match=f"Wanted one {next(iter(parameters))} at least"):
        kind(**parameters).fit(np.arange(40.0).reshape(-1, 1), np.arange(40) % 2)
