"""What a business decides about contacting its customers; what decides the answer has no default."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from holdfast.outreach.actions import KNOWN_ACTIONS, KNOWN_CHANNELS, LEAVE_ALONE, ActionSettings, ChannelSettings
from holdfast.outreach.playbook import DEFAULT_PLAYBOOK, PlaybookEntry, PlaybookLine
from holdfast.outreach.stages import StageSettings
from holdfast.settings import Settings
from holdfast.sources.kinds import nearest

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


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
    channels: dict[str, ChannelSettings] = Field(
        default={},
        description="Words for channels. Those for app, email, letter, phone and sms are known; another channel is "
        'called by its name, as in "by courier".',
    )
    actions: dict[Name, ActionSettings] = Field(
        min_length=1,
        description="The actions on offer, with costs and save rates; others are never chosen. An action of your own "
        "needs a line in the playbook.",
    )
    playbook: tuple[PlaybookEntry, ...] = Field(
        default=("default",),
        min_length=1,
        description="Which action for whom: the first line that fits and whose action is on offer decides; "
        'whom none fits is left alone. The word "default" stands for the lines of the default playbook.',
    )

    @field_validator("actions", mode="before")
    @classmethod
    def _what_we_know_of_actions(cls, records: Any) -> Any:
        if not isinstance(records, Mapping):
            return records
        return {
            name: {**KNOWN_ACTIONS.get(name, {}), **record} if isinstance(record, Mapping) else record
            for name, record in records.items()
        }

    @model_validator(mode="after")
    def _playbook_and_actions_agree(self) -> OutreachSettings:
        if LEAVE_ALONE in self.actions:
            raise ValueError(f"{LEAVE_ALONE} costs nothing and saves nobody; remove it from actions")
        chosen = {line.action for line in self.playbook if isinstance(line, PlaybookLine)}
        absent = sorted(chosen - {*self.actions, LEAVE_ALONE})
        if absent:
            raise ValueError(
                f"the playbook chooses {', '.join(absent)}, which actions does not list; add channel, contact_cost "
                "and save_rate there, or change the playbook"
            )
        unused = sorted(set(self.actions) - chosen - {line.action for line in DEFAULT_PLAYBOOK})
        if unused:
            raise ValueError(
                f"no line of the playbook chooses {unused[0]}{nearest(unused[0], KNOWN_ACTIONS)}; add one, such as "
                f"{{action: {unused[0]}, stage: [lapsing]}}, or remove the action"
            )
        return self

    @property
    def lines(self) -> tuple[PlaybookLine, ...]:
        """The playbook, line by line."""
        return tuple(
            line
            for entry in self.playbook
            for line in ((entry,) if isinstance(entry, PlaybookLine) else DEFAULT_PLAYBOOK)
        )

    def action_words(self, name: str) -> str:
        """The action as people read it."""
        action = self.actions.get(name)
        return (action and action.words) or name.replace("_", " ")

    def channel_words(self, name: str) -> str:
        """The channel as people read it after the action."""
        channels = {**KNOWN_CHANNELS, **self.channels}
        return channels[name].words if name in channels else f"by {name}"
