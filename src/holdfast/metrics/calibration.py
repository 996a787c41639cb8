"""Whether probabilities mean what they say."""

from __future__ import annotations

import numpy as np
from scipy.stats import rankdata

from holdfast.metrics.weighted import Array, answer, as_draws, mean, ratio

BINS = 10
_SMALLEST = 1e-15


def log_loss(truth: Array, p: Array, weights: Array | None = None) -> Array:
    """Mean negative log-likelihood, in nats; a certainty that fails costs 34.5 and not infinity."""
    p = np.clip(p, _SMALLEST, 1 - _SMALLEST)
    each = -(truth * np.log(p) + (1 - truth) * np.log1p(-p))
    return answer(mean(each, as_draws(weights, len(truth))), weights)


def brier_score(truth: Array, p: Array, weights: Array | None = None) -> Array:
    """Mean squared distance of probability and outcome."""
    return answer(mean((p - truth) ** 2, as_draws(weights, len(truth))), weights)


def bins(p: Array) -> Array:
    """Number of the bin, 0 to 9, of ten bins of equal count; equal probabilities share a bin."""
    place = np.floor(BINS * (rankdata(p) - 0.5) / max(len(p), 1))
    return np.asarray(np.minimum(place, BINS - 1), dtype=np.float64)


def calibration_error(truth: Array, p: Array, weights: Array | None = None) -> Array:
    """Mean distance of predicted and observed share over ten bins of equal count (ECE), weighted by the bins' sizes.

    The bins hold equal numbers of rows, whatever the weights, so that all bootstrap draws share them.
    """
    draws, place = as_draws(weights, len(truth)), bins(p)
    total = np.zeros(len(draws))
    for b in range(BINS):
        inside = place == b
        total += np.abs(draws[:, inside] @ (p - truth)[inside])
    return answer(ratio(total, draws.sum(axis=1)), weights)
