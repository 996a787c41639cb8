"""From scored customers to the list."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from holdfast.errors import DataError
from holdfast.outreach import select
from holdfast.outreach.control import draws
from holdfast.outreach.tables import AT_RISK, CUSTOMERS, EXCLUDED
from tests.unit.outreach.scored import AS_OF, outreach_settings, scored_customers, selected

DESIGNED_OUTLOOK = [
    "p_gone",
    "p_leaving",
    "p_staying",
    "value_if_kept",
    "value_if_kept_low",
    "value_if_kept_high",
    "value_if_lost",
]
DESIGNED_AT_RISK = [
    "rank",
    "customer_id",
    "as_of",
    "p_churn",
    "value",
    "value_low",
    "value_high",
    "expected_loss",
    "action",
    "channel",
    "net_value",
    "net_value_low",
    "p_net_positive",
    "stage",
    "segment",
    "reason_1",
    "reason_2",
    "reason_3",
    "reason_1_feature",
    "reason_2_feature",
    "reason_3_feature",
    "reason_1_contribution",
    "reason_2_contribution",
    "reason_3_contribution",
    "list_id",
    "model_version",
    "base_log_odds",
    "other_contribution",
    "action_words",
    "channel_words",
    *DESIGNED_OUTLOOK,
]
DESIGNED_CUSTOMERS = [
    "customer_id",
    "as_of",
    "p_churn",
    "value",
    "value_low",
    "value_high",
    "expected_loss",
    "stage",
    "segment",
    "group",
    *DESIGNED_OUTLOOK,
]


def test_the_tables_have_the_columns_that_consumers_build_on() -> None:
    """Names and order are a promise to other people's programs."""
    found = selected()
    assert list(found.at_risk) == list(AT_RISK) == DESIGNED_AT_RISK
    assert list(found.customers.frame()) == list(CUSTOMERS) == DESIGNED_CUSTOMERS
    assert list(found.excluded.frame()) == list(EXCLUDED) == ["customer_id", "rule", "detail"]
    for table, columns in (
        (found.at_risk, AT_RISK),
        (found.customers.frame(), CUSTOMERS),
        (found.excluded.frame(), EXCLUDED),
    ):
        assert [str(dtype) for dtype in table.dtypes] == list(columns.values())


def test_empty_tables_have_the_same_types() -> None:
    """A day on which everybody of the list is control must not break its readers."""
    usual, quiet = selected(), selected(n=30, budget={"contacts": 1}, control_share=0.999)
    assert len(quiet.at_risk) == 0
    assert list(quiet.at_risk.dtypes) == list(usual.at_risk.dtypes)
    nobody_out = select(
        scored_customers(10).drop(columns=["consent", "days_since_contact", "tickets_open"]),
        outreach_settings(),
        AS_OF,
        model_version="1",
    )
    assert nobody_out.excluded.rows == 0
    assert list(nobody_out.excluded.frame().dtypes) == list(usual.excluded.frame().dtypes)


def test_every_customer_is_in_one_group_and_each_table_holds_its_group() -> None:
    """Scored = contact + control + not selected + excluded; nobody is lost on the way."""
    found = selected()
    group = found.customers.frame().set_index("customer_id")["group"]
    counts = found.counts
    assert counts["scored"] == 200 == sum(counts[name] for name in ("contact", "control", "not_selected", "excluded"))
    assert set(found.at_risk["customer_id"]) == set(group.index[group == "contact"])
    assert set(found.excluded.frame()["customer_id"]) == set(group.index[group == "excluded"])
    assert found.excluded_by_rule == dict(found.excluded.frame()["rule"].value_counts())
    assert found.customers.frame()["customer_id"].is_monotonic_increasing
    assert found.excluded.frame()["customer_id"].is_monotonic_increasing


def test_the_list_is_ranked_by_expected_loss_and_nobody_below_it_loses_more() -> None:
    """The budget goes where most is at stake among those who may be contacted."""
    found = selected()
    assert list(found.at_risk["rank"]) == list(range(1, len(found.at_risk) + 1))
    assert found.at_risk["expected_loss"].is_monotonic_decreasing
    left = found.customers.frame()[found.customers.frame()["group"] == "not_selected"]
    assert left["expected_loss"].max() <= found.at_risk["expected_loss"].min()


def test_nobody_moves_up_into_the_places_of_the_control_group() -> None:
    """Contact and control come from the same ranks, so their comparison needs no correction."""
    without, held = selected(control_share=0.0), selected(control_share=0.3)
    singled_out = held.customers.frame()[held.customers.frame()["group"].isin(["contact", "control"])]
    assert set(singled_out["customer_id"]) == set(without.at_risk["customer_id"])
    control = held.customers.frame()[held.customers.frame()["group"] == "control"]["customer_id"]
    assert (draws(control, "tests") < 0.3).all()
    assert held.counts["contact"] + held.counts["control"] == 40


def test_a_control_customer_stays_control_on_the_next_list() -> None:
    """With other customers, other scores and another model, whoever is singled out again is in the same group again."""
    first = selected(seed=1, budget={"share": 1.0}).customers.frame().set_index("customer_id")["group"]
    second = (
        selected(n=260, seed=2, budget={"share": 1.0}, model_version="9")
        .customers.frame()
        .set_index("customer_id")["group"]
    )
    both = [c for c in first.index if {first[c], second[c]} <= {"contact", "control"}]
    assert len(both) > 50
    assert list(first[both]) == list(second[both])


