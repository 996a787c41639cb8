"""What a budget reaches."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.errors import ConfigError, DataError
from holdfast.metrics import (
    capture_metrics,
    capture_table,
    captured_value,
    contacts_within,
    estimate,
    paired_difference,
    top_capture,
)


def world(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Amounts, scores that know something of them, and costs."""
    draw = np.random.default_rng(seed)
    amount = draw.lognormal(3, 1, n)
    return amount, np.round(amount * draw.lognormal(0, 0.5, n), -1), draw.uniform(1, 5, n)


def test_money_is_spent_from_the_top() -> None:
    """Four customers at 10 each: 25 pay for two and a half."""
    amount = np.array([50.0, 30.0, 20.0, 0.0])
    score = np.array([4.0, 3.0, 2.0, 1.0])
    assert captured_value(amount, score, budget=25, cost=10.0) == pytest.approx(0.5 + 0.3 + 0.2 / 2)
    assert contacts_within(score, budget=25, cost=10.0) == pytest.approx(2.5)
    assert captured_value(amount, score, budget=0, cost=10.0) == 0
    assert captured_value(amount, score, budget=1e9, cost=10.0) == 1


def test_a_tenth_of_the_contacts_is_the_known_capture() -> None:
    """One idea, one number: the top tenth is a budget of a tenth of the customers."""
    amount, score, _ = world(1)
    assert captured_value(amount, score, budget=30) == top_capture(amount, score)


def test_equal_scores_are_reached_in_proportion() -> None:
    """A model that knows nothing reaches its share, whatever the order of the file."""
    amount, _, cost = world(2)
    assert captured_value(amount, np.zeros(300), budget=cost.sum() / 4, cost=cost) == pytest.approx(0.25)


def test_a_weight_is_a_repeated_row() -> None:
    """A row that stands for three costs three contacts and holds three times its value."""
    amount, score, cost = world(3)
    times = np.random.default_rng(4).integers(0, 4, 300)
    rows = np.repeat(np.arange(300), times)
    weights = np.stack([times.astype(float), np.ones(300)])
    found = captured_value(amount, score, weights, budget=200, cost=cost)
    assert found[0] == pytest.approx(captured_value(amount[rows], score[rows], budget=200, cost=cost[rows]))
    assert found[1] == pytest.approx(captured_value(amount, score, budget=200, cost=cost))


def test_what_does_not_exist_is_nan() -> None:
    """No value at all, or nobody: a gap in the report."""
    assert np.isnan(captured_value(np.zeros(4), np.arange(4.0), budget=2))
    assert np.isnan(captured_value(np.empty(0), np.empty(0), budget=2))


def test_each_budget_is_a_metric_with_its_interval() -> None:
    """Budgets go through the same bootstrap as every other metric."""
    amount, score, cost = world(5)
    metrics = capture_metrics([50, 200], cost)
    assert list(metrics) == ["captured_at_50", "captured_at_200"]
    found = estimate(metrics, amount, score, draws=100)
    assert found["captured_at_50"].estimate < found["captured_at_200"].estimate
    blind = paired_difference(metrics["captured_at_200"], amount, np.zeros(300), score, draws=200)
    assert blind.high < 0


def test_the_table_lies_between_chance_and_the_best_order() -> None:
    """A curve says something only beside what no model and what full knowledge reach."""
    amount, score, cost = world(6)
    table = capture_table(amount, score, cost=cost, draws=50)
    assert len(table) == 20
    assert table["budget"].iloc[-1] == pytest.approx(cost.sum())
    assert (table["captured"].diff().dropna() >= 0).all()
    assert (table["low"] <= table["captured"]).all()
    assert (table["captured"].iloc[:-1] > table["chance"].iloc[:-1]).all()
    assert (table["captured"] <= table["best"] + 1e-12).all()
    last = table.iloc[-1]
    assert [last["captured"], last["chance"], last["best"]] == pytest.approx([1, 1, 1])
    assert last["contacts"] == pytest.approx(300)


def test_given_budgets_are_answered_in_order() -> None:
    """A business asks for its own three budgets."""
    amount, score, _ = world(7)
    table = capture_table(amount, score, budgets=[100, 10, 30], draws=0)
    assert table["budget"].tolist() == [10, 30, 100]
    assert table["contacts"].tolist() == [10, 30, 100]
    assert table["captured"].iloc[1] == top_capture(amount, score)
    assert table["low"].isna().all()


@pytest.mark.parametrize(
    ("cost", "budgets", "message"),
    [
        (-1.0, [10.0], "Every cost of a contact must be a finite number of at least 0; found 300 of 300 others"),
        (1.0, [10.0, -3.0], "Every budget must be a finite number of at least 0; found 1 of 2 others"),
        (float("nan"), None, "Every cost of a contact must be a finite number"),
    ],
)
def test_money_that_cannot_be_is_refused(cost: float, budgets: list[float] | None, message: str) -> None:
    """A negative cost would pay for other contacts."""
    amount, score, _ = world(8)
    with pytest.raises(ConfigError, match=message):
        capture_table(amount, score, cost=cost, budgets=budgets)


def test_costs_of_other_customers_are_refused() -> None:
    """Costs of a table before it was filtered would be charged to the wrong people."""
    amount, score, _ = world(9)
    with pytest.raises(DataError, match="for each of 300 customers, found 299"):
        captured_value(amount, score, budget=10, cost=np.ones(299))
    with pytest.raises(DataError, match="the same rows in the same order"):
        capture_table(amount, score, cost=np.ones(301))
