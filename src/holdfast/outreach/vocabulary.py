"""The fixed words of this room: actions, stages, value bands and groups, as they stand in tables and settings."""

from __future__ import annotations

from typing import Literal, get_args

Action = Literal[
    "onboarding_help",
    "loyalty_reward",
    "personal_offer",
    "service_recovery",
    "account_manager_call",
    "feedback_survey",
    "win_back",
    "leave_alone",
]
Stage = Literal["onboarding", "active", "lapsing", "dormant", "lost"]
ValueBand = Literal["high", "regular"]
Group = Literal["contact", "control", "not_selected", "excluded"]

ACTIONS: tuple[Action, ...] = get_args(Action)
STAGES: tuple[Stage, ...] = get_args(Stage)
VALUE_BANDS: tuple[ValueBand, ...] = get_args(ValueBand)
GROUPS: tuple[Group, ...] = get_args(Group)
