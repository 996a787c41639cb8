"""A row of weight 3 teaches what three equal rows teach, as closely as each part allows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.learning import AtRiskClassifier, MeanRateRegressor, ValueRegressor
from holdfast.learning.calibration_choice import CalibrationTrial, choose_calibration
from holdfast.learning.ridge import describe, fit_linear
from holdfast.models import learn_categories, to_matrix
from holdfast.models.calibration import mean_log_loss
from holdfast.models.quantiles import mean, quantiles
from holdfast.models.residual_quantiles import KNOTS, ResidualQuantiles
from tests.unit.learning.samples import FEATURES, snapshots

SETTINGS = {"purge_days": 60, "categorical_features": (4,), "n_estimators": 120}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    """Snapshots whose weight is 1, 2 or 3."""
    found = snapshots(customers=900, cutoffs=8)
    return found.assign(weight=np.random.default_rng(8).integers(1, 4, len(found)))


@pytest.fixture(scope="module")
def repeated(table: pd.DataFrame) -> pd.DataFrame:
    """The same rows, as often as their weights say."""
    return table.loc[table.index.repeat(table["weight"])].reset_index(drop=True)


@pytest.fixture(scope="module")
def unseen() -> pd.DataFrame:
    """Other customers, to predict."""
    return snapshots(customers=4_000, cutoffs=1, seed=9)


def matrix(frame: pd.DataFrame, table: pd.DataFrame) -> np.ndarray:
    """Its matrix, with the categories of the table."""
    return to_matrix(frame, learn_categories(table, FEATURES))


def cutoffs(frame: pd.DataFrame) -> np.ndarray:
    """One instant a row."""
    return frame["cutoff"].to_numpy(dtype=np.int64)


@given(
    st.lists(st.tuples(st.floats(-1e6, 1e6), st.integers(0, 4)), min_size=1, max_size=30).filter(
        lambda rows: any(weight for _, weight in rows)
    ),
    st.lists(st.floats(0, 1), min_size=1, max_size=5),
)
def test_weighted_quantiles_and_means_are_those_of_the_repeated_rows(
    rows: list[tuple[float, int]], at: list[float]
) -> None:
    """Range, median and spread rest on them."""
    values, weight = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    copies = np.repeat(values, weight.astype(int))
    assert quantiles(values, at, weight) == pytest.approx(np.quantile(copies, at), rel=1e-9, abs=1e-6)
    assert mean(values, weight) == pytest.approx(copies.mean(), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize(("objective", "target"), [("binary", "churned"), ("regression", "future_value")])
def test_the_linear_part_is_that_of_the_repeated_rows(
    table: pd.DataFrame, repeated: pd.DataFrame, objective: str, target: str
) -> None:
    """Its range, centre and width are weighted too, so nothing is left that counts rows."""
    one, other = (
        fit_linear(
            matrix(frame, table),
            frame[target].to_numpy(dtype=np.float64),
            describe(matrix(frame, table), [0, 1, 2, 3], weight),
            objective=objective,
            penalty=3.0,
            weight=weight,
        )[0]
        for frame, weight in ((table, table["weight"].to_numpy(dtype=np.float64)), (repeated, None))
    )
    X = matrix(table, table)
    assert one.score(X) == pytest.approx(other.score(X), rel=1e-4, abs=1e-4)  # both stop when the loss has settled


def test_the_classifier_is_close_to_that_of_the_repeated_rows(
    table: pd.DataFrame, repeated: pd.DataFrame, unseen: pd.DataFrame
) -> None:
    """Leaves count rows and trees draw rows, so equal it cannot be: as far apart as two seeds of one model."""
    X = matrix(unseen, table)

    def learnt(frame: pd.DataFrame, weight: np.ndarray | None, seed: int = 0) -> np.ndarray:
        model = AtRiskClassifier(**SETTINGS, random_state=seed)
        model.fit(matrix(frame, table), frame["churned"], cutoff=cutoffs(frame), sample_weight=weight)
        return model.predict_proba(X)[:, 1]

    weighted, copies, another_seed = (
        learnt(table, table["weight"].to_numpy()),
        learnt(repeated, None),
        learnt(repeated, None, seed=1),
    )
    unweighted = learnt(table, None)
    by_chance = np.abs(copies - another_seed).mean()
    assert np.abs(weighted - copies).mean() < max(3 * by_chance, 0.02)
    assert weighted.mean() == pytest.approx(copies.mean(), abs=0.005)
    assert np.corrcoef(weighted, copies)[0, 1] > 0.98
    assert not np.array_equal(weighted, unweighted)


def test_weights_move_the_mean_risk_to_the_weighted_share(table: pd.DataFrame, unseen: pd.DataFrame) -> None:
    """A churner of weight 4 is four churners: the risks must rise as if they were."""
    weight = np.where(table["churned"] == 1, 4.0, 1.0)
    model = AtRiskClassifier(**SETTINGS)
    model.fit(matrix(table, table), table["churned"], cutoff=cutoffs(table), sample_weight=weight)
    share = np.average(table["churned"], weights=weight)
    found = model.predict_proba(matrix(table, table))[:, 1]
    assert np.average(found, weights=weight) == pytest.approx(share, abs=0.01)
    assert share > table["churned"].mean() + 0.2


def test_every_part_of_the_value_is_close_to_that_of_the_repeated_rows(
    table: pd.DataFrame, repeated: pd.DataFrame, unseen: pd.DataFrame
) -> None:
    """Total, interval, chance of any value, and refunds."""
    with_refunds = []
    for frame in (table, repeated):
        came = frame["future_value"].to_numpy(copy=True)
        came[(came == 0) & (frame["customer_id"] < "c00200").to_numpy()] = -5.0
        with_refunds.append(frame.assign(future_value=came))
    X, models = matrix(unseen, table), []
    for frame, weight in zip(with_refunds, (table["weight"].to_numpy(), None), strict=True):
        model = ValueRegressor(**SETTINGS)
        model.fit(matrix(frame, table), frame["future_value"], cutoff=cutoffs(frame), sample_weight=weight)
        models.append(model)
    one, other = models
    assert one.model_.refunds.share == pytest.approx(other.model_.refunds.share, rel=1e-12)
    assert one.model_.refunds.amounts == pytest.approx(other.model_.refunds.amounts)
    assert one.scale_ == pytest.approx(other.scale_, abs=0.02)
    assert one.predict(X).sum() == pytest.approx(other.predict(X).sum(), rel=0.02)
    for low, high in zip(one.predict_interval(X), other.predict_interval(X), strict=True):
        assert low.mean() == pytest.approx(high.mean(), abs=0.03 * other.predict(X).mean())
    assert np.abs(one.probability_above(X, 0.0) - other.probability_above(X, 0.0)).mean() < 0.02


def test_the_weighted_total_is_met(table: pd.DataFrame) -> None:
    """Large customers of weight 5: the predicted total must be theirs, not that of the rows."""
    large = table["spend_365d"] > table["spend_365d"].median()
    weight = np.where(large, 5.0, 1.0)
    model = ValueRegressor(**SETTINGS)
    model.fit(matrix(table, table), table["future_value"], cutoff=cutoffs(table), sample_weight=weight)
    found, came = weight @ model.predict(matrix(table, table)), weight @ table["future_value"].to_numpy()
    assert found == pytest.approx(came, rel=0.03)


def test_the_spread_is_that_of_the_repeated_rows() -> None:
    """Interval ends are its quantiles; few residuals give the same normal curve."""
    draw = np.random.default_rng(3)
    for rows in (150, 12):
        residual, weight = draw.normal(0, 1, rows), draw.integers(1, 4, rows).astype(float)
        copies = np.repeat(residual, weight.astype(int))
        one, other = (
            ResidualQuantiles.of(np.zeros(rows), residual, weight),
            ResidualQuantiles.of(np.zeros(len(copies)), copies),
        )
        if rows == 150:
            assert one.rows(np.zeros(1))[0][3:-3] == pytest.approx(other.rows(np.zeros(1))[0][3:-3], abs=0.15)
        else:
            assert one.table == pytest.approx(other.table)
        assert one.table.shape[1] == len(KNOTS)


def test_calibration_is_that_of_the_repeated_rows() -> None:
    """Which map is chosen, and what it is, depends on weighted outcomes: they hold the prior."""
    draw, weighted, copies = np.random.default_rng(4), [], []
    for month in range(4):
        z = draw.normal(0, 1.5, 1_500)
        churned = (draw.random(1_500) < 1 / (1 + np.exp(-0.5 * z - 0.8))).astype(float)
        weight = draw.integers(1, 4, 1_500)
        weighted.append(CalibrationTrial(month, month + 1, z, churned, weight.astype(float)))
        copies.append(CalibrationTrial(month, month + 1, np.repeat(z, weight), np.repeat(churned, weight)))
    (one, record), (other, _) = choose_calibration(weighted), choose_calibration(copies)
    assert record["chosen"] == "platt"
    assert (one.slope, one.intercept) == pytest.approx((other.slope, other.intercept), rel=1e-9)
    first, repeated = weighted[0], copies[0]
    assert mean_log_loss(first.log_odds, first.churned, first.weight) == pytest.approx(
        mean_log_loss(repeated.log_odds, repeated.churned), rel=1e-12
    )


def test_rows_of_weight_nothing_are_not_there(table: pd.DataFrame) -> None:
    """Whatever they hold; a cutoff, a category or an amount of theirs must not leave a trace."""
    kept = (table["cutoff"] < table["cutoff"].max()).to_numpy()
    spoiled = table.assign(future_value=np.where(kept, table["future_value"], 1e6))
    for model, target in ((AtRiskClassifier(**SETTINGS), "churned"), (ValueRegressor(**SETTINGS), "future_value")):
        X, y = matrix(table, table), spoiled[target].to_numpy()
        model.fit(X[kept], y[kept], cutoff=cutoffs(table)[kept], sample_weight=np.ones(kept.sum()))
        without = model.predict(X)
        model.fit(X, y, cutoff=cutoffs(table), sample_weight=kept.astype(float))
        assert np.array_equal(model.predict(X), without)


def test_the_past_rate_is_weighted() -> None:
    """Total future over total past, each row as often as it stands for."""
    model = MeanRateRegressor().fit([[10.0], [20.0]], [5.0, 30.0], sample_weight=[3.0, 1.0])
    assert model.rate_ == pytest.approx((15 + 30) / (30 + 20))


@pytest.mark.parametrize(
    ("weight", "message"), [([0.0] * 4, "at least one non-zero"), ([1.0, 1.0, -1.0, 1.0], "Negative values")]
)
def test_impossible_weights_are_refused(weight: list[float], message: str) -> None:
    """A model of nothing, or of less than nothing."""
    with pytest.raises(ValueError, match=message):
        MeanRateRegressor().fit([[1.0], [2.0], [3.0], [4.0]], [1.0, 2.0, 3.0, 4.0], sample_weight=weight)
