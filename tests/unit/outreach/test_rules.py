"""Stages, segments, exclusions and the playbook: the rules that read a customer's state."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from holdfast.outreach.actions import ActionSettings
from holdfast.outreach.contact_rules import RULES, excluded, not_applied
from holdfast.outreach.playbook import DEFAULT_PLAYBOOK, PlaybookLine, choose
from holdfast.outreach.segments import bands, high_value_above, segments
from holdfast.outreach.stages import StageSettings, stages
from holdfast.outreach.state import state
from holdfast.partitioned import LocalParts
from tests.unit.outreach.scored import RAW_SETTINGS, outreach_settings

NAN = float("nan")
STAGES = StageSettings.model_validate(RAW_SETTINGS["stages"])


def stage(settings: StageSettings = STAGES, **columns: float) -> str:
    """The stage of one customer."""
    return str(stages(pd.DataFrame({name: [value] for name, value in columns.items()}, dtype=float), settings)[0])


@pytest.mark.parametrize(
    ("tenure", "silent", "expected"),
    [
        (29.9, 5, "onboarding"),
        (30, 5, "active"),
        (400, 59.9, "active"),
        (400, 60, "lapsing"),
        (400, 120, "dormant"),
        (400, 240, "lost"),
        (20, 300, "onboarding"),
        (400, NAN, "lost"),
        (50, NAN, "active"),
        (NAN, 70, "lapsing"),
        (NAN, NAN, "onboarding"),
    ],
)
def test_a_stage_begins_where_the_settings_say(tenure: float, silent: float, expected: str) -> None:
    """Bounds are reached at the day itself; who never ordered is silent since they came."""
    assert stage(tenure_days=tenure, days_since_order=silent) == expected


def test_without_orders_silence_is_read_from_engagement() -> None:
    """A subscription business has no orders; its customers still fall silent."""
    assert stage(tenure_days=400, days_since_engagement=130) == "dormant"
    assert stage(tenure_days=400, days_since_order=10, days_since_engagement=130) == "active"


def test_a_customers_own_rhythm_may_call_them_lapsing_early() -> None:
    """Forty days are long for a weekly buyer."""
    own = StageSettings.model_validate(RAW_SETTINGS["stages"] | {"lapsing_overdue_ratio": 1.5})
    assert stage(own, tenure_days=400, days_since_order=40, order_overdue_ratio=1.5) == "lapsing"
    assert stage(own, tenure_days=400, days_since_engagement=40, engagement_overdue_ratio=2) == "lapsing"
    assert stage(own, tenure_days=400, days_since_order=40, order_overdue_ratio=NAN) == "active"
    assert stage(tenure_days=400, days_since_order=40, order_overdue_ratio=9) == "active"


@pytest.mark.parametrize(
    ("tenure", "silent", "gone", "expected"),
    [
        (400, 10, 0.95, "lost"),
        (400, 10, 0.9, "lost"),
        (400, 10, 0.89, "dormant"),
        (400, 10, 0.5, "dormant"),
        (400, 10, 0.49, "active"),
        (400, 70, 0.49, "lapsing"),
        (400, 300, 0.0, "lost"),
        (10, 5, 0.95, "onboarding"),
    ],
)
def test_who_has_gone_in_all_likelihood_is_lost_however_recent_the_last_order(
    tenure: float, silent: float, gone: float, expected: str
) -> None:
    """The worse of what silence and the chance of having gone tell; who came days ago is new all the same."""
    assert stage(tenure_days=tenure, days_since_order=silent, p_gone=gone) == expected


def test_the_bounds_of_having_gone_are_in_order() -> None:
    """Nobody can be lost who would not also be dormant."""
    with pytest.raises(ValidationError, match="dormant_p_gone must not be above lost_p_gone"):
        StageSettings.model_validate(RAW_SETTINGS["stages"] | {"dormant_p_gone": 0.95})


def test_where_no_state_is_known_at_all_everybody_is_active() -> None:
    """Data of neither age nor silence has no stages; the neutral one does no harm."""
    assert list(stages(pd.DataFrame({"mrr": [1.0, 2.0]}), STAGES)) == ["active", "active"]


def value_bands(value: list[float], share: float) -> list[str]:
    """The band of each of these customers."""
    values = np.array(value)
    table = pd.DataFrame({"customer_id": [str(i) for i in range(len(values))], "value": values})
    return list(bands(values, high_value_above(LocalParts.of(table, rows=2), share, len(values))))


def test_high_value_is_never_more_than_its_share() -> None:
    """A call costs; ties must not turn a fifth of the customers into all of them."""
    assert value_bands([5.0, 1.0, 4.0, 2.0, 3.0], 0.4) == ["high", "regular", "high", "regular", "regular"]
    assert value_bands([7.0] * 5, 0.4) == ["regular"] * 5
    assert value_bands([7.0, 0.0, -1.0], 1.0) == ["high", "regular", "regular"]
    assert value_bands([7.0, 8.0], 0.0) == ["regular"] * 2


def test_a_segment_says_value_and_stage() -> None:
    """One short text that a colleague understands without a legend."""
    found = segments(np.array(["high"], dtype=object), pd.Series(["lapsing"], dtype="str"))
    assert list(found) == ["high value, lapsing"]


def customer(**changes: object) -> pd.DataFrame:
    """One customer whom nothing excludes, with some things changed."""
    usual = {
        "customer_id": "c1",
        "consent": 1.0,
        "days_since_contact": 100.0,
        "tickets_open": 0.0,
        "action": "loyalty_reward",
        "expected_loss": 5.0,
    }
    return pd.DataFrame([usual | changes])


@pytest.mark.parametrize(
    ("changes", "rule", "detail"),
    [
        ({"consent": 0.0}, "no_consent", "did not agree to be contacted"),
        ({"consent": NAN}, "no_consent", "not known whether they agreed to be contacted"),
        ({"days_since_contact": 29.99}, "quiet_period", "contacted 30.0 days ago; the quiet period is 30 days"),
        ({"tickets_open": 1.0}, "open_complaint", "1 open ticket; the planned action is loyalty reward"),
        ({"tickets_open": 2.0}, "open_complaint", "2 open tickets; the planned action is loyalty reward"),
        ({"action": "leave_alone"}, "leave_alone", "the playbook leaves this customer alone"),
        ({"expected_loss": 0.0}, "nothing_to_lose", "no revenue is expected of this customer"),
        ({"consent": 0.0, "expected_loss": 0.0}, "no_consent", "did not agree to be contacted"),
    ],
)
def test_the_first_rule_that_applies_is_told(changes: dict[str, object], rule: str, detail: str) -> None:
    """Whoever asks why a customer is missing gets one answer, the one that weighs most."""
    table = excluded(customer(**changes), outreach_settings())
    assert table.to_dict("records") == [{"customer_id": "c1", "rule": rule, "detail": detail}]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"days_since_contact": 30.0},
        {"days_since_contact": NAN},
        {"tickets_open": 3.0, "action": "service_recovery"},
        {"tickets_open": NAN},
    ],
)
def test_who_breaks_no_rule_may_be_contacted(changes: dict[str, object]) -> None:
    """A complaint is no obstacle to the contact that solves it, and the quiet period ends on its last day."""
    assert excluded(customer(**changes), outreach_settings()).empty


def test_unknown_consent_may_be_contacted_where_the_settings_say_so() -> None:
    """Some businesses keep only refusals; they must say so themselves."""
    settings = outreach_settings(unknown_consent="contact")
    assert excluded(customer(consent=NAN), settings).empty
    assert len(excluded(customer(consent=0.0), settings)) == 1


def test_a_rule_whose_source_is_absent_is_skipped_and_named() -> None:
    """A list that ignored consent in silence would look like one that respected it."""
    known = customer(consent=0.0, tickets_open=1.0).drop(columns=["consent", "tickets_open"])
    assert excluded(known, outreach_settings()).empty
    assert not_applied(known.columns) == (
        {"rule": "no_consent", "missing": ["consent"]},
        {"rule": "open_complaint", "missing": ["tickets_open"]},
    )
    assert not_applied(customer().columns) == ()


def test_a_rule_that_needs_columns_has_words_for_their_absence() -> None:
    """A rule that is passed over without a word would look like one that was respected."""
    assert [name for name, rule in RULES.items() if name != rule.name] == []
    with pytest.raises(ValueError, match="minors wants words for 'not applied'"):
        replace(RULES["leave_alone"], name="minors", needs=("age",))


ACTIONS = {
    name: ActionSettings(channel="email", contact_cost=1, save_rate=0.1)
    for name in sorted({line.action for line in DEFAULT_PLAYBOOK})
}


def action(
    playbook: tuple[PlaybookLine, ...] = DEFAULT_PLAYBOOK, offered: Collection[str] = ACTIONS, **state: object
) -> str:
    """The action for one customer."""
    actions = {name: ACTIONS[name] for name in offered}
    usual = {"stage": "active", "value_band": "regular", "open_complaint": False, "reason_1_family": "recency"}
    return str(choose(pd.DataFrame([usual | state]), playbook, actions)[0][0])


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ({"open_complaint": True, "stage": "onboarding", "value_band": "high"}, "service_recovery"),
        ({"stage": "onboarding", "value_band": "high"}, "onboarding_help"),
        ({"value_band": "high", "stage": "lapsing"}, "account_manager_call"),
        ({"value_band": "high", "stage": "lost"}, "win_back"),
        ({"reason_1_family": "support quality"}, "service_recovery"),
        ({"reason_1_family": "feedback"}, "feedback_survey"),
        ({"reason_1_family": "engagement: app visit"}, "onboarding_help"),
        ({"stage": "lapsing"}, "personal_offer"),
        ({"stage": "dormant"}, "win_back"),
        ({}, "loyalty_reward"),
    ],
)
def test_the_default_playbook_fits_the_customer(state: dict[str, object], expected: str) -> None:
    """A complaint is solved before anything is sold, and a valuable customer gets a person to talk to."""
    assert action(**state) == expected


def test_actions_that_are_not_on_offer_are_passed_over() -> None:
    """A shop without account managers still has a playbook; who is left without any action is left alone."""
    assert action(offered=("personal_offer",), value_band="high") == "personal_offer"
    assert action(offered=(), value_band="high") == "leave_alone"


def test_the_first_rule_that_fits_decides_also_on_the_channel() -> None:
    """A playbook is read from top to bottom, as people do."""
    playbook = (
        PlaybookLine(action="leave_alone", stage=("lost",)),
        PlaybookLine(action="win_back", channel="letter", reason_family=("recency",)),
        PlaybookLine(action="win_back"),
    )
    assert action(playbook, stage="lost") == "leave_alone"
    rows = pd.DataFrame(
        {"stage": "active", "value_band": "high", "open_complaint": False, "reason_1_family": ["recency", ""]}
    )
    assert [list(part) for part in choose(rows, playbook, ACTIONS)] == [["win_back", "win_back"], ["letter", "email"]]


def test_the_state_is_told_by_the_features_there_are() -> None:
    """Age is the longest that any source knows of; what no source tells is absent."""
    snapshots = pd.DataFrame(
        {"days_since_signup": [10.0, NAN], "days_since_first_order": [5.0, 7.0], "tickets_open": [0.0, 1.0]},
        index=[4, 9],
    )
    found = state(snapshots)
    assert list(found) == ["tenure_days", "tickets_open"]
    assert list(found["tenure_days"]) == [10.0, 7.0]
    assert list(found.index) == [4, 9]
