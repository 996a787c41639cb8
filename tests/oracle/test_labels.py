"""Churn, value and treatment against their definitions in plain Python."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.labels import EVENT, ChurnSettings, LabelSettings, ValueSettings, event_is_churn, label
from tests.oracle import by_hand
from tests.strategies import CUSTOMERS, DAY, ERAS, Business, businesses, cutoffs, in_order, streams_of

LENGTHS = st.sampled_from([1.0, 7.5, 30.0, 90.0, 365.0])
GAPS = st.sampled_from([0.0, 0.5, 14.0, 30.0])
GRACES = st.sampled_from([0.0, 1.0, 30.0, 90.0])


def definitions() -> st.SearchStrategy[LabelSettings]:
    """Every kind of churn with every kind of value."""
    common = {"horizon_days": LENGTHS, "gap_days": GAPS}
    kinds = st.sampled_from([None, ("visit",), ("visit", "email_open"), ("never seen",)])
    churn = st.one_of(
        st.builds(ChurnSettings, kind=st.just("no_order"), **common),
        st.builds(ChurnSettings, kind=st.just("no_event"), events=kinds, **common),
        st.builds(ChurnSettings, kind=st.just("subscription_end"), grace_days=GRACES, **common),
    )
    value = st.builds(ValueSettings, of=st.sampled_from(["revenue", "margin", "mrr"]), horizon_days=LENGTHS)
    return st.builds(LabelSettings, churn=churn, value=value, look_ahead_days=st.none() | LENGTHS)


def compare_horizons(definition: LabelSettings, ordered: Business, customer: int, cutoff: int, days: float) -> None:
    """One number of days tells the outcome of every horizon up to the longest."""
    longest = definition.look_ahead_days
    assert longest is not None
    for horizon in {h for h in (1.0, 7.5, 30.0, 90.0, 365.0, longest) if h <= longest}:
        churn = definition.churn.model_copy(update={"horizon_days": horizon})
        wanted = by_hand.churned(churn, ordered, customer, cutoff)
        if wanted is None:
            assert math.isnan(days)
        else:
            assert ((days < horizon) == event_is_churn(churn)) == bool(wanted)
    assert math.isnan(days) or 0 <= days <= longest


def compare(definition: LabelSettings, business: Business, at_cutoffs: list[int]) -> None:
    """Every label of every customer and cutoff."""
    customers = np.tile(np.arange(CUSTOMERS), len(at_cutoffs))
    at = np.repeat(np.array(at_cutoffs, dtype=np.int64), CUSTOMERS)
    found = label(definition, streams_of(business), customers, at)
    ordered = {name: in_order(listed) for name, listed in business.items()}
    for i, (customer, cutoff) in enumerate(zip(customers.tolist(), at.tolist(), strict=True)):
        wanted = by_hand.labels(definition, ordered, customer, cutoff)
        churned = float(found["churned"][i])
        assert (math.isnan(churned) and wanted["churned"] is None) or churned == wanted["churned"]
        assert found["treated"][i] == wanted["treated"]
        if definition.look_ahead_days is not None:
            compare_horizons(definition, ordered, customer, cutoff, float(found[EVENT][i]))
        if definition.value.of == "mrr":  # the twin adds month after month, the kernel change after change
            assert math.isclose(found["future_value"][i], wanted["future_value"] or 0.0, rel_tol=1e-12, abs_tol=1e-9)
        else:
            assert found["future_value"][i] == wanted["future_value"]


@settings(max_examples=80)
@given(
    definition=definitions(), drawn=st.sampled_from(ERAS).flatmap(lambda era: st.tuples(businesses(era), cutoffs(era)))
)
def test_a_label_is_what_its_definition_says(definition: LabelSettings, drawn: tuple[Business, list[int]]) -> None:
    """A label on the wrong side of an edge teaches the model a wrong answer without a word."""
    compare(definition, *drawn)


@st.composite
def contracts(draw: st.DrawFn) -> tuple[int, list[dict[str, object]]]:
    """A cutoff and starts and ends of one customer's contracts around it, many at the same moments and at edges."""
    cutoff = draw(st.sampled_from([cutoff for era in ERAS for cutoff in era]))
    days = st.sampled_from([-400.0, -1.0, 0.0, 0.5, 7.0, 14.0, 15.0, 29.0, 30.0, 31.0, 44.0, 60.0, 90.0])
    steps = draw(st.lists(st.tuples(days, st.sampled_from([-1.0, 1.0])), max_size=8))
    begin = {"time": cutoff - 500 * DAY, "active_delta": 1.0}
    changes = [begin, *({"time": cutoff + round(day * DAY), "active_delta": delta} for day, delta in steps)]
    common = {"moment": "started", "plan": None, "mrr": 1.0, "term_end_day": None, "customer": 0}
    return cutoff, [{**common, **e, "known": e["time"], "mrr_delta": e["active_delta"]} for e in changes]


@settings(max_examples=200)
@given(drawn=contracts(), horizon=LENGTHS, gap=GAPS, grace=GRACES)
def test_the_end_of_a_contract_is_judged_at_its_edges(
    drawn: tuple[int, list[dict[str, object]]], horizon: float, gap: float, grace: float
) -> None:
    """Ends at the edge of the window, renewals at the edge of the grace, contracts that replace one another."""
    cutoff, changes = drawn
    churn = ChurnSettings(kind="subscription_end", horizon_days=horizon, gap_days=gap, grace_days=grace)
    value = ValueSettings(of="mrr", horizon_days=horizon)
    definition = LabelSettings(churn=churn, value=value, look_ahead_days=90)
    compare(definition, {"subscriptions": changes}, [cutoff])
