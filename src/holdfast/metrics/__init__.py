"""How good a ranking, a probability or a value is, each with what chance alone would move it.

A metric is a function ``(truth, predicted, weights=None) -> array``: without weights one number (an array of no
dimension); with weights of shape (n_draws, n_rows) one number per draw, which is how the bootstrap asks.
"""

from __future__ import annotations

from holdfast.metrics.bootstrap import Difference, Interval, estimate, paired_difference, resample
from holdfast.metrics.calibration import brier_score, calibration_error, log_loss
from holdfast.metrics.catalogue import RISK_METRICS, VALUE_METRICS, Metric
from holdfast.metrics.ranking import area_under_curve, average_precision, lift_at_top, top_capture
from holdfast.metrics.value import bias_percent, mean_absolute_error, normalised_gini, spearman

__all__ = [
    "RISK_METRICS",
    "VALUE_METRICS",
    "Difference",
    "Interval",
    "Metric",
    "area_under_curve",
    "average_precision",
    "bias_percent",
    "brier_score",
    "calibration_error",
    "estimate",
    "lift_at_top",
    "log_loss",
    "mean_absolute_error",
    "normalised_gini",
    "paired_difference",
    "resample",
    "spearman",
    "top_capture",
]
