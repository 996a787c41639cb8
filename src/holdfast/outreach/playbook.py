"""Which action for whom: an ordered table of conditions and actions, the first line that fits decides.

A line names conditions on the stage, the family of the main reason, the value band and on whether a complaint is open;
a condition that is not named always holds. The default playbook solves a complaint before anything is sold, helps
a new customer to settle in, gives high value a person to talk to, and fits what is left to the main reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Discriminator, Field, Tag

from holdfast.outreach.actions import LEAVE_ALONE, ActionSettings
from holdfast.outreach.segments import ValueBand
from holdfast.outreach.stages import Stage
from holdfast.settings import Settings


class PlaybookLine(Settings):
    """One line of the playbook."""

    action: str = Field(description="What to do: one of the actions, or leave_alone.")
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

    def fits(self, customers: pd.DataFrame) -> NDArray[np.bool_]:
        """Which customers this line is for."""
        fits = np.ones(len(customers), dtype=bool)
        if self.stage is not None:
            fits &= customers["stage"].isin(self.stage).to_numpy()
        if self.value_band is not None:
            fits &= (customers["value_band"] == self.value_band).to_numpy()
        if self.open_complaint is not None:
            fits &= customers["open_complaint"].to_numpy() == self.open_complaint
        if self.reason_family is not None:
            families = customers["reason_1_family"]
            named = [name for name in families.unique() if {name, name.split(":")[0]} & set(self.reason_family)]
            fits &= families.isin(named).to_numpy()
        return fits


def _kind(entry: Any) -> str:
    return "default" if isinstance(entry, str) else "line"


PlaybookEntry = Annotated[
    Annotated[PlaybookLine, Tag("line")] | Annotated[Literal["default"], Tag("default")], Discriminator(_kind)
]
"""A line, or the word that stands for the lines of ``DEFAULT_PLAYBOOK``."""

_SERVICE = ("open ticket", "support", "support quality", "payment")
_FADING = ("engagement", "engagement recency", "engagement trend", "usage", "e-mail")

DEFAULT_PLAYBOOK: tuple[PlaybookLine, ...] = (
    PlaybookLine(action="service_recovery", open_complaint=True),
    PlaybookLine(action="onboarding_help", stage=("onboarding",)),
    PlaybookLine(action="account_manager_call", stage=("active", "lapsing", "dormant"), value_band="high"),
    PlaybookLine(action="service_recovery", stage=("active", "lapsing"), reason_family=_SERVICE),
    PlaybookLine(action="win_back", stage=("dormant", "lost")),
    PlaybookLine(action="feedback_survey", reason_family=("feedback",)),
    PlaybookLine(action="onboarding_help", stage=("active",), reason_family=_FADING),
    PlaybookLine(action="personal_offer", stage=("lapsing",)),
    PlaybookLine(action="loyalty_reward", stage=("active",)),
    PlaybookLine(action="personal_offer"),
    PlaybookLine(action="loyalty_reward"),
)


def choose(
    customers: pd.DataFrame, playbook: Sequence[PlaybookLine], actions: Mapping[str, ActionSettings]
) -> tuple[NDArray[np.object_], NDArray[np.object_]]:
    """The action for each customer, and the channel that it goes by.

    Parameters
    ----------
    customers : DataFrame
        ``stage``, ``value_band``, ``open_complaint`` (bool) and ``reason_1_family`` (text, may be empty).
    playbook : sequence of PlaybookLine
        The first that fits decides. Whom none fits is left alone.
    actions : mapping
        Those on offer; lines with others are passed over. To leave somebody alone is always on offer, by no channel.
    """
    usual = {name: action.channel for name, action in actions.items()} | {LEAVE_ALONE: ""}
    chosen = np.full(len(customers), LEAVE_ALONE, dtype=object)
    channel = np.full(len(customers), "", dtype=object)
    undecided = np.ones(len(customers), dtype=bool)
    for line in playbook:
        if line.action in usual:
            now = undecided & line.fits(customers)
            chosen[now], channel[now] = line.action, line.channel or usual[line.action]
            undecided &= ~now
    return chosen, channel
