"""The compiled aggregates against their twins in plain Python."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.history import aggregates as declared
from holdfast.history.aggregates import (
    Aggregate,
    Change,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    DistinctDays,
    Entropy,
    First,
    GapStd,
    Growth,
    If,
    Last,
    LastGap,
    Max,
    Mean,
    MeanGap,
    Min,
    MonthsUntil,
    Over,
    Pace,
    Plus,
    Ratio,
    Share,
    Slope,
    Std,
    Sum,
    Trend,
    YearPart,
)
from holdfast.history.conditions import Condition, Where
from holdfast.history.stream import Window, past
from holdfast.timeline import LIFETIME, Days
from tests.oracle import by_hand
from tests.strategies import CUSTOMERS, EDGES, ERAS, Event, cutoffs, events, in_order, numbers, stream_of

LEVELS = {"kind": ("a", "b", "ü")}
COLUMNS = {"amount": numbers(), "kind": st.sampled_from(["a", "b", "ü", None])}

AGGREGATES: list[Aggregate] = [
    *(kind("amount") for kind in (Sum, Mean, Std, Min, Max, First, Last, Change, Distinct)),
    Distinct("kind"),
    Entropy("kind"),
    Entropy("amount"),
    Share(Where("kind", "==", "a")),
    Share(Where("amount", ">=", 1.0) & Where("kind", ">=", "b")),
    *(kind() for kind in (Count, DaysSinceLast, DaysSinceFirst, DistinctDays, MeanGap, GapStd, LastGap)),
    Over(Mean("amount"), Days(90)),
    Over(MeanGap(), LIFETIME),
    Ratio(Sum("amount", Where("amount", "<", 0.0)), Sum("amount"), times=-1.0),
    Ratio(DaysSinceLast(), MeanGap()),
    Plus(Sum("amount"), -1.0),
    If(Sum("amount"), DaysSinceLast()),
    Trend(Sum("amount")),
    Trend(Count()),
    Growth(Sum("amount")),
    Growth(Count()),
    Slope(Sum("amount")),
    Slope(DistinctDays()),
    Pace(Count(), Days(180)),
    Pace(Sum("amount"), LIFETIME),
    MonthsUntil("amount"),
    YearPart("sin"),
    YearPart("cos"),
]

CONDITIONS: list[Condition | None] = [
    None,
    Where("kind", "==", "a"),
    Where("kind", ">=", "b"),
    Where("kind", "==", "never seen"),
    Where("amount", ">=", 0.0),
    Where("amount", "<", 0.0),
    Where("amount", "<=", 6.0) & Where("kind", "==", "ü"),
]

WINDOWS = [Window.before(LIFETIME), *(Window.before(Days(days)) for days in EDGES[1:]), Window(Days(-90), Days(-30.5))]


def restricted(aggregate: Any, where: Condition | None) -> Any:
    """The same aggregate under a condition, if it is a leaf."""
    return replace(aggregate, where=where) if getattr(aggregate, "where", 0) is None else aggregate


def equal(found: float, wanted: float | None, relative: float) -> bool:
    """Missing equals missing; numbers to the bit unless a relative difference is allowed."""
    if wanted is None or np.isnan(found):
        return wanted is None and bool(np.isnan(found))
    return bool(found == wanted) or abs(found - wanted) <= relative * max(abs(found), abs(wanted))


@pytest.mark.parametrize("aggregate", AGGREGATES, ids=lambda aggregate: repr(aggregate)[:60])
@settings(max_examples=200)
@given(
    drawn=st.sampled_from(ERAS).flatmap(lambda era: st.tuples(events(COLUMNS, era), cutoffs(era))),
    where=st.sampled_from(CONDITIONS),
    window=st.sampled_from(WINDOWS),
)
def test_an_aggregate_equals_its_twin(
    aggregate: Aggregate, drawn: tuple[list[Event], list[int]], where: Condition | None, window: Window
) -> None:
    """The loops are fast and the twins are obvious; a wrong edge, tie or missing value would tell them apart."""
    listed, at_cutoffs = drawn
    asked = restricted(aggregate, where)
    customers = np.tile(np.arange(CUSTOMERS), len(at_cutoffs))
    at = np.repeat(np.array(at_cutoffs, dtype=np.int64), CUSTOMERS)
    found = asked(past(stream_of(listed, COLUMNS, LEVELS), customers, at), window)
    ordered = in_order(listed)
    circle = 1e-9 if isinstance(aggregate, YearPart) else 0.0  # two libraries of trigonometry
    for value, customer, cutoff in zip(found, customers.tolist(), at.tolist(), strict=True):
        visible = by_hand.known_before(ordered, customer, cutoff)
        wanted = by_hand.evaluate(asked, visible, cutoff, window.begin.count, window.end.count)
        assert equal(float(value), wanted, circle), (customer, cutoff, value, wanted)


def test_every_aggregate_is_compared() -> None:
    """An aggregate without a twin is a formula that nobody has checked."""
    public = {
        kind
        for name, kind in vars(declared).items()
        if isinstance(kind, type) and issubclass(kind, Aggregate) and kind is not Aggregate and not name.startswith("_")
    }
    assert {type(aggregate) for aggregate in AGGREGATES} == public
