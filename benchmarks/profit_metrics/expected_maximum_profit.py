"""The most that a retention campaign is expected to earn with a ranking: EMPC.

After Verbraken, Verbeke and Baesens (2013, doi:10.1109/TKDE.2012.50); their CLV, d, f and gamma are our value,
offer_cost, contact_cost and the share of churners who accept, which is unknown beforehand and has a Beta(alpha, beta)
distribution. Contacting a churner earns ``gamma * (value - offer_cost) - contact_cost``; contacting somebody who would
have stayed costs ``offer_cost + contact_cost``, because the loyal take the gift. For each gamma the best threshold is
used, so the measure judges the ranking and not the probabilities.

The best threshold is always a corner of the ROC curve's convex hull. An edge of the hull is a group of customers of one
churn rate, the rates falling from edge to edge, so a campaign contacts exactly the groups that pay for themselves:

    EMPC = sum over groups of E[max(0, A * gamma - B)] / customers,
    A = churners * (value - offer_cost),  B = contact_cost * churners + (offer_cost + contact_cost) * stayers,

and the expectation is a difference of incomplete beta functions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
from scipy.optimize import isotonic_regression
from scipy.special import betaincc

from holdfast.errors import ConfigError
from holdfast.metrics.catalogue import Metric, by_name
from holdfast.metrics.weighted import Array, Ties, answer, as_draws, ratio

_OfGroups = Callable[["Campaign", Array, Array], Array]


@dataclass(frozen=True)
class Campaign:
    """What a contact can keep, what it costs, and how many accept.

    Attributes
    ----------
    value : float
        What a customer who stays is worth, in currency.
    offer_cost : float
        Of the gift or discount, in currency, if it is accepted.
    contact_cost : float
        Of the contact itself, in currency.
    alpha, beta : float
        Of the distribution of the share of churners who accept; its mean is ``alpha / (alpha + beta)``.

    Raises
    ------
    ConfigError
        An amount is negative or not finite; ``alpha`` or ``beta`` is not above 0.
    """

    value: float
    offer_cost: float
    contact_cost: float
    alpha: float
    beta: float

    def __post_init__(self) -> None:
        for name, amount in vars(self).items():
            least = "above 0" if name in {"alpha", "beta"} else "of at least 0"
            if not np.isfinite(amount) or amount < 0 or (amount == 0 and least == "above 0"):
                raise ConfigError(f"A campaign's {name} must be a finite number {least}, found {amount}.")


TELECOM = Campaign(value=200, offer_cost=10, contact_cost=1, alpha=6, beta=14)
"""The example of the paper, which other people's figures use: a yardstick, and nobody's costs."""


def expected_maximum_profit(truth: Array, score: Array, weights: Array | None = None, *, campaign: Campaign) -> Array:
    """Expected profit per customer at the best thresholds, in the campaign's currency; 0 where contact never pays."""
    return _over_groups(truth, score, weights, campaign, _earned)


def profitable_share(truth: Array, score: Array, weights: Array | None = None, *, campaign: Campaign) -> Array:
    """Share of customers that the campaign of greatest profit contacts, in expectation over who accepts."""
    return _over_groups(truth, score, weights, campaign, _contacted)


def campaign_metrics(campaign: Campaign) -> dict[str, Metric]:
    """EMPC of this campaign by name, as the catalogues have their metrics."""
    return by_name(
        Metric("expected_profit", partial(expected_maximum_profit, campaign=campaign), "higher", "exp. max. profit")
    )


def _earned(campaign: Campaign, churned: Array, stayed: Array) -> Array:
    """E[max(0, A gamma - B)] of each group."""
    gain, cost, least = _per_group(campaign, churned, stayed)
    a, b = campaign.alpha, campaign.beta
    kept = gain * a / (a + b) * betaincc(a + 1, b, least) - cost * betaincc(a, b, least)
    return np.where(gain > 0, np.maximum(kept, 0.0), 0.0)


def _contacted(campaign: Campaign, churned: Array, stayed: Array) -> Array:
    """Expected number contacted of each group: it is contacted where gamma exceeds B / A."""
    gain, _, least = _per_group(campaign, churned, stayed)
    return np.where(gain > 0, (churned + stayed) * betaincc(campaign.alpha, campaign.beta, least), 0.0)


def _per_group(campaign: Campaign, churned: Array, stayed: Array) -> tuple[Array, Array, Array]:
    """A, B, and the least accepted share that pays, at most 1."""
    gain = churned * (campaign.value - campaign.offer_cost)
    cost = campaign.contact_cost * churned + (campaign.offer_cost + campaign.contact_cost) * stayed
    least = np.divide(cost, gain, out=np.ones_like(gain), where=gain > cost)
    return gain, cost, least


def _over_groups(truth: Array, score: Array, weights: Array | None, campaign: Campaign, what: _OfGroups) -> Array:
    """The sum over the groups of each draw, per customer; NaN without customers."""
    draws, ties = as_draws(weights, len(truth)), Ties.of(score, descending=True)
    everyone, churned = ties.sums(draws), ties.sums(draws * truth)
    groups = list(_hull(everyone, churned))
    draw = np.repeat(np.arange(len(draws)), [len(size) for size, _ in groups])
    size, of_them = (np.concatenate([group[i] for group in groups]) for i in (0, 1))
    each = what(campaign, of_them, size - of_them)
    total = np.bincount(draw, each, len(draws)).astype(np.float64)
    return answer(ratio(total, draws.sum(axis=1)), weights)


def _hull(everyone: Array, churned: Array) -> Iterator[tuple[Array, Array]]:
    """Per draw, customers and churners on each edge of the convex hull, by pooling adjacent violators."""
    for size, of_them in zip(everyone, churned, strict=True):
        there = size > 0
        size, of_them = size[there], of_them[there]
        if not len(size):
            yield size, of_them
            continue
        starts = isotonic_regression(of_them / size, weights=size, increasing=False).blocks[:-1]
        yield np.add.reduceat(size, starts), np.add.reduceat(of_them, starts)
