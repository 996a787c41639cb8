"""Whoever the customer is and whatever the model, value grows with the horizon, and a discount never adds to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from holdfast.learning import ValueRegressor
from holdfast.models.btyd import BetaGeometric, GammaGamma, ModifiedBetaGeometric, ParetoNBD
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.lifetime import LONGEST_DAYS, Lifetime
from holdfast.models.value import ValueModel
from tests.unit.learning.samples import shop

KNOWN = 90.0
cells = st.one_of(st.floats(-1e9, 1e9), st.just(np.nan), st.integers(0, 400).map(float))
matrices = arrays.arrays(np.float64, st.tuples(st.integers(1, 8), st.just(4)), elements=cells)
horizons = st.lists(st.floats(1.0, LONGEST_DAYS), min_size=1, max_size=5, unique=True).map(sorted)


@pytest.fixture(scope="module")
def value() -> ValueModel:
    """Of a shop with refunds, so that some values are below 0."""
    X, y, cutoff = shop(customers=120)
    y = np.where(y > 0, y, np.where(X[:, 3] > 60, -80.0, 0.0))
    found = ValueRegressor(n_estimators=10, min_child_samples=20, history_columns=(0, 1, 2), spend_column=3)
    return found.fit(X, y, cutoff=cutoff).model_


@st.composite
def histories(draw: Any) -> HistoryValue:
    """A customer base of any kind."""
    kind = draw(st.sampled_from([BetaGeometric, ModifiedBetaGeometric, ParetoNBD]))
    model = kind(*np.exp([draw(st.floats(-4.0, 5.0)) for _ in range(4)]).tolist())
    return HistoryValue(model, GammaGamma(2.0, 3.0, 20.0), HistoryColumns(0, 1, 2), 3, 4, KNOWN, (1.0, 30.0))


@settings(max_examples=150)
@given(
    history=histories(),
    X=matrices,
    asked=horizons,
    gap=st.sampled_from([0.0, 14.0, 3000.0]),
    discount=st.sampled_from([1e-12, 0.1, 3.0, 1e9]),
)
def test_value_of_any_customer_grows(
    value: ValueModel, history: HistoryValue, X: np.ndarray, asked: list[float], gap: float, discount: float
) -> None:
    """It holds by construction and not by luck: rounding cannot break it either."""
    lifetime = Lifetime(value, history, KNOWN, gap)
    wanted = sorted({*asked, KNOWN})
    plain, today = lifetime.mean(X, wanted), lifetime.mean(X, wanted, discount)
    assert np.isfinite(plain).all()
    assert np.isfinite(today).all()
    assert (np.diff(plain, axis=1) >= 0).all()
    assert (np.diff(today, axis=1) >= 0).all()
    assert (today <= plain).all()
    assert (plain[:, wanted.index(KNOWN)] == value.mean(X)).all()
