"""Figures of a contender, differences between two on the same rows, and what several worlds say together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy.stats import t

from benchmarks.contest.peers import OURS, Predicted
from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Difference, Metric, paired_difference, sentence

RISK = ("auc", "log_loss", "calibration_error")
VALUE = ("mae", "bias", "spearman", "gini", "top_decile_capture")


def figures(
    churned: np.ndarray, came: np.ndarray, said: Predicted, *, risk: Sequence[str] = RISK, value: Sequence[str] = VALUE
) -> dict[str, float]:
    """Every metric of one contender."""
    found = {name: float(RISK_METRICS[name].function(churned, said.p, None)) for name in risk}
    if said.value is not None:
        found |= {name: float(VALUE_METRICS[name].function(came, said.value, None)) for name in value}
    return found


def differences(
    churned: np.ndarray,
    came: np.ndarray,
    ours: Predicted,
    peer: Predicted,
    *,
    customers: np.ndarray,
    draws: int,
    names: Sequence[str] = (*RISK, *VALUE),
) -> dict[str, Difference]:
    """Ours minus a peer's, both resampled with the same customers."""
    found = {}
    for name in names:
        metric = RISK_METRICS.get(name) or VALUE_METRICS[name]
        truth, a, b = (churned, ours.p, peer.p) if name in RISK_METRICS else (came, ours.value, peer.value)
        if a is not None and b is not None:
            found[name] = paired_difference(metric, truth, a, b, customers=customers, draws=draws)
    return found


def over_worlds(gaps: Sequence[float], metric: Metric) -> Difference:
    """The mean difference over worlds with Student's interval; of one world without an interval."""
    values = np.asarray(gaps, dtype=np.float64)
    middle = float(values.mean())
    reach = float("nan")
    if len(values) > 1:
        reach = float(t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    better = values > 0 if metric.better == "higher" else values < 0
    return Difference(middle, middle - reach, middle + reach, float(better.mean()))


def told(found: Mapping[str, Mapping[str, Difference]], names: Sequence[str]) -> list[str]:
    """The differences in sentences: peer by peer, metric by metric."""
    metrics = {**RISK_METRICS, **VALUE_METRICS}
    return [
        sentence(of[name], metrics[name], peer, subject=OURS)
        for peer, of in found.items()
        for name in names
        if name in of
    ]


def plain(found: Any) -> Any:
    """Figures for JSON: five digits that mean something, what does not exist as null."""
    if isinstance(found, Difference):
        return plain({**found.to_dict(), "share_better": found.share_better})
    if isinstance(found, Mapping):
        return {str(name): plain(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [plain(value) for value in found]
    if isinstance(found, float | np.floating):
        return None if not np.isfinite(found) else float(f"{found:.5g}")
    return found.item() if isinstance(found, np.generic) else found
