"""Metrics and reasons do not depend on what must not matter."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from benchmarks.profit_metrics import TELECOM, campaign_metrics
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, ContactLists, Metric

FIVE = ContactLists(np.zeros(24, dtype=np.int64), places=5)
EVERY = {
    **RISK_METRICS,
    **VALUE_METRICS,
    **campaign_metrics(TELECOM),
    "list_of_five": Metric("list_of_five", FIVE.share_held, "higher", "five hold"),
}
RANKINGS = ["auc", "average_precision", "lift_at_10", "spearman", "gini", "top_decile_capture"]
RANKINGS += ["expected_profit", "list_of_five"]
SIZE = 24
truths = arrays.arrays(np.int8, SIZE, elements=st.integers(0, 1)).map(lambda y: y.astype(float))
scores = arrays.arrays(np.float64, SIZE, elements=st.sampled_from([0.05, 0.1, 0.3, 0.5, 0.7, 0.9]))


@pytest.mark.parametrize("metric", EVERY.values(), ids=EVERY)
@given(truth=truths, score=scores, order=st.permutations(range(SIZE)))
def test_the_order_of_rows_does_not_matter(
    metric: Metric, truth: np.ndarray, score: np.ndarray, order: list[int]
) -> None:
    """Files come in any order, and equal scores are common; a metric must not read meaning into it."""
    before, after = metric.function(truth, score, None), metric.function(truth[order], score[order], None)
    assert after == pytest.approx(before, nan_ok=True)


@pytest.mark.parametrize("name", RANKINGS)
@given(truth=truths, score=scores, slope=st.floats(0.1, 10), shift=st.floats(-5, 5))
def test_rankings_do_not_feel_a_rising_map(
    name: str, truth: np.ndarray, score: np.ndarray, slope: float, shift: float
) -> None:
    """Calibration is affine and rising, so it must leave every ranking metric alone."""
    metric = EVERY[name]
    before, after = metric.function(truth, score, None), metric.function(truth, slope * score + shift, None)
    assert after == pytest.approx(before, nan_ok=True)
