"""Every scored customer ends in exactly one group, whatever the customers and the settings are."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import settings as settings_of_hypothesis
from hypothesis import strategies as st

from holdfast.errors import DataError
from holdfast.outreach import select
from holdfast.outreach.control import draws
from holdfast.outreach.state import STATE
from holdfast.outreach.tables import AT_RISK, CUSTOMERS, EXCLUDED
from tests.unit.outreach.scored import AS_OF, RAW_SETTINGS, outreach_settings

DAYS = st.floats(0, 1000) | st.just(float("nan"))
STATES = {
    "tenure_days": DAYS,
    "days_since_order": DAYS,
    "order_overdue_ratio": DAYS,
    "days_since_engagement": DAYS,
    "engagement_overdue_ratio": DAYS,
    "days_since_contact": DAYS,
    "tickets_open": st.sampled_from([0.0, 1.0, 3.0, float("nan")]),
    "consent": st.sampled_from([0.0, 1.0, float("nan")]),
    "mrr": st.floats(0, 100),
}
FAMILIES = st.sampled_from(["recency", "open ticket", "feedback", "engagement: visit", ""])


@st.composite
def scored(draw: st.DrawFn) -> pd.DataFrame:
    """Scored customers with any subset of the state columns."""
    ids = draw(st.lists(st.text(st.characters(codec="utf-8"), max_size=4), min_size=1, max_size=25, unique=True))
    n = len(ids)

    def column(values: st.SearchStrategy[Any]) -> list[Any]:
        return draw(st.lists(values, min_size=n, max_size=n))

    table = pd.DataFrame({"customer_id": pd.array(ids, dtype="str"), "p_churn": column(st.floats(0, 1))})
    table["value"] = column(st.sampled_from([0.0, 10.0]) | st.floats(0, 1e6))
    table["value_low"], table["value_high"] = table["value"] * 0.5, table["value"] * 2
    gone = np.array(column(st.sampled_from([0.0, 0.5, 0.9, 1.0]) | st.floats(0, 1)))
    table["p_gone"], table["p_leaving"] = gone, (1 - gone) * table["p_churn"]
    table["p_staying"] = 1 - table["p_gone"] - table["p_leaving"]
    for end in ("", "_low", "_high"):
        table[f"value_if_kept{end}"] = table[f"value{end}"] * 1.5
    table["value_if_lost"] = table["value_if_kept"] * np.array(column(st.sampled_from([0.0, 0.3]) | st.floats(0, 1)))
    table["expected_loss"] = table["p_leaving"] * (table["value_if_kept"] - table["value_if_lost"])
    for i in (1, 2, 3):
        table[[f"reason_{i}", f"reason_{i}_feature"]] = ""
        table[f"reason_{i}_contribution"] = 0.0
    table["reason_1_family"] = pd.array(column(FAMILIES), dtype="str")
    table[["base_log_odds", "other_contribution"]] = 0.0
    for name in draw(st.sets(st.sampled_from(sorted(STATES)))):
        table[name] = column(STATES[name])
    return table


@st.composite
def settings(draw: st.DrawFn) -> dict[str, Any]:
    """Settings of any budget, control share and subset of actions."""
    actions = draw(st.sets(st.sampled_from(sorted(RAW_SETTINGS["actions"])), min_size=1))
    return {
        "quiet_days": draw(st.floats(0, 100)),
        "control_share": draw(st.sampled_from([0.0, 0.1, 0.9])),
        "budget": draw(
            st.builds(lambda n: {"contacts": n}, st.integers(1, 30))
            | st.builds(lambda share: {"share": share}, st.floats(0.01, 1))
        ),
        "high_value_share": draw(st.floats(0, 1)),
        "unknown_consent": draw(st.sampled_from(["exclude", "contact"])),
        "actions": {name: RAW_SETTINGS["actions"][name] for name in actions},
    }


def test_the_strategies_know_every_state() -> None:
    """A new state column that no example carries would go untested."""
    assert set(STATES) == set(STATE)


@settings_of_hypothesis(max_examples=60)
@given(scored(), settings())
def test_scored_is_contact_and_control_and_not_selected_and_excluded(
    customers: pd.DataFrame, raw: dict[str, Any]
) -> None:
    """The groups add up, the tables agree with them, and every rule of the room holds for each customer."""
    chosen = outreach_settings(**raw)
    try:
        found = select(customers, chosen, AS_OF, model_version="1")
    except DataError as error:
        assert f"all {len(customers)} scored customers excluded" in str(error)  # noqa: PT017 - one of two right outcomes
        return
    group = found.customers.frame().set_index("customer_id")["group"]
    assert sorted(group.index) == sorted(customers["customer_id"])
    counts = found.counts
    assert counts["scored"] == len(customers)
    assert counts["scored"] == counts["contact"] + counts["control"] + counts["not_selected"] + counts["excluded"]
    assert list(found.at_risk["customer_id"]) == [c for c in found.at_risk["customer_id"] if group[c] == "contact"]
    assert len(found.at_risk) == counts["contact"]
    assert set(found.excluded.frame()["customer_id"]) == set(group.index[group == "excluded"])
    assert counts["contact"] + counts["control"] == min(
        chosen.budget.places(len(customers)), counts["scored"] - counts["excluded"]
    )
    for table, columns in (
        (found.customers.frame(), CUSTOMERS),
        (found.at_risk, AT_RISK),
        (found.excluded.frame(), EXCLUDED),
    ):
        assert {name: str(dtype) for name, dtype in table.dtypes.items()} == dict(columns)
    for name, control in (("control", True), ("contact", False)):
        drawn = draws(group.index[group == name], chosen.control_salt)
        assert ((drawn < chosen.control_share) == control).all()
    assert set(found.at_risk["action"]) <= set(chosen.actions)


@settings_of_hypothesis(max_examples=30)
@given(scored(), settings(), st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(customers: pd.DataFrame, raw: dict[str, Any], random: Any) -> None:
    """A list is made of customers, not of the order in which a database happened to return them."""
    order = list(range(len(customers)))
    random.shuffle(order)
    chosen = outreach_settings(**raw)
    try:
        first = select(customers, chosen, AS_OF, model_version="1")
    except DataError:
        with pytest.raises(DataError):
            select(customers.iloc[order], chosen, AS_OF, model_version="1")
        return
    second = select(customers.iloc[order], chosen, AS_OF, model_version="1")
    assert first.list_id == second.list_id
    pd.testing.assert_frame_equal(first.at_risk, second.at_risk)


@given(st.lists(st.text(st.characters(codec="utf-8")), min_size=1, unique=True), st.text(st.characters(codec="utf-8")))
def test_every_draw_lies_in_the_unit_interval(ids: list[str], salt: str) -> None:
    """Any id of any script has its draw, and it can be compared with a share."""
    assume(ids)
    drawn = draws(ids, salt)
    assert ((drawn >= 0) & (drawn < 1)).all()
    assert len(np.unique(drawn)) == len(ids)
