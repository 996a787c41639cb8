"""What repeated folds are worth."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from benchmarks.profit_metrics import folds_difference
from holdfast.errors import DataError
from holdfast.metrics import RISK_METRICS, VALUE_METRICS

AUC, LOSS, BIAS = RISK_METRICS["auc"], RISK_METRICS["log_loss"], VALUE_METRICS["bias"]


def test_the_corrected_interval_by_hand() -> None:
    """Four folds of a fifth: the variance counts 1/4 + (1/5)/(4/5) times, with Student's t of three degrees."""
    found = folds_difference(AUC, [0.7, 0.8, 0.7, 0.8], [0.6, 0.6, 0.7, 0.7], test_share=0.2)
    gaps = [0.1, 0.2, 0.0, 0.1]
    spread = sum((gap - 0.1) ** 2 for gap in gaps) / 3
    far = 3.182446305284263 * math.sqrt((1 / 4 + 1 / 4) * spread)
    assert found.estimate == pytest.approx(0.1)
    assert (found.low, found.high) == pytest.approx((0.1 - far, 0.1 + far))
    assert found.share_better == pytest.approx(0.75)


def test_less_is_better_where_the_metric_says_so() -> None:
    """The share of folds won goes by the metric, and a bias by its size."""
    assert folds_difference(LOSS, [0.5, 0.6], [0.6, 0.7], test_share=0.2).share_better == 1
    found = folds_difference(BIAS, [-5.0, -5.0], [20.0, 20.0], test_share=0.2)
    assert (found.estimate, found.share_better) == (-15.0, 1.0)


def test_more_repeats_do_not_feign_evidence() -> None:
    """A hundred repeats of the same folds narrow the plain interval tenfold and the corrected one to its floor."""
    gaps = np.random.default_rng(0).normal(0.1, 1, 5)
    once, often = (folds_difference(AUC, np.tile(gaps, n), np.zeros(5 * n), test_share=0.2) for n in (1, 100))
    floor = 1.96 * math.sqrt(0.25 * np.var(gaps))
    assert once.high - once.estimate > often.high - often.estimate > floor


@pytest.mark.parametrize(
    ("a", "b", "share", "message"),
    [
        ([1.0], [1.0], 0.2, "the same two or more folds of both"),
        ([1.0, 2.0], [1.0], 0.2, "the same two or more folds of both"),
        ([1.0, 2.0], [1.0, 2.0], 1.0, "between 0 and 1, found 1"),
        ([1.0, float("nan")], [1.0, 2.0], 0.2, "AUC does not exist on 1 of 2 folds"),
    ],
)
def test_folds_that_cannot_be_compared_are_refused(a: Any, b: Any, share: float, message: str) -> None:
    """An interval of folds that do not match would be of nothing."""
    with pytest.raises(DataError, match=message):
        folds_difference(AUC, a, b, test_share=share)
