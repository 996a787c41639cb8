"""Aggregates as people would read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from holdfast.history.aggregates import (
    Aggregate,
    Count,
    DaysSinceLast,
    If,
    Last,
    MeanGap,
    Over,
    Pace,
    Ratio,
    Sum,
    Trend,
)
from holdfast.history.arrays import Numbers
from holdfast.history.conditions import Where
from holdfast.history.stream import View, Window, past
from holdfast.timeline import Days
from tests.strategies import DAY, stream_of

CUTOFF = 1000 * DAY


def view(*events: tuple[float, float | None]) -> View:
    """Day relative to the cutoff and amount."""
    rows = [
        {"customer": 0, "time": CUTOFF + round(day * DAY), "known": CUTOFF + round(day * DAY), "amount": amount}
        for day, amount in events
    ]
    return past(stream_of(rows, ["amount"], customers=1), np.array([0]), np.array([CUTOFF]))


def answer(aggregate: Aggregate, *events: tuple[float, float | None], days: float = 90) -> float:
    """The aggregate over the days before the cutoff."""
    return float(aggregate(view(*events), Window.before(Days(days)))[0])


def test_a_trend_lies_between_stopped_and_began() -> None:
    """A share of the sum of both windows, so that it has a scale and no division by a quiet past."""
    assert answer(Trend(Count()), (-100, 1), (-10, 1)) == 0
    assert answer(Trend(Count()), (-100, 1)) == -1
    assert answer(Trend(Count()), (-10, 1)) == 1
    assert np.isnan(answer(Trend(Count())))


def test_pace_is_one_where_nothing_changed() -> None:
    """A customer who comes once a week as ever is at their own pace."""
    weekly = [(-7.0 * week - 3, 1.0) for week in range(40)]
    assert answer(Pace(Count(), Days(175)), *weekly, days=35) == 1
    assert answer(Pace(Count(), Days(175)), *weekly[5:], days=35) == 0
    assert np.isnan(answer(Pace(Count(), Days(175)), *weekly[:5], days=35))


def test_over_asks_about_another_window() -> None:
    """How overdue a customer is compares a short silence with a long rhythm."""
    overdue = Ratio(DaysSinceLast(), Over(MeanGap(), Days(365)))
    assert answer(overdue, (-220, 1), (-120, 1), (-20, 1), days=30) == 0.2


def test_a_ratio_with_nothing_below_is_unknown() -> None:
    """No infinite number may reach a model; a rounding error as divisor is as good as none."""
    share = Ratio(Count(), Sum("amount"))
    assert np.isnan(answer(share))
    assert np.isnan(answer(share, (-1, 5.0), (-2, -5.0)))
    assert np.isnan(answer(share, (-1, 5e-324)))
    assert answer(share, (-1, 4.0)) == 0.25


def test_if_answers_only_where_its_test_is_above_zero() -> None:
    """Days since a ticket that is still open mean nothing without an open ticket."""
    waiting = If(Sum("amount"), DaysSinceLast())
    assert answer(waiting, (-3, 1.0)) == 3
    assert np.isnan(answer(waiting, (-3, 1.0), (-2, -1.0)))
    assert np.isnan(answer(waiting))


def test_a_condition_keeps_the_order_of_the_rest() -> None:
    """The last refund is the last of the refunds, not the last row."""
    refund = Last("amount", Where("amount", "<", 0.0))
    assert answer(refund, (-5, -2.0), (-4, -3.0), (-1, 10.0)) == -3


def test_an_aggregate_names_the_columns_that_it_reads() -> None:
    """The driver reads these and no others."""
    condition = Where("kind", "==", "visit") & Where("score", ">=", 1.0)
    assert Ratio(Sum("amount", condition), Count(Where("day", "<", 3.0))).columns() == {
        "amount",
        "kind",
        "score",
        "day",
    }
    assert If(Trend(Over(Count(), Days(3))), Pace(Sum("usage"), Days(9))).columns() == {"usage"}


def test_users_may_bring_an_aggregate_of_their_own() -> None:
    """What a business measures need not be in the package; an unfinished one says what is missing."""

    @dataclass(frozen=True)
    class Largest(Aggregate):
        def columns(self) -> frozenset[str]:
            return frozenset({"amount"})

        def __call__(self, view: View, window: Window) -> Numbers:
            ranges = zip(*view.within(window), strict=True)
            return np.array([view.columns["amount"][lo:hi].max(initial=0.0) for lo, hi in ranges])

    assert answer(Largest(), (-3, 1.0), (-2, 8.0)) == 8
    with pytest.raises(TypeError, match=r"must say what it computes; define __call__"):
        Aggregate()(view(), Window.before(Days(1)))
    with pytest.raises(TypeError, match=r"must say which columns it reads; define columns"):
        Aggregate().columns()
