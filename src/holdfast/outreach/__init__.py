"""From scored customers to a published list: eligibility, actions, worth, selection, control, publication."""

from holdfast.outreach.actions import ActionSettings, ChannelSettings
from holdfast.outreach.contact_rules import RULES, Rule, not_applied
from holdfast.outreach.plan import PLANNED, Planner, Scorer, scored_columns
from holdfast.outreach.publish import publish
from holdfast.outreach.selection import Selection, select, select_planned
from holdfast.outreach.settings import BudgetSettings, OutreachSettings
from holdfast.outreach.stages import StageSettings
from holdfast.outreach.state import state, state_columns

__all__ = [
    "PLANNED",
    "RULES",
    "ActionSettings",
    "BudgetSettings",
    "ChannelSettings",
    "OutreachSettings",
    "Planner",
    "Rule",
    "Scorer",
    "Selection",
    "StageSettings",
    "not_applied",
    "publish",
    "scored_columns",
    "select",
    "select_planned",
    "state",
    "state_columns",
]
