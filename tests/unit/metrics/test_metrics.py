"""Each metric against an independent implementation, and against the published table of reference predictions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import spearmanr
from sklearn import metrics as reference

from holdfast import metrics
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Metric
from holdfast.metrics.value import interval_coverage

EVERY = {**RISK_METRICS, **VALUE_METRICS}


def sample(seed: int, n: int = 400, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Churned, probability, value, predicted value; with ties, probabilities and predictions have one decimal."""
    draw = np.random.default_rng(seed)
    p = draw.random(n)
    churned = (draw.random(n) < p).astype(float)
    predicted = draw.lognormal(3, 1, n)
    value = np.where(draw.random(n) < 0.5, 0.0, predicted * draw.lognormal(0, 1, n)) - 5.0 * (draw.random(n) < 0.05)
    return (churned, np.round(p, 1), value, np.round(predicted, -1)) if ties else (churned, p, value, predicted)


@pytest.mark.parametrize("ties", [False, True], ids=["all different", "ties"])
def test_metrics_equal_other_peoples(ties: bool) -> None:
    """A number under a known name must be the known number, also where scores are equal."""
    churned, p, value, predicted = sample(1, ties=ties)
    assert metrics.area_under_curve(churned, p) == pytest.approx(reference.roc_auc_score(churned, p))
    assert metrics.average_precision(churned, p) == pytest.approx(reference.average_precision_score(churned, p))
    assert metrics.log_loss(churned, p) == pytest.approx(reference.log_loss(churned, np.clip(p, 1e-15, 1 - 1e-15)))
    assert metrics.brier_score(churned, p) == pytest.approx(reference.brier_score_loss(churned, p))
    assert metrics.mean_absolute_error(value, predicted) == pytest.approx(
        reference.mean_absolute_error(value, predicted)
    )
    assert metrics.spearman(value, predicted) == pytest.approx(spearmanr(value, predicted).statistic)


def test_metrics_by_hand() -> None:
    """Ten customers, small enough to check with a pencil."""
    churned = np.array([1, 1, 0, 1, 0, 0, 0, 0, 0, 0], dtype=float)
    p = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0])
    value = np.array([70, 0, 10, 0, 20, 0, 0, 0, 0, 0], dtype=float)
    assert metrics.lift_at_top(churned, p) == pytest.approx((1 / 3) / 0.1)
    assert metrics.calibration_error(churned, p) == pytest.approx(np.abs(churned - p).mean())
    assert metrics.top_capture(value, p) == pytest.approx(0.7)
    assert metrics.bias_percent(value, value * 1.1) == pytest.approx(10.0)
    assert metrics.normalised_gini(value, value) == pytest.approx(1.0)
    assert metrics.normalised_gini(value, -value) == pytest.approx(-1.0)
    assert interval_coverage(value, value - 1, np.where(value > 50, 60.0, value)) == pytest.approx(0.9)


def test_a_tie_across_the_border_of_the_tenth_counts_in_proportion() -> None:
    """A model that gives everyone one score captures a tenth with its tenth, whatever the order of the file."""
    amount = np.random.default_rng(2).random(30)
    assert metrics.top_capture(amount, np.zeros(30)) == pytest.approx(0.1)
    assert metrics.lift_at_top((amount > 0.5).astype(float), np.zeros(30)) == pytest.approx(1.0)


@pytest.mark.parametrize("name", sorted(set(EVERY) - {"calibration_error"}))
@pytest.mark.parametrize("ties", [False, True], ids=["all different", "ties"])
def test_a_weight_is_a_repeated_row(name: str, ties: bool) -> None:
    """The bootstrap draws rows by weights; a customer drawn twice must count as two."""
    churned, p, value, predicted = sample(3, ties=ties)
    truth, guess = (churned, p) if name in RISK_METRICS else (value, predicted)
    times = np.random.default_rng(4).integers(0, 4, len(truth))
    weighted = EVERY[name].function(truth, guess, np.stack([times.astype(float), np.ones(len(truth))]))
    assert weighted[0] == pytest.approx(EVERY[name].function(np.repeat(truth, times), np.repeat(guess, times), None))
    assert weighted[1] == pytest.approx(EVERY[name].function(truth, guess, None))


