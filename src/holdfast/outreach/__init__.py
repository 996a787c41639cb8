"""From scored customers to a published list: eligibility, actions, worth, selection, control, publication."""

from holdfast.outreach.eligibility import not_applied
from holdfast.outreach.plan import PLANNED, Planner, Scorer, scored_columns
from holdfast.outreach.publish import publish
from holdfast.outreach.select import Selection, select, select_planned
from holdfast.outreach.settings import ActionSettings, BudgetSettings, OutreachSettings, StageSettings
from holdfast.outreach.state import state, state_columns

__all__ = [
    "PLANNED",
    "ActionSettings",
    "BudgetSettings",
    "OutreachSettings",
    "Planner",
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