def test_equal_losses_rank_by_customer() -> None:
    """The order of the input's rows must not decide who is contacted."""
    scored = scored_customers(50).assign(expected_loss=10.0)
    shuffled = scored.sample(frac=1, random_state=1)
    settings = outreach_settings(budget={"contacts": 5})
    first, second = (select(rows, settings, AS_OF, model_version="1") for rows in (scored, shuffled))
    pd.testing.assert_frame_equal(first.at_risk, second.at_risk)
    assert first.at_risk["customer_id"].is_monotonic_increasing


def test_a_complaint_gets_service_recovery_or_excludes() -> None:
    """Nobody with an open complaint is sold anything."""
    complaining = scored_customers()["tickets_open"].to_numpy() > 0
    ids = set(scored_customers()["customer_id"][complaining])
    found = selected(budget={"share": 1.0})
    assert set(found.at_risk[found.at_risk["customer_id"].isin(ids)]["action"]) == {"service_recovery"}
    without = {name: a.model_dump() for name, a in outreach_settings().actions.items() if name != "service_recovery"}
    found = selected(budget={"share": 1.0}, actions=without)
    assert not ids & set(found.at_risk["customer_id"])
    assert "open_complaint" in found.excluded_by_rule


def test_the_reasons_of_the_list_add_up_to_its_risk() -> None:
    """Base, three reasons and the rest are the published probability, in log-odds."""
    rows = selected().at_risk
    parts = ["base_log_odds", *(f"reason_{i}_contribution" for i in (1, 2, 3)), "other_contribution"]
    log_odds = np.log(rows["p_churn"] / (1 - rows["p_churn"]))
    assert np.abs(rows[parts].sum(axis=1) - log_odds).max() < 1e-9


def test_the_list_id_follows_the_contents() -> None:
    """Two lists of one id are the same list; a changed action, score or model is another one."""
    first = selected()
    assert first.list_id == selected().list_id
    assert first.list_id.startswith("2025-01-01-")
    assert set(first.at_risk["list_id"]) == {first.list_id}
    others = [selected(seed=1), selected(model_version="2"), selected(budget={"contacts": 39})]
    assert len({first.list_id, *(other.list_id for other in others)}) == 4


def test_rules_without_a_source_are_told() -> None:
    """The manifest and the page say what this list did not respect."""
    scored = scored_customers().drop(columns=["consent"])
    found = select(scored, outreach_settings(), AS_OF, model_version="1")
    assert found.rules_not_applied == ({"rule": "no_consent", "missing": ["consent"]},)


def test_a_list_of_nobody_is_refused_with_the_reasons() -> None:
    """An empty list with a green light would be a failure that nobody sees."""
    with pytest.raises(DataError) as caught:
        select(scored_customers().assign(consent=0.0), outreach_settings(), AS_OF, model_version="1")
    assert str(caught.value) == (
        "Wanted somebody to contact, found all 200 scored customers excluded: no_consent 200. What to do: "
        "for no_consent, check the column mapped to consent, or outreach.unknown_consent. No list was published."
    )


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: t.drop(columns=["value", "reason_2"]), r"missing are value, reason_2\. Score them first"),
        (lambda t: t[:0], "found none"),
        (lambda t: pd.concat([t, t[:3]]), "each customer once, found 3 further rows"),
        (lambda t: t.assign(p_churn=np.nan), "missing or infinite p_churn"),
        (lambda t: t.assign(value_high=np.inf), "missing or infinite value_high"),
    ],
)
def test_scores_that_cannot_be_ranked_are_refused(change: Callable[[pd.DataFrame], pd.DataFrame], words: str) -> None:
    """A missing score sorts somewhere; it must not decide who is contacted."""
    with pytest.raises(DataError, match=words):
        select(change(scored_customers()), outreach_settings(), AS_OF, model_version="1")


def test_whoever_has_gone_is_won_back_and_nobody_pays_to_keep_them() -> None:
    """Lost by the signs of life though they ordered days ago: first in the list only if what is lost comes back."""
    usual = scored_customers(60).assign(
        tenure_days=400.0, days_since_order=10.0, consent=1.0, tickets_open=0.0, days_since_contact=np.nan
    )
    gone = usual.index[:5]
    usual.loc[gone, ["p_gone", "p_leaving", "p_staying"]] = [0.95, 0.02, 0.03]
    usual["expected_loss"] = usual["p_leaving"] * (usual["value_if_kept"] - usual["value_if_lost"])
    found = select(
        usual, outreach_settings(budget={"share": 1.0}, control_share=0.0), AS_OF, model_version="1"
    ).at_risk.set_index("customer_id")
    lost = found.loc[usual.loc[gone, "customer_id"]]
    assert set(lost["stage"]) == {"lost"}
    assert set(lost["action"]) == {"win_back"}
    win_back = outreach_settings().actions["win_back"]
    at_stake = lost["value_if_kept"] - lost["value_if_lost"]
    np.testing.assert_allclose(lost["net_value"], 0.95 * win_back.save_rate * at_stake - win_back.cost, rtol=1e-12)
    others = found.drop(lost.index)
    assert set(others["stage"]) == {"active"}
    assert "win_back" not in set(others["action"])
