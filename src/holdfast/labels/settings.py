"""What counts as churn and as value: the two definitions that decide what a score means, so neither has a default."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from holdfast.models.model_card import ChurnDefinition, ValueDefinition
from holdfast.settings import Settings
from holdfast.timeline import Days


class ChurnSettings(Settings):
    """When a customer counts as lost."""

    kind: Literal["no_order", "subscription_end", "no_event"] = Field(
        description="no_order: places no order in the outcome window. subscription_end: the last running subscription "
        "ends in it and is not renewed within the grace period. no_event: shows no engagement event in it."
    )
    horizon_days: float = Field(gt=0, le=36_525, description="Length of the outcome window in days.")
    gap_days: float = Field(
        default=0,
        ge=0,
        le=36_525,
        description="Days between the cutoff and the outcome window: the time you need to act.",
    )
    grace_days: float | None = Field(
        default=None,
        ge=0,
        le=36_525,
        description="subscription_end: an end that is followed by a start within so many days is no churn.",
    )
    events: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="no_event: the kinds of engagement that count as a sign of life; all if not given.",
    )
    signs_of_life: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="no_order: the kinds of engagement that customers begin themselves, by which one sees that they "
        "are still there; all if not given, but those whose name says that we wrote (sent, delivered, bounced).",
    )

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ChurnSettings:
        if (self.grace_days is not None) != (self.kind == "subscription_end"):
            raise ValueError("grace_days belongs to kind subscription_end, which needs it")
        if self.events is not None and self.kind != "no_event":
            raise ValueError("events belongs to kind no_event")
        if self.signs_of_life is not None and self.kind != "no_order":
            raise ValueError("signs_of_life belongs to kind no_order")
        return self

    def definition(self) -> ChurnDefinition:
        """What a stored model keeps of it."""
        return ChurnDefinition(**dict(self))


class ValueSettings(Settings):
    """What a customer is worth."""

    of: Literal["revenue", "margin", "mrr"] = Field(
        description="revenue: net amount of orders. margin: their margin. mrr: monthly revenue times the time it runs."
    )
    horizon_days: float = Field(
        gt=0, le=36_525, description="Days after the cutoff (and gap) over which value is counted."
    )

    def definition(self) -> ValueDefinition:
        """What a stored model keeps of it."""
        return ValueDefinition(**dict(self))


class LabelSettings(Settings):
    """Both labels of a snapshot; with ``look_ahead_days`` also how many days, at most so many, pass until the event."""

    churn: ChurnSettings
    value: ValueSettings
    look_ahead_days: float | None = Field(default=None, gt=0, le=36_525)

    @property
    def gap(self) -> Days:
        """From the cutoff to the outcome window."""
        return Days(self.churn.gap_days)

    @property
    def churn_after(self) -> Days:
        """How long after the cutoff churn is known for certain."""
        return Days(self.churn.gap_days + self.churn.horizon_days + (self.churn.grace_days or 0))

    @property
    def complete_after(self) -> Days:
        """How long after the cutoff both labels are known for certain."""
        return Days(max(self.churn_after.count, self.churn.gap_days + self.value.horizon_days))
