"""What can be done for a customer, and how it reaches them: records of the configuration, with the words for people.

Words for common actions and channels are known here; a record of the configuration under the same name goes before
them. Costs and save rates are the business's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from holdfast.settings import Settings

LEAVE_ALONE = "leave_alone"
"""Stands in the playbook in place of an action where nothing is to be done."""


class ChannelSettings(Settings):
    """A way to reach customers."""

    words: str = Field(min_length=1, max_length=60, description='As people read it after the action, as in "by phone".')


class ActionSettings(Settings):
    """What an action is called, what it costs and how often it saves a customer who would have left."""

    words: str | None = Field(
        default=None, min_length=1, max_length=60, description="As people read it; by default the name with blanks."
    )
    channel: str = Field(
        min_length=1, max_length=40, description="How the customer is reached: email, phone, letter, … or your own."
    )
    contact_cost: float = Field(ge=0, description="Cost of one contact, in the currency of the amounts.")
    save_rate: float = Field(
        ge=0,
        le=1,
        description="Share of leaving customers whom this keeps, or of customers who have gone whom it wins back; "
        "measure it on your control group.",
    )
    offer_cost: float = Field(
        default=0.0, ge=0, description="Cost of the gift or discount for one customer who takes it."
    )
    accept_rate: float = Field(
        default=1.0, ge=0, le=1, description="Share of contacted customers who take the gift, loyal ones included."
    )
    wins_back: bool = Field(
        default=False, description="For customers who have gone: it is worth what it brings back, and keeps nobody."
    )
    solves_complaints: bool = Field(
        default=False, description="Also for customers with an open complaint, because this is what solves it."
    )

    @property
    def cost(self) -> float:
        """Expected cost of one contact, in currency."""
        return self.contact_cost + self.accept_rate * self.offer_cost


KNOWN_ACTIONS: Mapping[str, Mapping[str, Any]] = {
    "account_manager_call": {"words": "account-manager call"},
    "feedback_survey": {"words": "feedback survey"},
    "loyalty_reward": {"words": "loyalty reward"},
    "onboarding_help": {"words": "onboarding help"},
    "personal_offer": {"words": "personal offer"},
    "service_recovery": {"words": "service recovery", "solves_complaints": True},
    "win_back": {"words": "win-back", "wins_back": True},
}
"""What is the same in every business of the actions in the default playbook."""

KNOWN_CHANNELS: Mapping[str, ChannelSettings] = {
    "app": ChannelSettings(words="in the app"),
    "email": ChannelSettings(words="by email"),
    "letter": ChannelSettings(words="by letter"),
    "phone": ChannelSettings(words="by phone"),
    "sms": ChannelSettings(words="by text message"),
}
"""Channels that need no record in the configuration."""
