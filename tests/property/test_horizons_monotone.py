"""Whatever the steps say and whoever the customer is, probabilities are monotone in the horizon."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from holdfast.learning import AtRiskClassifier, HorizonClassifier
from holdfast.models import HorizonModel
from holdfast.models.additive import Additive, Linear
from holdfast.models.calibration import IDENTITY
from holdfast.models.risk import RiskModel

WIDTH = 3
HORIZONS = (30.0, 60.0, 90.0, 180.0)
cells = st.one_of(st.floats(-1e12, 1e12), st.just(np.nan), st.integers(-3, 400).map(float))
matrices = arrays.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(WIDTH)), elements=cells)


@pytest.fixture(scope="module")
def models() -> dict[bool, HorizonClassifier]:
    """Learnt from the time until an event, which is the loss in one and a return in the other."""
    draw = np.random.default_rng(0)
    X = draw.gamma(2, 20, (1500, WIDTH))
    X[draw.random(1500) < 0.3, 2] = np.nan
    waited = draw.exponential(40 + 4 * X[:, 0])
    few = AtRiskClassifier(n_estimators=40, n_jobs=1)
    return {
        kind: HorizonClassifier(HORIZONS, event_is_churn=kind, classifier=few).fit(X, waited) for kind in (True, False)
    }


def require_monotone(p: np.ndarray, *, event_is_churn: bool) -> None:
    """To the bit, and within 0 and 1."""
    steps = np.diff(p, axis=1)
    assert (steps >= 0).all() if event_is_churn else (steps <= 0).all()
    assert ((p >= 0) & (p <= 1)).all()


@settings(max_examples=60)
@given(X=matrices, event_is_churn=st.booleans())
def test_probabilities_of_any_customer_are_monotone(
    models: dict[bool, HorizonClassifier], X: np.ndarray, event_is_churn: bool
) -> None:
    """A risk that falls where it must rise would make everyone doubt all the others."""
    require_monotone(models[event_is_churn].predict_proba_by_horizon(X), event_is_churn=event_is_churn)


@settings(max_examples=200)
@given(
    log_odds=st.lists(st.floats(-800, 800), min_size=1, max_size=8),
    place=st.integers(0, 7),
    event_is_churn=st.booleans(),
)
def test_any_steps_give_monotone_probabilities(log_odds: list[float], place: int, event_is_churn: bool) -> None:
    """It holds by construction and not by luck: rounding cannot break it either."""
    steps = tuple(RiskModel(Additive(1, Linear.constant(z), None), IDENTITY) for z in log_odds)
    horizons = tuple(30.0 * (k + 1) for k in range(len(steps)))
    model = HorizonModel(horizons, place % len(steps), event_is_churn, steps)
    require_monotone(model.probabilities(np.zeros((1, 1))), event_is_churn=event_is_churn)
