"""From scored customers to a published list: eligibility, actions, worth, selection, control, publication."""

from holdfast.outreach.publish import publish
from holdfast.outreach.select import Selection, select
from holdfast.outreach.settings import ActionSettings, BudgetSettings, OutreachSettings, StageSettings
from holdfast.outreach.state import state
from holdfast.outreach.storage import LockedFolder, lock

__all__ = [
    "ActionSettings",
    "BudgetSettings",
    "LockedFolder",
    "OutreachSettings",
    "Selection",
    "StageSettings",
    "lock",
    "publish",
    "select",
    "state",
]
