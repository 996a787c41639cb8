"""How good a ranking, a probability or a value is, each with what chance alone would move it.

A metric is a function ``(truth, predicted, weights=None) -> array``: without weights one number (an array of no
dimension); with weights of shape (n_draws, n_rows) one number per draw, which is how the bootstrap asks. What needs
more than the two, such as the places of a list, is a method of what holds it: :class:`ContactLists`.
"""

from __future__ import annotations

from holdfast.metrics.bootstrap import Difference, Interval, estimate, paired_difference, paired_differences, resample
from holdfast.metrics.calibration import brier_score, calibration_error, log_loss
from holdfast.metrics.catalogue import RISK_METRICS, VALUE_METRICS, Metric
from holdfast.metrics.contact_list import ContactLists
from holdfast.metrics.narrative import excludes_zero, sentence, sentences, verdict
from holdfast.metrics.ranking import area_under_curve, average_precision, lift_at_top, top_capture
from holdfast.metrics.segments import bands, calibration_by_segment
from holdfast.metrics.value import bias_percent, mean_absolute_error, normalised_gini, spearman

__all__ = [
    "RISK_METRICS",
    "VALUE_METRICS",
    "ContactLists",
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
    "estimate",
    "excludes_zero",
    "lift_at_top",
    "log_loss",
    "mean_absolute_error",
    "normalised_gini",
    "paired_difference",
    "paired_differences",
    "resample",
    "sentence",
    "sentences",
    "spearman",
    "top_capture",
    "verdict",
]
