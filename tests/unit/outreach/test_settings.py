"""What the settings refuse, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.outreach.playbook import PlaybookRule
from holdfast.outreach.settings import ActionSettings, BudgetSettings
from tests.unit.outreach.scored import RAW_SETTINGS, outreach_settings


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"budget": {}}, "give exactly one of contacts and share"),
        ({"budget": {"contacts": 5, "share": 0.5}}, "give exactly one of contacts and share"),
        ({"budget": {"share": 1.5}}, "less than or equal to 1"),
        ({"control_share": 1.0}, "less than 1"),
        ({"actions": {"phone_tree": {}}}, "onboarding_help"),
        (
            {"actions": {"leave_alone": {"channel": "-", "contact_cost": 0, "save_rate": 0}}},
            "leave_alone costs nothing",
        ),
        (
            {"playbook": ({"action": "feedback_survey"},)},
            "the playbook chooses feedback_survey, which actions does not list",
        ),
        ({"stages": RAW_SETTINGS["stages"] | {"lost_days": 100}}, "must rise in this order"),
        ({"quiet": 3}, "Extra inputs are not permitted"),
    ],
)
def test_settings_that_cannot_be_right_are_refused(changes: dict[str, Any], words: str) -> None:
    """A wrong setting must stop the run before anybody is contacted by it."""
    with pytest.raises(ValidationError, match=words):
        outreach_settings(**changes)


@pytest.mark.parametrize(
    "key", ["quiet_days", "control_share", "control_salt", "budget", "high_value_share", "actions"]
)
def test_what_decides_the_answer_has_no_default(key: str) -> None:
    """A silent default would be somebody else's business decision."""
    raw = {name: value for name, value in RAW_SETTINGS.items() if name != key}
    with pytest.raises(ValidationError, match=f"{key}\n  Field required"):
        outreach_settings().model_validate(raw)


def test_every_setting_is_described() -> None:
    """The descriptions become the JSON Schema that editors show."""
    for settings in (type(outreach_settings()), ActionSettings, BudgetSettings, PlaybookRule):
        assert all(field.description for field in settings.model_fields.values())


def test_a_budget_is_a_number_or_a_share_of_the_scored() -> None:
    """Half a customer is not contacted."""
    assert BudgetSettings(contacts=7).places(3) == 7
    assert BudgetSettings(share=0.5).places(5) == 2


def test_an_offer_costs_what_those_who_take_it_cost() -> None:
    """Loyal customers take the gift too; by default all do."""
    assert ActionSettings(channel="email", contact_cost=1, save_rate=0.1, offer_cost=4).cost == 5
    assert ActionSettings(channel="email", contact_cost=1, save_rate=0.1, offer_cost=4, accept_rate=0.25).cost == 2
