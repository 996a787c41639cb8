"""The profit metrics a second time: in plain Python, and with figures of the peer that made them known."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.profit_metrics import (
    Campaign,
    Costs,
    cost_metrics,
    expected_maximum_profit,
    maximum_profit,
    profitable_depth,
    profitable_share,
)

SIZE = 9
outcomes = st.lists(st.sampled_from([0.0, 1.0]), min_size=SIZE, max_size=SIZE)
scores = st.lists(st.sampled_from([0.05, 0.1, 0.3, 0.5, 0.9]), min_size=SIZE, max_size=SIZE)
amounts = st.lists(st.integers(-20, 200).map(float), min_size=SIZE, max_size=SIZE)
charges = st.lists(st.integers(0, 30).map(float), min_size=SIZE, max_size=SIZE)
campaigns = st.builds(
    Campaign,
    value=st.sampled_from([5.0, 50.0, 200.0, 1_000.0]),
    offer_cost=st.sampled_from([0.0, 1.0, 10.0, 60.0]),
    contact_cost=st.sampled_from([0.0, 1.0, 20.0]),
    alpha=st.sampled_from([1.5, 3.0, 6.0]),
    beta=st.sampled_from([1.5, 5.0, 14.0]),
)


def ranked(score: Sequence[float], *rows: Sequence[float]) -> list[list[list[float]]]:
    """Groups of equal score, highest first; each a list of the rows' numbers."""
    found: dict[float, list[list[float]]] = {}
    for place, key in enumerate(score):
        found.setdefault(key, []).append([row[place] for row in rows])
    return [found[key] for key in sorted(found, reverse=True)]


def profit_by_hand(truth: Sequence[float], score: Sequence[float], campaign: Campaign, steps: int = 2_000) -> float:
    """For each accepted share the best of all thresholds, summed over the density of that share."""
    a, b = campaign.alpha, campaign.beta
    norm = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b)
    total = 0.0
    for step in range(steps):
        gamma = (step + 0.5) / steps
        density = math.exp(norm + (a - 1) * math.log(gamma) + (b - 1) * math.log(1 - gamma))
        best = profit = 0.0
        for group in ranked(score, truth):
            for (churned,) in group:
                if churned:
                    profit += gamma * (campaign.value - campaign.offer_cost) - campaign.contact_cost
                else:
                    profit -= campaign.offer_cost + campaign.contact_cost
            best = max(best, profit)
        total += best * density / steps
    return total / len(truth)


@settings(deadline=None, max_examples=40)
@given(truth=outcomes, score=scores, campaign=campaigns)
def test_the_expected_maximum_profit_is_an_integral_over_best_thresholds(
    truth: list[float], score: list[float], campaign: Campaign
) -> None:
    """The hull and the beta functions are a short cut; the long way tries every threshold at every accepted share."""
    found = expected_maximum_profit(np.array(truth), np.array(score), campaign=campaign)
    assert found == pytest.approx(profit_by_hand(truth, score, campaign), rel=1e-3, abs=1e-4 * campaign.value)


# value, offer, contact, alpha, beta; EMPC and share contacted of a score without ties, and of the same to one decimal:
# as empulse 0.13.1 computes them
PUBLISHED = [
    ((200, 10, 1, 6, 14), 13.399757809181587, 13.218110433746954, 0.7844301563363254, 0.8000863560485492),
    ((200, 10, 1, 2, 2), 26.119009567721232, 25.937279455240066, 0.7795290858725762, 0.795628250089906),
    ((1000, 0, 5, 0.5, 0.5), 162.7911354974128, 162.71221191048033, 0.7542605749889938, 0.7696031022269649),
    ((50, 25, 3, 6, 14), 0.5262242985467273, 0.37587928356534683, 0.11430772461419114, 0.08166012019994542),
    ((80, 60, 0, 3, 1), 1.7499999999999991, 1.2499999999999996, 0.11666666666666665, 0.08333333333333333),
    ((10, 30, 1, 6, 14), 0.0, 0.0, 0.0, 0.0),
    ((200, 0, 0, 6, 14), 19.999999999999996, 19.999999999999996, 0.8166666666666667, 0.8333333333333333),
    ((5000, 100, 40, 1, 30), 17.92168649742914, 16.498050919576002, 0.16754888732001602, 0.1670483787387125),
    ((12.5, 1, 0.25, 20, 5), 2.3791666816478125, 2.3583333483758193, 0.8166663794389261, 0.8333330448294994),
    (
        (200, 10, 150, 6, 14),
        4.4106124981179324e-07,
        3.1504374986557e-07,
        1.5306791433615054e-07,
        1.0933422452582182e-07,
    ),
]


