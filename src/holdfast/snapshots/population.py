"""Who counts as a customer at a cutoff."""

from __future__ import annotations

from pydantic import Field, model_validator

from holdfast.history.aggregates import Count, Sum
from holdfast.history.conditions import Where
from holdfast.models.model_card import PopulationDefinition
from holdfast.settings import Settings
from holdfast.timeline import LIFETIME, Days


class PopulationSettings(Settings):
    """Who counts as a customer at a cutoff: exactly one of the three."""

    bought_within_days: float | None = Field(
        default=None, gt=0, le=1_000_000, description="Placed an order in so many days before the cutoff."
    )
    active_within_days: float | None = Field(
        default=None, gt=0, le=1_000_000, description="Showed any engagement in so many days before it."
    )
    subscribed: bool = Field(default=False, description="Has a running subscription at the cutoff.")

    @model_validator(mode="after")
    def _exactly_one(self) -> PopulationSettings:
        if sum((self.bought_within_days is not None, self.active_within_days is not None, self.subscribed)) != 1:
            raise ValueError("give exactly one of bought_within_days, active_within_days, subscribed: true")
        return self

    def definition(self) -> PopulationDefinition:
        """What a stored model keeps of it."""
        return PopulationDefinition(**dict(self))

    def rule(self) -> tuple[str, Count | Sum, Days]:
        """Stream, aggregate and window; a customer belongs where the aggregate is above 0."""
        if self.bought_within_days is not None:
            return "orders", Count(Where("amount", ">=", 0.0)), Days(self.bought_within_days)
        if self.active_within_days is not None:
            return "engagement", Count(), Days(self.active_within_days)
        return "subscriptions", Sum("active_delta"), LIFETIME
