"""The value regressor: a mean, an interval and a probability from one distribution."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from holdfast.learning import MeanRateRegressor, ValueRegressor
from holdfast.models import Bundle, to_matrix
from holdfast.models.checks import InputError
from holdfast.models.value import ValueModel
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY
from tests.unit.learning.samples import snapshots


def business(n: int = 3_000, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Past spend and its effect on the future; half buy nothing. Matrix, values, cutoffs (six, monthly)."""
    draw = np.random.default_rng(seed)
    spend = draw.lognormal(5, 1, n)
    loyal = draw.random(n)
    value = np.where(draw.random(n) < loyal, spend * draw.lognormal(-1, 0.5, n), 0.0)
    return np.column_stack([spend, loyal]), value, (np.arange(n) % 6) * 30 * DAY


def quick(**settings: object) -> ValueRegressor:
    """Few trees, a month's horizon."""
    return ValueRegressor(n_estimators=80, purge_days=30, **settings)


@pytest.fixture(scope="module")
def regressor() -> ValueRegressor:
    """Fitted on the business above."""
    X, y, cutoff = business()
    return quick().fit(X, y, cutoff=cutoff)


def test_the_total_on_strangers_is_right(regressor: ValueRegressor) -> None:
    """A budget is planned on the sum."""
    X, y, _ = business(seed=1)
    assert regressor.predict(X).sum() == pytest.approx(y.sum(), rel=0.12)


def test_intervals_hold_as_many_strangers_as_they_promise(regressor: ValueRegressor) -> None:
    """Ninety of a hundred, and not all of them by being endless."""
    X, y, _ = business(seed=1)
    low, high = regressor.predict_interval(X, coverage=0.9)
    assert 0.87 <= np.mean((low <= y) & (y <= high)) <= 0.93
    inner = regressor.predict_interval(X, coverage=0.5)
    assert np.all((low <= inner[0]) & (inner[1] <= high))


def test_mean_interval_and_probability_come_from_one_distribution(regressor: ValueRegressor) -> None:
    """Numbers that contradict each other on one row of a list destroy trust in it."""
    X, _, _ = business(n=500, seed=2)
    mean = regressor.predict(X)
    for coverage in (0.5, 0.9):
        low, high = regressor.predict_interval(X, coverage)
        assert np.all((low >= 0) & (low <= high))
        left_out = regressor.probability_above(X, high)
        one_sided = (low == 0) & (high > 0)
        assert one_sided.sum() > 100
        end = 0.005  # the outermost amounts are as likely as that each, and one number
        assert left_out[one_sided] == pytest.approx(1 - coverage, abs=end)
        assert left_out[low > 0] == pytest.approx((1 - coverage) / 2, abs=end)
        assert np.all(left_out[high == 0] <= 1 - coverage)
    amounts = np.linspace(0, 5_000, 2_001)
    for i in (0, 17, 300):
        area = np.trapezoid(regressor.probability_above(np.repeat(X[[i]], len(amounts), axis=0), amounts), amounts)
        assert area == pytest.approx(mean[i], rel=0.05)


def test_probability_above_falls_with_the_amount(regressor: ValueRegressor) -> None:
    """From certainty below nothing to impossibility beyond everything."""
    X, _, _ = business(n=50, seed=3)
    steps = [regressor.probability_above(X, amount) for amount in (-1.0, 0.0, 10.0, 100.0, 1e9)]
    assert np.all(steps[0] == 1)
    assert np.all(steps[-1] == 0)
    assert all(np.all(a >= b) for a, b in pairwise(steps))


def test_one_order_of_77000_does_not_decide(regressor: ValueRegressor) -> None:
    """The largest order of a shop is seldom repeated, and never by everyone."""
    X, y, cutoff = business()
    y[11] = 77_000.0
    again = quick().fit(X, y, cutoff=cutoff)
    fresh = business(seed=1)[0]
    assert again.predict(fresh).sum() == pytest.approx(regressor.predict(fresh).sum(), rel=0.03)


def test_refunds_of_the_past_open_the_interval_below_zero() -> None:
    """A customer who only returns goods costs money; where that never happened, low stays at 0."""
    X, y, cutoff = business()
    y[(y == 0) & (np.arange(len(y)) % 3 == 0)] = -50.0
    found = quick().fit(X, y, cutoff=cutoff)
    doubtful = np.column_stack([np.full(20, 100.0), np.full(20, 0.05)])
    low, _ = found.predict_interval(doubtful, coverage=0.9)
    assert low == pytest.approx(-50.0)
    assert found.probability_above(doubtful, -1.0) == pytest.approx(0.7, abs=0.1)
    assert np.all(found.predict(doubtful) < quick().fit(X, np.maximum(y, 0), cutoff=cutoff).predict(doubtful))


def test_a_subscription_is_worth_its_price_times_months() -> None:
    """Nearly everyone pays; nobody can pay more than the months of the horizon, and the interval knows it."""
    draw = np.random.default_rng(8)
    price = draw.choice([20.0, 50.0, 200.0], 3_000)
    months = np.where(draw.random(3_000) < 0.9, 6.0, draw.integers(1, 6, 3_000))
    X, cutoff = np.column_stack([price, draw.random(3_000)]), (np.arange(3_000) % 6) * 30 * DAY
    found = quick().fit(X, price * months, cutoff=cutoff)
    assert found.predict(X).sum() == pytest.approx((price * months).sum(), rel=0.03)
    _, high = found.predict_interval(X)
    assert np.median(high / (6 * price)) == pytest.approx(1.0, abs=0.1)
    assert found.probability_above(X, 0.0).min() > 0.9


