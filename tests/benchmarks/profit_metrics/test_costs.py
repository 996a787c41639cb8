"""Profit where each customer has costs of their own."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks.profit_metrics import Costs, cost_metrics, decided_profit, maximum_profit, profitable_depth, savings
from holdfast.errors import ConfigError, DataError
from holdfast.metrics import estimate, paired_difference


def world(seed: int, n: int = 400) -> tuple[np.ndarray, np.ndarray, Costs]:
    """Outcomes, their true probabilities, and a value for each customer."""
    draw = np.random.default_rng(seed)
    p = draw.beta(1, 4, n)
    costs = Costs.of_campaign(draw.lognormal(4, 1, n), accept_rate=0.4, offer_cost=5, contact_cost=1)
    return (draw.random(n) < p).astype(float), p, costs


def taken(costs: Costs, rows: Any) -> Costs:
    """The costs of some customers, in some order."""
    return Costs(*(cost[rows] for cost in vars(costs).values()))


def test_a_campaign_makes_the_four_costs() -> None:
    """Who accepts stays and takes the offer; who does not is lost; the loyal take the gift too."""
    costs = Costs.of_campaign([100.0, 300.0], accept_rate=0.25, offer_cost=[10, 20], contact_cost=2)
    assert costs.true_positive == pytest.approx([2 + 2.5 + 75, 2 + 5 + 225])
    assert costs.false_positive == pytest.approx([12, 22])
    assert costs.false_negative == pytest.approx([100, 300])
    assert costs.true_negative == pytest.approx([0, 0])
    assert costs.gain(np.array([1.0, 0.0])) == pytest.approx([100 - 79.5, -22])


def test_contact_goes_where_it_is_expected_to_pay() -> None:
    """The same risk is worth a contact for the valuable customer and not for the other."""
    costs = Costs.of_campaign([1_000.0, 50.0], accept_rate=0.5, offer_cost=10, contact_cost=1)
    assert costs.worth_contact(np.array([0.05, 0.05])).tolist() == [1, 0]


def test_the_four_figures_by_hand() -> None:
    """Three customers, small enough to check with a pencil."""
    costs = Costs(np.full(3, 20.0), np.full(3, 10.0), np.array([100.0, 100.0, 25.0]), np.zeros(3))
    truth, p = np.array([1.0, 0.0, 1.0]), np.array([0.9, 0.5, 0.1])
    # expected gains: .9*80-.1*10 = 71; .5*80-.5*10 = 35; .1*5-.9*10 = -8.5. Came: +80, -10, +5
    assert decided_profit(truth, p, costs=costs) == pytest.approx((80 - 10) / 3)
    # alone 125, all contacted 50, the model 20 + 10 + 25 = 55
    assert savings(truth, p, costs=costs) == pytest.approx(1 - 55 / 50)
    assert maximum_profit(truth, p, costs=costs) == pytest.approx(80 / 3)
    assert profitable_depth(truth, p, costs=costs) == pytest.approx(1 / 3)
    assert maximum_profit(truth, -p, costs=costs) == pytest.approx(75 / 3)


def test_perfect_knowledge_earns_most() -> None:
    """No ranking and no decision beats the outcomes themselves, and none of the two below nobody."""
    truth, p, costs = world(1)
    best = decided_profit(truth, truth, costs=costs)
    for name, metric in cost_metrics(costs).items():
        if name != "savings":
            assert 0 < metric.function(truth, p, None) <= best
    assert maximum_profit(truth, costs.gain(truth), costs=costs) == pytest.approx(best)
    assert decided_profit(truth, np.zeros(400), costs=costs) == 0


def test_decisions_need_calibrated_probabilities_and_rankings_do_not() -> None:
    """Risks ten times too high keep their order, and the money is spent on the loyal."""
    truth, p, costs = world(2, n=4_000)
    too_high = np.minimum(10 * p, 1)
    assert decided_profit(truth, too_high, costs=costs) < decided_profit(truth, p, costs=costs)
    assert maximum_profit(truth, p, costs=costs) == maximum_profit(truth, 10 * p, costs=costs)


@pytest.mark.parametrize("name", ["profit", "savings", "max_profit", "max_profit_by_risk"])
@pytest.mark.parametrize("ties", [False, True], ids=["all different", "ties"])
def test_a_weight_is_a_repeated_row(name: str, ties: bool) -> None:
    """The bootstrap draws by weights; costs go with their rows."""
    truth, p, costs = world(3)
    p = np.round(p, 1) if ties else p
    times = np.random.default_rng(4).integers(0, 4, len(truth))
    rows = np.repeat(np.arange(len(truth)), times)
    drawn = cost_metrics(costs)[name].function(truth, p, np.stack([times.astype(float), np.ones(len(truth))]))
    assert drawn[0] == pytest.approx(cost_metrics(taken(costs, rows))[name].function(truth[rows], p[rows], None))
    assert drawn[1] == pytest.approx(cost_metrics(costs)[name].function(truth, p, None))


@pytest.mark.parametrize("name", ["profit", "savings", "max_profit", "max_profit_by_risk"])
def test_the_order_of_rows_does_not_matter(name: str) -> None:
    """Files come in any order."""
    truth, p, costs = world(5)
    order, p = np.random.default_rng(6).permutation(len(truth)), np.round(p, 1)
    shuffled = cost_metrics(taken(costs, order))[name].function(truth[order], p[order], None)
    assert shuffled == pytest.approx(cost_metrics(costs)[name].function(truth, p, None))


def test_without_costs_there_is_nothing_to_earn() -> None:
    """Zero profit, and savings that do not exist, rather than an error in the middle of a report."""
    none = Costs(*(np.zeros(4) for _ in range(4)))
    truth, p = np.array([1.0, 0, 1, 0]), np.full(4, 0.5)
    found = {name: float(metric.function(truth, p, None)) for name, metric in cost_metrics(none).items()}
    assert (found["profit"], found["max_profit"], found["max_profit_by_risk"]) == (0, 0, 0)
    assert np.isnan(found["savings"])


def test_one_class_and_no_one_at_all() -> None:
    """All loyal: the best is to leave them alone. Nobody: there is no figure."""
    _, p, costs = world(7)
    assert maximum_profit(np.zeros(400), p, costs=costs) == 0
    assert profitable_depth(np.zeros(400), p, costs=costs) == 0
    valuable = Costs.of_campaign(np.full(400, 100.0), accept_rate=0.4, offer_cost=5, contact_cost=1)
    assert decided_profit(np.zeros(400), np.ones(400), costs=valuable) == pytest.approx(-6)
    nobody = Costs(*(np.empty(0) for _ in range(4)))
    assert np.isnan(decided_profit(np.empty(0), np.empty(0), costs=nobody))
    assert np.isnan(maximum_profit(np.empty(0), np.empty(0), costs=nobody))


def test_chance_is_told_like_for_every_metric() -> None:
    """Costs stay with their customers while customers are drawn."""
    truth, p, costs = world(8, n=2_000)
    metrics = cost_metrics(costs)
    for found in estimate(metrics, truth, p, draws=100).values():
        assert found.low < found.estimate < found.high
    blind = paired_difference(metrics["max_profit"], truth, np.full(2_000, p.mean()), p, draws=200)
    assert blind.high < 0


@pytest.mark.parametrize(
    ("four", "message"),
    [
        ([np.ones(2), np.ones(3), np.ones(2), np.ones(2)], "four costs for each customer, found arrays of shape"),
        ([1.0, 1.0, 1.0, 1.0], "Give one per row each"),
        ([np.ones(2), np.array([1, np.nan]), np.ones(2), np.ones(2)], "1 of 2 in false_positive are missing"),
    ],
    ids=["lengths", "numbers", "missing"],
)
def test_costs_that_do_not_fit_are_refused(four: list[Any], message: str) -> None:
    """A cost that is missing counts as nothing in a sum, and a customer without cost looks like a bargain."""
    with pytest.raises(DataError, match=message):
        Costs(*four)


def test_costs_of_other_customers_are_refused() -> None:
    """Costs of a table before it was filtered would be charged to the wrong people."""
    truth, p, costs = world(9)
    with pytest.raises(DataError, match="Wanted costs for 399 customers, found those of 400"):
        decided_profit(truth[1:], p[1:], costs=costs)


def test_columns_of_a_table_are_taken_in_their_order() -> None:
    """A filtered table keeps its index, and pandas would align by it instead of by place."""
    truth, p, costs = world(10)
    table = pd.DataFrame(vars(costs), index=np.arange(400)[::-1])
    again = Costs(*(table[name] for name in table))
    assert maximum_profit(truth, p, costs=again) == maximum_profit(truth, p, costs=costs)


def test_a_share_of_accepting_customers_is_a_share() -> None:
    """30 % is 0.3; 30 would earn thirty times what a customer is worth."""
    with pytest.raises(ConfigError, match="accept_rate must be a share between 0 and 1, found 30 to 30"):
        Costs.of_campaign([100.0], accept_rate=30, offer_cost=1, contact_cost=1)