def test_calibration_bins_stay_where_they_are_under_weights() -> None:
    """Bins that moved with every draw would measure their own movement."""
    churned, p, _, _ = sample(5)
    assert metrics.calibration_error(churned, p, np.ones((2, 400))) == pytest.approx(
        metrics.calibration_error(churned, p)
    )


@pytest.mark.parametrize("metric", EVERY.values(), ids=EVERY)
def test_better_points_the_right_way(metric: Metric) -> None:
    """A wrong arrow would promote the worse model."""
    churned, p, value, _ = sample(6)
    truth, guess = (churned, p) if metric.name in RISK_METRICS else (value, value * 0.9 + 3)
    perfect = metric.function(truth, truth, None)
    assert metric.loss(perfect) <= metric.loss(metric.function(truth, guess, None)) + 1e-12


def test_what_does_not_exist_is_nan_and_not_an_error() -> None:
    """One class, no value at all: the report has a gap, the run goes on."""
    zeros, p = np.zeros(5), np.linspace(0, 1, 5)
    assert np.isnan(metrics.area_under_curve(zeros, p))
    assert np.isnan(metrics.bias_percent(zeros, p))
    assert np.isnan(metrics.spearman(zeros, p))
    assert np.isnan(metrics.estimate(RISK_METRICS, zeros, p, draws=3)["auc"].low)
    assert metrics.estimate(RISK_METRICS, zeros, p, draws=0)["auc"].to_dict() == dict.fromkeys(
        ("estimate", "low", "high")
    )


PUBLISHED = {  # AUC, log loss, AP, Brier, ECE, MAE, bias, Spearman, Gini, top tenth
    "a_recency": (0.657, 0.660, 0.617, 0.233, 0.051, 667, -17, 0.313, 0.519, 0.310),
    "b_rfm_logit": (0.757, 0.600, 0.723, 0.207, 0.083, 540, 29, 0.520, 0.788, 0.568),
    "c_bgnbd_gg": (0.771, 0.568, 0.733, 0.194, 0.021, 443, -1, 0.541, 0.808, 0.576),
    "d_lgbm_default": (0.752, 0.583, 0.715, 0.202, 0.045, 482, 16, 0.500, 0.786, 0.571),
    "e_best": (0.782, 0.558, 0.742, 0.190, 0.034, 423, -11, 0.555, 0.817, 0.581),
}


@pytest.mark.parametrize("model", PUBLISHED)
def test_the_reference_table_comes_out(root: Path, model: str) -> None:
    """We compare ourselves with these numbers, so ours must be made the same way."""
    folder = root.parent / "shared" / "reference"
    if not folder.is_dir():
        pytest.skip("the reference predictions of ../shared/reference are not on this machine")
    paths = (folder / f"online_retail_ii_{what}.parquet" for what in ("keys", "predictions"))
    keys, predictions = (pd.read_parquet(path) for path in paths)
    table = keys.merge(predictions, on=["customer_id", "cutoff"], validate="1:1")
    found = metrics.estimate(RISK_METRICS, table["churned"], table[f"{model}__p"], draws=0)
    found |= metrics.estimate(VALUE_METRICS, table["future_value"], table[f"{model}__v"], draws=0)
    names = ("auc", "log_loss", "average_precision", "brier", "calibration_error")
    names += ("mae", "bias", "spearman", "gini", "top_decile_capture")
    roundings = (6e-4,) * 4 + (1.5e-3, 0.6, 0.6) + (6e-4,) * 3  # ties in one model's bins are ours to place
    for name, published, rounding in zip(names, PUBLISHED[model], roundings, strict=True):
        assert found[name].estimate == pytest.approx(published, abs=rounding), name
