"""The metrics by name, and which way is better."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from holdfast.metrics import calibration, ranking, value
from holdfast.metrics.weighted import Array

Function = Callable[[Array, Array, Array | None], Array]


@dataclass(frozen=True)
class Metric:
    """A metric as a record.

    Attributes
    ----------
    name : str
        Key in results.
    function : callable
        ``(truth, predicted, weights) -> array``.
    better : "higher", "lower" or "zero"
    label : str
        What people read above a column.
    digits : int
        Decimals worth reading.
    """

    name: str
    function: Function
    better: Literal["higher", "lower", "zero"]
    label: str
    digits: int = 3

    def loss(self, value: Array) -> Array:
        """The metric turned so that less is better."""
        if self.better == "higher":
            return -value
        return abs(value) if self.better == "zero" else value


def by_name(*metrics: Metric) -> dict[str, Metric]:
    """Metrics as the catalogues hold them."""
    return {metric.name: metric for metric in metrics}


RISK_METRICS = by_name(
    Metric("auc", ranking.area_under_curve, "higher", "AUC"),
    Metric("average_precision", ranking.average_precision, "higher", "avg. precision"),
    Metric("log_loss", calibration.log_loss, "lower", "log loss"),
    Metric("brier", calibration.brier_score, "lower", "Brier"),
    Metric("calibration_error", calibration.calibration_error, "lower", "cal. error"),
    Metric("lift_at_10", ranking.lift_at_top, "higher", "lift at 10 %", 2),
)
VALUE_METRICS = by_name(
    Metric("mae", value.mean_absolute_error, "lower", "value MAE", 1),
    Metric("bias", value.bias_percent, "zero", "bias %", 1),
    Metric("spearman", value.spearman, "higher", "Spearman"),
    Metric("gini", value.normalised_gini, "higher", "norm. Gini"),
    Metric("top_decile_capture", ranking.top_capture, "higher", "top 10 % hold"),
)
