"""The expected maximum profit: what no campaign may change, and what a campaign must say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from benchmarks.profit_metrics import TELECOM, Campaign, campaign_metrics, expected_maximum_profit, profitable_share
from holdfast.errors import ConfigError
from holdfast.metrics import estimate, paired_difference

METRIC = campaign_metrics(TELECOM)["expected_profit"]


def world(seed: int, n: int = 500, *, ties: bool = False) -> tuple[np.ndarray, np.ndarray]:
    """Outcomes and scores that know something of them."""
    draw = np.random.default_rng(seed)
    p = draw.random(n)
    return (draw.random(n) < p).astype(float), np.round(p, 1) if ties else p


def profit(truth: Any, score: Any, **changes: float) -> float:
    """EMPC of the paper's campaign, or of one that differs from it."""
    return float(expected_maximum_profit(np.asarray(truth), np.asarray(score), campaign=replace(TELECOM, **changes)))


def test_a_perfect_ranking_contacts_those_who_leave() -> None:
    """Then a contact earns gamma (value - offer) - contact_cost, and there is nothing else to pay."""
    truth = np.array([1.0, 1, 0, 0, 0])
    campaign = Campaign(200, 10, 0, 6, 14)
    assert expected_maximum_profit(truth, truth, campaign=campaign) == pytest.approx(2 / 5 * 0.3 * 190)
    assert profitable_share(truth, truth, campaign=campaign) == pytest.approx(2 / 5)


def test_without_knowledge_everyone_is_contacted_or_no_one() -> None:
    """One score for all leaves two choices; at a high churn rate and value all are worth it."""
    truth = np.r_[np.ones(6), np.zeros(4)]
    assert profit(truth, np.zeros(10), value=1e6) == pytest.approx((6 * (0.3 * (1e6 - 10) - 1) - 4 * 11) / 10)
    assert profit(truth, np.zeros(10), value=11) == pytest.approx(0, abs=1e-9)


def test_only_the_order_counts() -> None:
    """A measure of rankings gives every rising map of the scores the same number."""
    truth, score = world(1)
    assert profit(truth, score) == profit(truth, np.exp(5 * score) - 3)
    assert profit(truth, score) > profit(truth, -score)


@pytest.mark.parametrize("what", [expected_maximum_profit, profitable_share])
@pytest.mark.parametrize("ties", [False, True], ids=["all different", "ties"])
def test_a_weight_is_a_repeated_row(what: Any, ties: bool) -> None:
    """The bootstrap draws by weights, also rows that are not drawn at all."""
    truth, score = world(2, ties=ties)
    times = np.random.default_rng(3).integers(0, 4, len(truth))
    drawn = what(truth, score, np.stack([times.astype(float), np.ones(len(truth))]), campaign=TELECOM)
    assert drawn[0] == pytest.approx(what(np.repeat(truth, times), np.repeat(score, times), campaign=TELECOM))
    assert drawn[1] == pytest.approx(what(truth, score, campaign=TELECOM))


def test_profit_counts_in_currency() -> None:
    """Ten times the money on every side is ten times the profit."""
    truth, score = world(4)
    dearer = profit(truth, score, value=2_000, offer_cost=100, contact_cost=10)
    assert dearer == pytest.approx(10 * profit(truth, score))
    assert profit(truth, score, contact_cost=3) < profit(truth, score)


def test_one_class_is_no_error() -> None:
    """Where all stay nothing can be earned; where all leave everyone is contacted as soon as it pays."""
    score = np.linspace(0, 1, 8)
    assert profit(np.zeros(8), score) == 0
    assert profit(np.ones(8), score, contact_cost=0) == pytest.approx(0.3 * 190)


def test_nobody_at_all_is_nan() -> None:
    """An empty slice has no profit, and a run with one goes on."""
    assert np.isnan(profit(np.empty(0), np.empty(0)))
    assert np.isnan(expected_maximum_profit(np.ones(3), np.ones(3), np.zeros((2, 3)), campaign=TELECOM)).all()


def test_an_offer_that_costs_what_it_keeps_is_never_made() -> None:
    """With value at or below the offer's cost every contact loses money."""
    truth, score = world(5)
    for worth in (10.0, 5.0, 0.0):
        assert profit(truth, score, value=worth) == 0
        assert profitable_share(truth, score, campaign=replace(TELECOM, value=worth)) == 0


def test_chance_is_told_like_for_every_metric() -> None:
    """The bootstrap and the paired bootstrap take it as they take AUC."""
    truth, score = world(6, n=800)
    found = estimate({"it": METRIC}, truth, score, draws=100)["it"]
    assert found.low < found.estimate < found.high
    noisy = score + np.random.default_rng(7).normal(0, 0.4, 800)
    worse = paired_difference(METRIC, truth, noisy, score, draws=200)
    assert worse.high < 0
    assert worse.share_better == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"value": -1}, "A campaign's value must be a finite number of at least 0, found -1"),
        ({"contact_cost": float("nan")}, "contact_cost must be a finite number of at least 0, found nan"),
        ({"offer_cost": float("inf")}, "offer_cost must be a finite number of at least 0, found inf"),
        ({"alpha": 0}, "alpha must be a finite number above 0, found 0"),
        ({"beta": -2}, "beta must be a finite number above 0, found -2"),
    ],
)
def test_a_campaign_that_cannot_be_is_refused(change: dict[str, float], message: str) -> None:
    """A negative cost would contact everyone, and nobody would know why."""
    with pytest.raises(ConfigError, match=message):
        replace(TELECOM, **change)
