"""Whatever a customer looks like, reasons add up and a row scores alone as among others."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from holdfast.learning import AtRiskClassifier, ValueRegressor
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY

WIDTH = 6
cells = st.one_of(st.floats(-1e12, 1e12), st.just(np.nan), st.integers(-3, 400).map(float))
matrices = arrays.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(WIDTH)), elements=cells)


@pytest.fixture(scope="module")
def models() -> tuple[AtRiskClassifier, ValueRegressor]:
    """Fitted on six columns, the last a category, one with missing values."""
    draw = np.random.default_rng(0)
    X = np.column_stack([draw.gamma(2, 20, (900, WIDTH - 1)), draw.integers(0, 4, 900)])
    X[draw.random(900) < 0.3, 2] = np.nan
    churned = (draw.random(900) < 1 / (1 + np.exp(2 - 0.03 * X[:, 0] - 0.5 * (X[:, 5] == 2)))).astype(float)
    value = np.where(churned == 1, -1.0 * (X[:, 4] > 60), X[:, 1] * draw.lognormal(0, 0.5, 900))
    cutoff = (np.arange(900) % 6) * 30 * DAY
    shared = {"n_estimators": 50, "purge_days": 30, "categorical_features": (5,)}
    risk = AtRiskClassifier(**shared).fit(X, churned, cutoff=cutoff)
    return risk, ValueRegressor(**shared).fit(X, value, cutoff=cutoff)


@settings(max_examples=60)
@given(X=matrices)
def test_reasons_add_up(models: tuple[AtRiskClassifier, ValueRegressor], X: np.ndarray) -> None:
    """Base and contributions sum to the calibrated log-odds within 1e-9, for impossible customers too."""
    risk, _ = models
    assert np.abs(risk.contributions(X).sum(axis=1) - risk.decision_function(X)).max() < 1e-9


@settings(max_examples=60)
@given(X=matrices)
def test_a_row_alone_scores_as_among_others(models: tuple[AtRiskClassifier, ValueRegressor], X: np.ndarray) -> None:
    """To the bit: a list must not change because one more customer was scored."""
    risk, value = models
    together = np.column_stack([risk.predict_proba(X)[:, 1], value.predict(X), *value.predict_interval(X)])
    alone = [np.r_[risk.predict_proba(x)[0, 1], value.predict(x), *value.predict_interval(x)] for x in X[:, None, :]]
    assert np.array_equal(together, np.array(alone))


@settings(max_examples=60)
@given(X=matrices, amount=st.floats(-10, 1e5), coverage=st.floats(0.01, 0.99))
def test_answers_stay_within_reason(
    models: tuple[AtRiskClassifier, ValueRegressor], X: np.ndarray, amount: float, coverage: float
) -> None:
    """Probabilities lie between 0 and 1, intervals begin below where they end, all is finite."""
    risk, value = models
    low, high = value.predict_interval(X, coverage)
    mean, above, p = value.predict(X), value.probability_above(X, amount), risk.predict_proba(X)
    assert np.isfinite([*low, *high, *mean]).all()
    assert np.all(low <= high)
    assert np.all((above >= 0) & (above <= 1) & (p[:, 1] >= 0) & (p[:, 1] <= 1))
