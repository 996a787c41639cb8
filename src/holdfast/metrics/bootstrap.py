"""What chance alone would move a metric: percentile bootstrap over customers (Efron and Tibshirani 1993).

Whole customers are drawn, with all their snapshots, because snapshots of one customer resemble each other. A draw is a
row of weights, so every metric computes all draws at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holdfast.metrics.catalogue import Metric
from holdfast.metrics.weighted import Array

_CELLS_AT_ONCE = 4_000_000


@dataclass(frozen=True)
class Interval:
    """A metric on the rows as they are, and the middle 95 % of what resampled customers give."""

    estimate: float
    low: float
    high: float

    def to_dict(self) -> dict[str, float | None]:
        """JSON-ready; a metric that does not exist (AUC with one class) is None."""
        return {
            name: None if np.isnan(value) else value
            for name, value in (("estimate", self.estimate), ("low", self.low), ("high", self.high))
        }


@dataclass(frozen=True)
class Difference(Interval):
    """A metric of ``a`` minus that of ``b`` on the same rows; ``share_better`` of the draws have ``a`` better."""

    share_better: float


def resample(customers: ArrayLike, draws: int, seed: int) -> Iterator[Array]:
    """Weights of so many draws of customers, in blocks of shape (≤ draws, n_rows)."""
    _, code = np.unique(np.asarray(customers), return_inverse=True)
    count = int(code.max()) + 1 if len(code) else 0
    chance = np.full(count, 1 / count) if count else np.ones(1)  # nobody is drawn from nobody
    random = np.random.default_rng(seed)
    block = max(1, _CELLS_AT_ONCE // max(len(code), 1))
    for start in range(0, draws, block):
        size = min(block, draws - start)
        counts = random.multinomial(count, chance, size=size)
        yield counts[:, code].astype(np.float64)


def estimate(
    metrics: Mapping[str, Metric],
    truth: ArrayLike,
    predicted: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    customers: ArrayLike | None = None,
    draws: int = 200,
    seed: int = 0,
    coverage: float = 0.95,
) -> dict[str, Interval]:
    """Every metric with its interval.

    Parameters
    ----------
    truth, predicted : arrays of shape (n_rows,)
    weights : array of shape (n_rows,), optional
        How many rows each stands for, where the rows are a sample.
    customers : array of shape (n_rows,), optional
        Who each row is about; None where every row is another customer.
    draws : int
        Resamples; 0 gives intervals of NaN.
    """
    y, p = _float(truth), _float(predicted)
    who = np.arange(len(y)) if customers is None else customers
    own = None if weights is None else _float(weights)
    drawn: dict[str, list[Array]] = {name: [] for name in metrics}
    for counts in resample(who, draws, seed):
        for name, metric in metrics.items():
            drawn[name].append(metric.function(y, p, counts if own is None else counts * own))
    return {
        name: Interval(float(metric.function(y, p, own)), *middle(_joined(drawn[name]), coverage))
        for name, metric in metrics.items()
    }


def paired_difference(
    metric: Metric,
    truth: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    customers: ArrayLike | None = None,
    draws: int = 1_000,
    seed: int = 0,
    coverage: float = 0.95,
) -> Difference:
    """The metric of predictions ``a`` minus that of ``b``, both resampled with the same customers.

    Parameters are those of :func:`estimate`, for two predictions.

    Returns
    -------
    Difference
        ``a`` is worse beyond chance where the interval lies wholly on the worse side of 0 (for ``better="zero"`` the
        absolute values are compared).
    """
    how: dict[str, Any] = {"weights": weights, "customers": customers, "draws": draws, "seed": seed}
    return paired_differences({"": metric}, truth, a, b, coverage=coverage, **how)[""]


def paired_differences(
    metrics: Mapping[str, Metric],
    truth: ArrayLike,
    a: ArrayLike,
    b: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    customers: ArrayLike | None = None,
    draws: int = 1_000,
    seed: int = 0,
    coverage: float = 0.95,
) -> dict[str, Difference]:
    """:func:`paired_difference` of several metrics, which share what was drawn."""
    y, first, second = _float(truth), _float(a), _float(b)
    who = np.arange(len(y)) if customers is None else customers
    own = None if weights is None else _float(weights)

    def gap(metric: Metric, counts: Array | None) -> Array:
        one, other = metric.function(y, first, counts), metric.function(y, second, counts)
        return np.abs(one) - np.abs(other) if metric.better == "zero" else one - other

    blocks: dict[str, list[Array]] = {name: [] for name in metrics}
    for counts in resample(who, draws, seed):
        for name, metric in metrics.items():
            blocks[name].append(gap(metric, counts if own is None else counts * own))
    found = {}
    for name, metric in metrics.items():
        drawn = _joined(blocks[name])
        better = drawn > 0 if metric.better == "higher" else drawn < 0
        share = float(np.mean(better)) if len(better) else float("nan")
        found[name] = Difference(float(gap(metric, own)), *middle(drawn, coverage), share)
    return found


def middle(drawn: Array, coverage: float) -> tuple[float, float]:
    """The middle share ``coverage`` of what was drawn, NaN aside; NaN where nothing is left."""
    values = drawn[~np.isnan(drawn)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


def _joined(blocks: list[Array]) -> Array:
    return np.concatenate(blocks) if blocks else np.empty(0)


def _float(x: ArrayLike) -> Array:
    return np.asarray(x, dtype=np.float64)
