"""Which action for whom: rules as data, the first that fits decides.

A rule names conditions on the stage, the family of the main reason, the value band and on whether a complaint is open;
a condition that is not named always holds. The default playbook solves a complaint before anything is sold, helps a new
customer to settle in, gives high value a person to talk to, and fits what is left to the main reason.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from holdfast.outreach.vocabulary import Action, Stage, ValueBand
from holdfast.settings import Settings


class PlaybookRule(Settings):
    """One line of the playbook."""

    action: Action = Field(description="What to do.")
    channel: str | None = Field(
        default=None, min_length=1, max_length=40, description="Instead of the action's usual channel."
    )
    stage: tuple[Stage, ...] | None = Field(default=None, min_length=1, description="Only in these stages.")
    reason_family: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description='Only if the main reason is of these families; "engagement" covers "engagement: x".',
    )
    value_band: ValueBand | None = Field(default=None, description="Only customers of high, or of regular, value.")
    open_complaint: bool | None = Field(default=None, description="Only customers with, or without, an open ticket.")


_SERVICE = ("open ticket", "support", "support quality", "payment")
_FADING = ("engagement", "engagement recency", "engagement trend", "usage", "e-mail")

DEFAULT_PLAYBOOK: tuple[PlaybookRule, ...] = (
    PlaybookRule(action="service_recovery", open_complaint=True),
    PlaybookRule(action="onboarding_help", stage=("onboarding",)),
    PlaybookRule(action="account_manager_call", stage=("active", "lapsing", "dormant"), value_band="high"),
    PlaybookRule(action="service_recovery", stage=("active", "lapsing"), reason_family=_SERVICE),
    PlaybookRule(action="win_back", stage=("dormant", "lost")),
    PlaybookRule(action="feedback_survey", reason_family=("feedback",)),
    PlaybookRule(action="onboarding_help", stage=("active",), reason_family=_FADING),
    PlaybookRule(action="personal_offer", stage=("lapsing",)),
    PlaybookRule(action="loyalty_reward", stage=("active",)),
    PlaybookRule(action="personal_offer"),
    PlaybookRule(action="loyalty_reward"),
)


def choose(
    customers: pd.DataFrame, playbook: Sequence[PlaybookRule], offered: Collection[str]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The action for each customer, and the channel that its rule asks for (empty: the action's usual one).

    Parameters
    ----------
    customers : DataFrame
        ``stage``, ``value_band``, ``open_complaint`` (bool) and ``reason_1_family`` (text, may be empty).
    playbook : sequence of PlaybookRule
        The first that fits decides. Whom none fits is left alone.
    offered : collection of str
        Rules with other actions are passed over; to leave somebody alone is always on offer.
    """
    action = np.full(len(customers), "leave_alone", dtype=object)
    channel = np.full(len(customers), "", dtype=object)
    open_to_choose = np.ones(len(customers), dtype=bool)
    for rule in playbook:
        if rule.action in offered or rule.action == "leave_alone":
            now = open_to_choose & _fits(rule, customers)
            action[now], channel[now] = rule.action, rule.channel or ""
            open_to_choose &= ~now
    return action, channel


def _fits(rule: PlaybookRule, customers: pd.DataFrame) -> NDArray[np.bool_]:
    fits = np.ones(len(customers), dtype=bool)
    if rule.stage is not None:
        fits &= customers["stage"].isin(rule.stage).to_numpy()
    if rule.value_band is not None:
        fits &= (customers["value_band"] == rule.value_band).to_numpy()
    if rule.open_complaint is not None:
        fits &= customers["open_complaint"].to_numpy() == rule.open_complaint
    if rule.reason_family is not None:
        families = customers["reason_1_family"]
        named = [name for name in families.unique() if {name, name.split(":")[0]} & set(rule.reason_family)]
        fits &= families.isin(named).to_numpy()
    return fits
