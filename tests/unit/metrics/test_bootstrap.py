"""Intervals say what chance alone would move."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Metric, estimate, paired_difference, resample

BRIER, AUC, BIAS = RISK_METRICS["brier"], RISK_METRICS["auc"], VALUE_METRICS["bias"]


def world(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and their true probabilities."""
    draw = np.random.default_rng(seed)
    p = draw.random(n)
    return (draw.random(n) < p).astype(float), p


def test_whole_customers_are_drawn() -> None:
    """Two snapshots of one customer resemble each other; drawn apart, they would feign more evidence than there is."""
    customers = np.array(["a", "b", "a", "c", "b", "a"])
    weights = np.concatenate(list(resample(customers, 50, seed=0)))
    assert weights.shape == (50, 6)
    assert np.array_equal(weights[:, 0], weights[:, 2])
    assert np.array_equal(weights[:, 1], weights[:, 4])
    assert (weights[:, 0] + weights[:, 1] + weights[:, 3] == 3).all()
    assert weights.mean() == pytest.approx(1.0, abs=0.15)


def test_the_interval_of_a_mean_is_the_textbooks() -> None:
    """The Brier score is a mean, and the interval of a mean is known."""
    y, p = world(2_000, seed=1)
    found = estimate({"brier": BRIER}, y, p, draws=500)["brier"]
    error = ((y - p) ** 2).std() / np.sqrt(2_000)
    assert found.high - found.low == pytest.approx(2 * 1.96 * error, rel=0.15)
    assert found.low < found.estimate < found.high


def test_repeated_customers_widen_the_interval() -> None:
    """A thousand rows of a hundred customers are worth a hundred."""
    y, p = world(100, seed=2)
    many = {"customers": np.repeat(np.arange(100), 10)}
    honest = estimate({"auc": AUC}, np.repeat(y, 10), np.repeat(p, 10), **many)["auc"]
    fooled = estimate({"auc": AUC}, np.repeat(y, 10), np.repeat(p, 10))["auc"]
    assert honest.high - honest.low > 2 * (fooled.high - fooled.low)


def test_the_same_seed_gives_the_same_interval() -> None:
    """A report must repeat."""
    y, p = world(300, seed=3)
    assert estimate(RISK_METRICS, y, p, seed=5) == estimate(RISK_METRICS, y, p, seed=5)
    assert estimate(RISK_METRICS, y, p, seed=5) != estimate(RISK_METRICS, y, p, seed=6)


def test_a_model_does_not_differ_from_itself() -> None:
    """Promotion of an unchanged model finds nothing."""
    y, p = world(300, seed=4)
    found = paired_difference(AUC, y, p, p)
    assert (found.estimate, found.low, found.high, found.share_better) == (0.0, 0.0, 0.0, 0.0)


def test_a_worse_model_is_found_worse() -> None:
    """Paired, a difference shows that two separate intervals would hide."""
    y, p = world(1_500, seed=5)
    noisy = np.clip(p + np.random.default_rng(6).normal(0, 0.1, 1_500), 0.01, 0.99)
    found = paired_difference(AUC, y, noisy, p)
    assert found.high < 0
    assert found.share_better < 0.01
    lower_is_better = paired_difference(BRIER, y, noisy, p)
    assert lower_is_better.low > 0
    assert lower_is_better.share_better < 0.01
    alone = [estimate({"auc": AUC}, y, q)["auc"] for q in (noisy, p)]
    assert alone[0].high > alone[1].low


def test_a_bias_is_compared_by_its_size() -> None:
    """Minus five percent is better than plus twenty."""
    value = np.random.default_rng(7).lognormal(3, 1, 500)
    found = paired_difference(BIAS, value, 0.95 * value, 1.2 * value)
    assert found.estimate == pytest.approx(-15.0)
    assert found.share_better == 1.0


def test_many_draws_of_many_rows_come_in_blocks() -> None:
    """A million rows times a thousand draws would not fit into memory at once."""
    blocks = list(resample(np.arange(1_000_000), 6, seed=0))
    assert [len(block) for block in blocks] == [4, 2]


@pytest.mark.parametrize("metric", [*RISK_METRICS.values(), *VALUE_METRICS.values()], ids=lambda metric: metric.name)
def test_a_weighted_row_counts_as_often_as_it_stands_for(metric: Metric) -> None:
    """The figures of a sample are to be those of all customers: equal to those of the repeated rows."""
    y, p = world(400, seed=6)
    weights = np.random.default_rng(7).integers(1, 4, 400)
    if metric.name == "calibration_error":  # its bins hold equal numbers of rows; ten risks only, and they are the bins
        p, weights = np.repeat(np.arange(10) / 10 + 0.05, 40), np.full(400, 2)
    rows = np.repeat(np.arange(400), weights)
    one = estimate({"it": metric}, y, p, weights=weights, draws=60)["it"]
    other = estimate({"it": metric}, y[rows], p[rows], customers=rows, draws=60)["it"]
    assert one.estimate == pytest.approx(other.estimate, rel=1e-9)
    assert (one.low, one.high) == pytest.approx((other.low, other.high), rel=1e-9)
    assert (one.estimate == estimate({"it": metric}, y, p, draws=0)["it"].estimate) == (np.ptp(weights) == 0)


def test_a_weighted_difference_is_that_of_the_repeated_rows() -> None:
    """A challenger is judged on a sample as it would be on everyone."""
    y, p = world(400, seed=8)
    worse, weights = np.clip(p + 0.2, 0, 1), np.random.default_rng(9).integers(1, 4, 400)
    rows = np.repeat(np.arange(400), weights)
    one = paired_difference(BRIER, y, worse, p, weights=weights, draws=100)
    other = paired_difference(BRIER, y[rows], worse[rows], p[rows], customers=rows, draws=100)
    assert one.estimate == pytest.approx(other.estimate, rel=1e-9)
    assert (one.low, one.high, one.share_better) == pytest.approx((other.low, other.high, other.share_better), rel=1e-9)
