"""How good a ranking, a probability or a value is, each with what chance alone would move it.

A metric is a function ``(truth, predicted, weights=None) -> array``: without weights one number (an array of no
dimension); with weights of shape (n_draws, n_rows) one number per draw, which is how the bootstrap asks. A metric that
needs more, a campaign's costs or a budget, is made by a function that takes them: :func:`campaign_metrics`,
:func:`cost_metrics`, :func:`capture_metrics`, :func:`segment_metrics`.
"""

from __future__ import annotations

from holdfast.metrics.bootstrap import Difference, Interval, estimate, paired_difference, resample
from holdfast.metrics.calibration import brier_score, calibration_error, log_loss
from holdfast.metrics.campaign import (
    TELECOM,
    Campaign,
    campaign_metrics,
    expected_maximum_profit,
    profitable_share,
)
from holdfast.metrics.captured import capture_metrics, capture_table, captured_value, contacts_within
from holdfast.metrics.catalogue import RISK_METRICS, VALUE_METRICS, Metric
from holdfast.metrics.costs import Costs, cost_metrics, decided_profit, maximum_profit, profitable_depth, savings
from holdfast.metrics.folds import folds_difference
from holdfast.metrics.narrative import excludes_zero, sentence, sentences, verdict
from holdfast.metrics.ranking import area_under_curve, average_precision, lift_at_top, top_capture
from holdfast.metrics.segments import bands, calibration_by_segment, segment_error, segment_metrics
from holdfast.metrics.value import bias_percent, mean_absolute_error, normalised_gini, spearman

__all__ = [
    "RISK_METRICS",
    "TELECOM",
    "VALUE_METRICS",
    "Campaign",
    "Costs",
    "Difference",
    "Interval",
    "Metric",
    "area_under_curve",
    "average_precision",
    "bands",
    "bias_percent",
    "brier_score",
    "calibration_by_segment",
    "calibration_error",
    "campaign_metrics",
    "capture_metrics",
    "capture_table",
    "captured_value",
    "contacts_within",
    "cost_metrics",
    "decided_profit",
    "estimate",
    "excludes_zero",
    "expected_maximum_profit",
    "folds_difference",
    "lift_at_top",
    "log_loss",
    "maximum_profit",
    "mean_absolute_error",
    "normalised_gini",
    "paired_difference",
    "profitable_depth",
    "profitable_share",
    "resample",
    "savings",
    "segment_error",
    "segment_metrics",
    "sentence",
    "sentences",
    "spearman",
    "top_capture",
    "verdict",
]