@pytest.mark.parametrize(("numbers", "plain", "tied", "share", "share_tied"), PUBLISHED, ids=str)
def test_the_figures_are_those_of_the_known_package(
    numbers: tuple[float, ...], plain: float, tied: float, share: float, share_tied: float
) -> None:
    """People compare across papers and packages; one name must be one number, ties or not."""
    place = np.arange(60)
    truth = ((place * 7) % 13 < 4).astype(float)
    score = (place * 37) % 101 / 101 + 0.3 * truth
    campaign = Campaign(*numbers)
    assert expected_maximum_profit(truth, score, campaign=campaign) == pytest.approx(plain, rel=1e-12, abs=1e-12)
    assert profitable_share(truth, score, campaign=campaign) == pytest.approx(share, rel=1e-9, abs=1e-12)
    score = np.round(score, 1)
    assert expected_maximum_profit(truth, score, campaign=campaign) == pytest.approx(tied, rel=1e-12, abs=1e-12)
    assert profitable_share(truth, score, campaign=campaign) == pytest.approx(share_tied, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("seed", range(8))
def test_the_known_package_agrees_where_it_is_installed(seed: int) -> None:
    """Any outcomes, ties and parameters, within a billionth of the currency."""
    peer: Any = pytest.importorskip("empulse.metrics", reason="the extra `profit` is not installed").empc_score
    draw = np.random.default_rng(seed)
    for _ in range(25):
        size = int(draw.choice([1, 2, 10, 300, 3_000]))
        truth = (draw.random(size) < draw.random()).astype(float)
        score = np.round(draw.random(size) + 0.3 * draw.random() * truth, int(draw.integers(1, 8)))
        campaign = Campaign(
            value=float(draw.choice([0, 1, 50, 200, 1_000])),
            offer_cost=float(draw.choice([0, 1, 10, 60])),
            contact_cost=float(draw.choice([0, 0.5, 20])),
            alpha=float(draw.uniform(0.2, 40)),
            beta=float(draw.uniform(0.2, 40)),
        )
        how = {"clv": campaign.value, "incentive_cost": campaign.offer_cost, "contact_cost": campaign.contact_cost}
        how |= {"alpha": campaign.alpha, "beta": campaign.beta}
        assert abs(expected_maximum_profit(truth, score, campaign=campaign) - peer(truth, score, **how)) < 1e-9
        share = profitable_share(truth, score, campaign=campaign)
        assert share == pytest.approx(peer.optimal_rate(truth, score, **how), abs=1e-9)


@given(truth=outcomes, p=scores, value=amounts, cost=charges)
def test_profit_with_own_costs_by_hand(
    truth: list[float], p: list[float], value: list[float], cost: list[float]
) -> None:
    """Customer by customer: decide, look what came, pay."""
    costs = Costs(np.array(cost) + 1, np.array(cost), np.array(value), np.zeros(SIZE))
    paid = nobody = everybody = earned = 0.0
    expected, gains = [], []
    for y, chance, lost, charge in zip(truth, p, value, cost, strict=True):
        contacted, alone = (charge + 1, lost) if y else (charge, 0.0)
        expected.append(chance * (lost - charge - 1) + (1 - chance) * (0 - charge))
        gains.append(alone - contacted)
        paid += contacted if expected[-1] > 0 else alone
        earned += alone - contacted if expected[-1] > 0 else 0.0
        nobody, everybody = nobody + alone, everybody + contacted
    found = {name: metric.function(np.array(truth), np.array(p), None) for name, metric in cost_metrics(costs).items()}
    assert found["profit"] == pytest.approx(earned / SIZE)
    trivial = min(nobody, everybody)
    saved = 1 - paid / trivial if trivial > 0 else float("nan")
    assert found["savings"] == pytest.approx(saved, nan_ok=True, abs=1e-9)
    for name, order in (("max_profit", costs.gain(np.array(p))), ("max_profit_by_risk", np.array(p))):
        best, depth = best_by_hand(order.tolist(), gains)
        assert found[name] == pytest.approx(best / SIZE)
        assert maximum_profit(np.array(truth), order, costs=costs) == found[name]
        assert profitable_depth(np.array(truth), order, costs=costs) == pytest.approx(depth / SIZE)


def best_by_hand(order: Sequence[float], gains: Sequence[float]) -> tuple[float, int]:
    """The best total from the top down, and after how many customers; nobody if nothing pays."""
    best, depth, total, count = 0.0, 0, 0.0, 0
    for group in ranked(order, gains):
        total, count = total + sum(gain for (gain,) in group), count + len(group)
        if total > best:
            best, depth = total, count
    return best, depth
