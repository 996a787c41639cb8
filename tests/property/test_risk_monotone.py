"""Where a direction is declared, the risk keeps to it, whoever the customer is and whatever the data say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from holdfast.learning import AtRiskClassifier
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY

RISES, FALLS, WITH_GAPS = 3, 4, 5
DIRECTIONS = {RISES: 1, FALLS: -1, WITH_GAPS: 1}
WIDTH = 8
CST = [DIRECTIONS.get(j, 0) for j in range(WIDTH)]
ROUNDING = 1e-9  # of SHAP values; log-odds are summed in one order and keep to 1e-12
cells = st.one_of(st.floats(-1e9, 1e9), st.just(np.nan), st.integers(-3, 12).map(float))
matrices = arrays.arrays(np.float64, st.tuples(st.integers(1, 12), st.just(WIDTH)), elements=cells)
steps = st.one_of(st.floats(0, 5), st.floats(0, 1e9))
Models = dict[str, AtRiskClassifier]


def fitted(cst: list[int] | None, history: tuple[int, ...]) -> AtRiskClassifier:
    """Learnt where complaints lower the risk but for a bump, favours raise it in one channel, and gaps speak."""
    draw = np.random.default_rng(0)
    rows = 2400
    age = draw.uniform(100, 400, rows)
    X = np.column_stack(
        [
            1.0 + draw.poisson(4, rows),
            age * draw.random(rows),
            age,
            draw.poisson(2, rows),
            draw.poisson(3, rows),
            draw.gamma(2, 2, rows),
            draw.normal(size=rows),
            draw.integers(0, 3, rows),
        ]
    )
    X[draw.random(rows) < 0.3, WITH_GAPS] = np.nan
    z = -0.5 * X[:, RISES] + 1.5 * (X[:, RISES] == 3) + np.where(X[:, 7] == 1, 0.8, -0.2) * X[:, FALLS]
    z += 0.01 * X[:, 1] - 0.3 * np.nan_to_num(X[:, WITH_GAPS], nan=9.0) + X[:, 6] * (X[:, FALLS] - 2)
    churned = (draw.random(rows) < 1 / (1 + np.exp(-z))).astype(float)
    learner = AtRiskClassifier(
        0.1, 15, 20, 80, purge_days=30, categorical_features=(7,), history_columns=history, monotonic_cst=cst
    )
    return learner.fit(X, churned, cutoff=(np.arange(rows) % 8) * 30 * DAY)


@pytest.fixture(scope="module")
def models() -> Models:
    """With a customer base and without, and one that is told nothing."""
    return {"alone": fitted(CST, ()), "with a base": fitted(CST, (0, 1, 2)), "free": fitted(None, ())}


def change(model: AtRiskClassifier, X: np.ndarray, column: int, step: float) -> tuple[np.ndarray, np.ndarray]:
    """What more of a column does to log-odds, and to its own contribution, in the declared direction."""
    more = X.copy()
    more[:, column] += step
    there = ~np.isnan(X[:, column])
    moved = model.decision_function(more) - model.decision_function(X)
    own = model.contributions(more)[:, column] - model.contributions(X)[:, column]
    return DIRECTIONS[column] * moved[there], DIRECTIONS[column] * own[there]


@settings(max_examples=100)
@given(
    X=matrices, column=st.sampled_from(sorted(DIRECTIONS)), step=steps, which=st.sampled_from(["alone", "with a base"])
)
def test_more_of_a_column_moves_risk_and_reason_in_its_direction_or_not_at_all(
    models: Models, X: np.ndarray, column: int, step: float, which: str
) -> None:
    """A reason that says the opposite of what everyone knows costs the trust in all others."""
    log_odds, own = change(models[which], X, column, step)
    assert (log_odds >= -1e-12).all()
    assert (own >= -ROUNDING).all()


@settings(max_examples=60)
@given(X=matrices, step=steps)
def test_several_columns_may_move_at_once(models: Models, X: np.ndarray, step: float) -> None:
    """All of them the way that raises the risk: nobody's probability falls."""
    more = X + step * np.array(CST)
    for name in ("alone", "with a base"):
        assert (models[name].predict_proba(more)[:, 1] >= models[name].predict_proba(X)[:, 1] - 1e-12).all()


def test_the_data_said_otherwise(models: Models) -> None:
    """Else the tests above would hold without a promise: told nothing, the model goes against every direction."""
    draw = np.random.default_rng(1)
    X = np.column_stack([draw.poisson(3, (400, WIDTH - 1)), draw.integers(0, 3, 400)]).astype(float)
    for column in DIRECTIONS:
        assert change(models["free"], X, column, 1.0)[0].min() < -0.05
    assert models["alone"].n_trees_ > 0
    assert models["with a base"].model_.history is not None
