"""What the settings refuse, and in which words."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from holdfast.errors import DataError
from holdfast.outreach import select
from holdfast.outreach.actions import ActionSettings, ChannelSettings
from holdfast.outreach.playbook import DEFAULT_PLAYBOOK, PlaybookLine
from holdfast.outreach.settings import BudgetSettings
from tests.unit.outreach.scored import AS_OF, RAW_SETTINGS, outreach_settings, scored_customers


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"budget": {}}, "give exactly one of contacts and share"),
        ({"budget": {"contacts": 5, "share": 0.5}}, "give exactly one of contacts and share"),
        ({"budget": {"share": 1.5}}, "less than or equal to 1"),
        ({"control_share": 1.0}, "less than 1"),
        ({"actions": {"phone_tree": {}}}, r"actions.phone_tree.contact_cost\n  Field required"),
        (
            {"actions": {"onbording_help": RAW_SETTINGS["actions"]["onboarding_help"]}},
            r"no line of the playbook chooses onbording_help \(did you mean 'onboarding_help'\?\); add one, such as",
        ),
        ({"actions": {"Gift Box": RAW_SETTINGS["actions"]["win_back"]}}, "should match pattern"),
        ({"channels": {"courier": {}}}, r"channels.courier.words\n  Field required"),
        ({"playbook": ("usual",)}, "Input should be 'default'"),
        ({"playbook": ({"action": "win_back", "stages": ["lost"]},)}, "Extra inputs are not permitted"),
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
    for settings in (type(outreach_settings()), ActionSettings, ChannelSettings, BudgetSettings, PlaybookLine):
        assert all(field.description for field in settings.model_fields.values())


def test_a_budget_is_a_number_or_a_share_of_the_scored() -> None:
    """Half a customer is not contacted."""
    assert BudgetSettings(contacts=7).places(3) == 7
    assert BudgetSettings(share=0.5).places(5) == 2


def test_an_offer_costs_what_those_who_take_it_cost() -> None:
    """Loyal customers take the gift too; by default all do."""
    assert ActionSettings(channel="email", contact_cost=1, save_rate=0.1, offer_cost=4).cost == 5
    assert ActionSettings(channel="email", contact_cost=1, save_rate=0.1, offer_cost=4, accept_rate=0.25).cost == 2


def test_what_we_know_of_an_action_gives_way_to_the_configuration() -> None:
    """Words are shipped so that nobody must write them, not so that nobody can."""
    raw = RAW_SETTINGS["actions"]["win_back"]
    own = {"words": "<3 letter", "channel": "carrier pigeon", "contact_cost": 1, "save_rate": 0.1}
    found = outreach_settings(
        actions={"win_back": raw, "account_manager_call": raw | {"words": "call"}, "love_letter": own},
        playbook=({"action": "love_letter"},),
        channels={"letter": {"words": "by post"}},
    )
    names = ["win_back", "account_manager_call", "love_letter", "leave_alone"]
    assert [found.action_words(name) for name in names] == ["win-back", "call", "<3 letter", "leave alone"]
    channels = ["letter", "phone", "carrier pigeon"]
    assert [found.channel_words(name) for name in channels] == ["by post", "by phone", "by carrier pigeon"]


def test_own_lines_may_stand_before_and_behind_the_default_playbook() -> None:
    """Who adds one line should not have to copy eleven."""
    first, last = {"action": "win_back", "stage": ["lost"]}, {"action": "leave_alone"}
    found = outreach_settings(playbook=(first, "default", last)).lines
    assert found == (PlaybookLine.model_validate(first), *DEFAULT_PLAYBOOK, PlaybookLine.model_validate(last))
    assert outreach_settings().lines == DEFAULT_PLAYBOOK


def test_an_action_of_ones_own_may_solve_a_complaint() -> None:
    """Whether an action may follow a complaint is a property of the action, not its name."""
    visit = {"channel": "visit", "contact_cost": 30, "save_rate": 0.4, "solves_complaints": True}
    scored = scored_customers().assign(tickets_open=1.0)
    for solves in (True, False):
        settings = outreach_settings(
            actions={"engineer_visit": visit | {"solves_complaints": solves}},
            playbook=({"action": "engineer_visit", "open_complaint": True},),
        )
        if solves:
            found = select(scored, settings, AS_OF, model_version="1")
            assert set(found.at_risk["action_words"]) == {"engineer visit"}
            assert set(found.at_risk["channel_words"]) == {"by visit"}
        else:
            with pytest.raises(DataError, match="for open_complaint, offer an action with solves_complaints"):
                select(scored, settings, AS_OF, model_version="1")
