"""How well a score puts those who churn, or those who are worth most, first."""

from __future__ import annotations

import numpy as np

from holdfast.metrics.weighted import Array, Ties, answer, as_draws, ratio

TOP = 0.1
"""The share of customers that a list could reach, in lift and capture."""


def area_under_curve(truth: Array, score: Array, weights: Array | None = None) -> Array:
    """P(a churner scores higher than one who stays), ties counting one half; NaN with one class only."""
    draws, ties = as_draws(weights, len(truth)), Ties.of(score, descending=False)
    churned, stayed = ties.sums(draws * truth), ties.sums(draws * (1 - truth))
    below = np.cumsum(stayed, axis=1) - stayed / 2
    return answer(ratio((churned * below).sum(axis=1), churned.sum(axis=1) * stayed.sum(axis=1)), weights)


def average_precision(truth: Array, score: Array, weights: Array | None = None) -> Array:
    """Precision averaged over the churners, each taken at its own score (as in scikit-learn)."""
    draws, ties = as_draws(weights, len(truth)), Ties.of(score, descending=True)
    churned, everyone = ties.sums(draws * truth), ties.sums(draws)
    precision = np.nan_to_num(ratio(np.cumsum(churned, axis=1), np.cumsum(everyone, axis=1)))
    return answer(ratio((churned * precision).sum(axis=1), churned.sum(axis=1)), weights)


def top_capture(amount: Array, score: Array, weights: Array | None = None) -> Array:
    """Share of the total amount held by the tenth of customers with the highest score.

    Where the border of the tenth runs through a group of equal scores, the group counts in proportion.
    """
    draws = as_draws(weights, len(amount))
    held = draws * amount
    taken = within(score, draws, held, TOP * draws.sum(axis=1, keepdims=True))
    return answer(ratio(taken, held.sum(axis=1)), weights)


def within(score: Array, spent: Array, held: Array, budget: Array) -> Array:
    """What is held by the rows that a budget reaches, from the highest score on; equal scores in proportion.

    Parameters
    ----------
    score : array of shape (n_rows,)
    spent, held : arrays of shape (n_draws, n_rows)
        What each row takes from the budget, and what it holds; rows that take nothing are always reached.
    budget : array of shape (n_draws, 1)

    Returns
    -------
    array of shape (n_draws,)
    """
    ties = Ties.of(score, descending=True)
    size, amount = ties.sums(spent), ties.sums(held)
    room = np.clip(budget - (np.cumsum(size, axis=1) - size), 0, size)
    reached = np.divide(room, size, out=np.ones_like(size), where=size > 0)
    return np.asarray((amount * reached).sum(axis=1))


def lift_at_top(truth: Array, score: Array, weights: Array | None = None) -> Array:
    """How many times more churners the top tenth holds than a random tenth."""
    return top_capture(truth, score, weights) / TOP
