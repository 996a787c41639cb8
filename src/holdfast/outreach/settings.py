"""What a business decides about contacting its customers; what decides the answer has no default."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from holdfast.outreach.playbook import DEFAULT_PLAYBOOK, PlaybookRule
from holdfast.outreach.vocabulary import Action
from holdfast.settings import Settings


class BudgetSettings(Settings):
    """How many customers to single out for contact, the held-back control group included: exactly one of the two."""

    contacts: int | None = Field(default=None, ge=1, description="So many customers, for example 500.")
    share: float | None = Field(
        default=None, gt=0, le=1, description="This share of all scored customers, for example 0.05."
    )

    @model_validator(mode="after")
    def _exactly_one(self) -> BudgetSettings:
        if (self.contacts is None) == (self.share is None):
            raise ValueError("give exactly one of contacts and share")
        return self

    def places(self, customers: int) -> int:
        """The number of customers to single out among so many scored ones."""
        return self.contacts or int(round((self.share or 0.0) * customers, 6))  # 0.29 of 100 is 29, not 28.999…


class StageSettings(Settings):
    """Where the stages of a customer's life begin.

    Silence is the time since the last order or, where the data has no orders, since the last engagement.
    """

    onboarding_days: float = Field(ge=0, description="Younger customers are onboarding, whatever they do.")
    lapsing_days: float = Field(gt=0, description="Silent for so long: lapsing.")
    dormant_days: float = Field(gt=0, description="Silent for so long: dormant.")
    lost_days: float = Field(gt=0, description="Silent for so long: lost.")
    lapsing_overdue_ratio: float | None = Field(
        default=None,
        gt=0,
        description="Also lapsing: silent for so many times the customer's own usual gap, for example 1.5.",
    )

    @model_validator(mode="after")
    def _in_order(self) -> StageSettings:
        if not self.lapsing_days < self.dormant_days < self.lost_days:
            raise ValueError("lapsing_days, dormant_days and lost_days must rise in this order")
        return self


class ActionSettings(Settings):
    """What an action costs and how often it saves a customer who would have left."""

    channel: str = Field(
        min_length=1, max_length=40, description="How the customer is reached: email, phone, letter, …"
    )
    contact_cost: float = Field(ge=0, description="Cost of one contact, in the currency of the amounts.")
    save_rate: float = Field(
        ge=0, le=1, description="Share of leaving customers whom this keeps; measure it on your control group."
    )
    offer_cost: float = Field(
        default=0.0, ge=0, description="Cost of the gift or discount for one customer who takes it."
    )
    accept_rate: float = Field(
        default=1.0, ge=0, le=1, description="Share of contacted customers who take the gift, loyal ones included."
    )

    @property
    def cost(self) -> float:
        """Expected cost of one contact, in currency."""
        return self.contact_cost + self.accept_rate * self.offer_cost


class OutreachSettings(Settings):
    """Whom to contact, how often, with what, and who is held back."""

    quiet_days: float = Field(ge=0, description="Nobody is contacted again within so many days.")
    control_share: float = Field(
        ge=0, lt=1, description="Share of the customers to contact who are held back, to measure what contact is worth."
    )
    control_salt: str = Field(
        min_length=1,
        description="Name of the draw of the control group. The same name keeps the same customers in control from "
        "list to list; another name draws anew.",
    )
    budget: BudgetSettings = Field(description="How many customers to single out.")
    high_value_share: float = Field(
        ge=0, le=1, description="The customers with the largest expected value, this share of all, count as high value."
    )
    unknown_consent: Literal["exclude", "contact"] = Field(
        default="exclude",
        description="What to do with a customer of whom we do not know whether they agreed to be contacted.",
    )
    stages: StageSettings = Field(description="Where the stages of a customer's life begin.")
    actions: dict[Action, ActionSettings] = Field(
        min_length=1, description="The actions on offer, with costs and save rates; others are never chosen."
    )
    playbook: tuple[PlaybookRule, ...] = Field(
        default=DEFAULT_PLAYBOOK,
        min_length=1,
        description="Which action for whom: the first rule that fits and whose action is on offer decides; "
        "whom none fits is left alone.",
    )

    @model_validator(mode="after")
    def _actions_on_offer(self) -> OutreachSettings:
        if "leave_alone" in self.actions:
            raise ValueError("leave_alone costs nothing and saves nobody; remove it from actions")
        if self.playbook != DEFAULT_PLAYBOOK:
            absent = sorted({rule.action for rule in self.playbook} - set(self.actions) - {"leave_alone"})
            if absent:
                raise ValueError(
                    f"the playbook chooses {', '.join(absent)}, which actions does not list; add channel, contact_cost "
                    "and save_rate there, or change the playbook"
                )
        return self
