"""How far predicted values lie from those that came, per customer, in total and in rank."""

from __future__ import annotations

import numpy as np

from holdfast.metrics.weighted import Array, Ties, answer, as_draws, mean, ratio


def mean_absolute_error(truth: Array, predicted: Array, weights: Array | None = None) -> Array:
    """In currency. Predicting 0 for everyone does well here where most are 0: read it beside the bias."""
    return answer(mean(np.abs(predicted - truth), as_draws(weights, len(truth))), weights)


def bias_percent(truth: Array, predicted: Array, weights: Array | None = None) -> Array:
    """By how many percent the predicted total exceeds the one that came."""
    draws = as_draws(weights, len(truth))
    return answer(100 * (ratio(draws @ predicted, draws @ truth) - 1), weights)


def spearman(truth: Array, predicted: Array, weights: Array | None = None) -> Array:
    """Correlation of the ranks, ties at their middle rank."""
    draws = as_draws(weights, len(truth))
    a, b = (_centred_ranks(x, draws) for x in (truth, predicted))
    covariance, spread = (draws * a * b).sum(axis=1), (draws * a * a).sum(axis=1) * (draws * b * b).sum(axis=1)
    return answer(ratio(covariance, np.sqrt(spread)), weights)


def _centred_ranks(x: Array, draws: Array) -> Array:
    ties = Ties.of(x, descending=False)
    size = ties.sums(draws)
    ranks = ties.spread(np.cumsum(size, axis=1) - size / 2)
    return ranks - ratio((draws * ranks).sum(axis=1), draws.sum(axis=1))[:, None]


def normalised_gini(truth: Array, predicted: Array, weights: Array | None = None) -> Array:
    """Area between the gains curve and chance, as a share of what the perfect order would reach."""
    draws = as_draws(weights, len(truth))
    return answer(ratio(_gain(truth, predicted, draws), _gain(truth, truth, draws)), weights)


def _gain(truth: Array, score: Array, draws: Array) -> Array:
    ties = Ties.of(score, descending=True)
    size, held = ties.sums(draws), ties.sums(draws * truth)
    area = (size * (np.cumsum(held, axis=1) - held / 2)).sum(axis=1)
    return ratio(area, size.sum(axis=1) * held.sum(axis=1)) - 0.5


def interval_coverage(truth: Array, low: Array, high: Array, weights: Array | None = None) -> Array:
    """Share of customers whose value fell inside its interval, the ends included."""
    inside = ((truth >= low) & (truth <= high)).astype(np.float64)
    return answer(mean(inside, as_draws(weights, len(truth))), weights)