@pytest.mark.parametrize(
    ("values", "mean"), [(np.zeros(60), 0.0), (np.full(60, 30.0), 30.0), (np.r_[np.zeros(59), 10.0], 10 / 60)]
)
def test_extreme_samples_have_sensible_answers(values: np.ndarray, mean: float) -> None:
    """Nobody buys, everybody spends the same, one customer buys: no error, and a mean near the sample's."""
    X = np.random.default_rng(0).random((60, 2))
    found = quick().fit(X, values)
    assert found.predict(X).mean() == pytest.approx(mean, rel=0.3, abs=1.0)
    low, high = found.predict_interval(X)
    assert np.all(np.isfinite(low) & np.isfinite(high) & (low <= high))


def test_a_coverage_beyond_certainty_is_refused(regressor: ValueRegressor) -> None:
    """90 is not .9."""
    with pytest.raises(InputError, match=r"coverage between 0 and 1, such as 0\.9; found 90"):
        regressor.predict_interval(np.ones((1, 2)), coverage=90)


def test_a_season_seen_once_does_not_scale_the_total() -> None:
    """A Christmas in the last fold must not double the forecast for January."""
    X, y, cutoff = business()
    y = np.where(cutoff == cutoff.max(), 3 * y, y)
    assert quick().fit(X, y, cutoff=cutoff).scale_ < 1.5


def test_value_scores_one_row_as_many(bundle: Bundle, table: pd.DataFrame) -> None:
    """Mean, interval and probability of a customer do not depend on who else is scored."""
    X = to_matrix(table, bundle.features)
    mean, (low, high) = bundle.value.mean(X), bundle.value.interval(X, 0.9)
    above = bundle.value.probability_above(X, 100.0)
    for i in range(0, len(X), 211):
        one = X[i : i + 1]
        assert bundle.value.mean(one)[0] == mean[i]
        assert [end[0] for end in bundle.value.interval(one, 0.9)] == [low[i], high[i]]
        assert bundle.value.probability_above(one, 100.0)[0] == above[i]


def test_stored_parts_make_the_same_model(regressor: ValueRegressor) -> None:
    """Whoever loads it gets the values that were tested."""
    X, _, _ = business(n=100, seed=4)
    again = ValueModel.from_parts(*regressor.model_.to_parts())
    assert np.array_equal(again.mean(X), regressor.predict(X))
    assert np.array_equal(again.interval(X, 0.9), regressor.predict_interval(X))


def test_the_mean_rate_is_unbiased_where_it_was_learnt() -> None:
    """A baseline must be honest, or beating it means nothing."""
    table = snapshots(customers=100, cutoffs=2)
    X = table[["orders_365d", "spend_365d"]].to_numpy()
    y = table["future_value"].to_numpy()
    found = MeanRateRegressor(column=1).fit(X, y)
    assert found.predict(X).sum() == pytest.approx(y.sum())
    assert found.predict(np.array([[1.0, np.nan]])).tolist() == [0.0]
    assert MeanRateRegressor().fit(np.zeros((4, 1)), np.ones(4)).predict(np.ones((1, 1))).tolist() == [0.0]
    with pytest.raises(InputError, match=r"columns of X as column; X has no 7. It has 2 columns"):
        MeanRateRegressor(column=7).fit(X, y)


def test_a_time_when_everybody_bought_does_not_silence_what_is_known_since() -> None:
    """The earliest fold learns from one kind alone; the others know better, and so do all rows together."""
    draw = np.random.default_rng(0)
    X, cutoff = draw.normal(size=(1_800, 4)), np.repeat(np.arange(6), 300)
    value = np.where((X[:, 0] + 0.5 * draw.normal(size=1_800) > 0) | (cutoff < 3), 10.0, 0.0)
    found = ValueRegressor(n_estimators=40, min_child_samples=20, purge_days=30).fit(X, value, cutoff=cutoff * 30 * DAY)
    later = cutoff == 5
    assert np.corrcoef(found.predict(X[later]), value[later])[0, 1] > 0.6


def test_where_no_cutoff_can_judge_there_are_no_trees() -> None:
    """Rows at random share customers and outcomes with those learnt from, and would bear hundreds."""
    rng = np.random.default_rng(3)
    customers, cutoffs = 400, 10
    X = np.tile(rng.normal(size=(customers, 5)), (cutoffs, 1))  # nobody changes, and few of the same buy each time
    y = np.where(np.tile(np.arange(customers) < 15, cutoffs), np.exp(rng.normal(3, 1, customers * cutoffs)), 0.0)
    at = np.repeat(np.arange(cutoffs) * 30 * DAY, customers)
    few = ValueRegressor(purge_days=90, n_jobs=1)
    assert few.fit(X, y, cutoff=at).n_trees_ == (0, 0)
    assert few.fit(X, y).n_trees_[0] > 0
