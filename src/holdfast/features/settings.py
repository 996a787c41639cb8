"""What the YAML's ``features`` says of a feature, and the record that it declares."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator

from holdfast.errors import ConfigError
from holdfast.features.conditions import condition
from holdfast.features.feature import Feature
from holdfast.history.aggregates import Aggregate, Over, Ratio
from holdfast.history.registry import worded
from holdfast.settings import Settings
from holdfast.timeline import LIFETIME, Days

Streams = Literal["orders", "items", "engagement", "tickets", "subscriptions", "surveys", "contacts", "customers"]
Unit = Literal["count", "days", "currency", "share", "ratio", "trend", "score", "hours", "months", "category"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
MOST_DAYS = 1_000_000


def _sensible(window: object) -> object:
    """One sentence where the two alternatives would each complain in words of their own."""
    days = isinstance(window, int | float) and not isinstance(window, bool) and 0 < window <= MOST_DAYS
    if not days and window != "lifetime":
        raise ValueError(f"wanted days, more than 0 and at most {MOST_DAYS:,}, or lifetime")
    return window


WindowDays = Annotated[Annotated[float, Field(gt=0, le=MOST_DAYS)] | Literal["lifetime"], BeforeValidator(_sensible)]

OWN_FAMILY = "own"


class MeasureSettings(Settings):
    """One aggregate of the events of one customer."""

    aggregate: str = Field(description="What to compute: count, sum, mean, days_since_last, … or one of your own.")
    column: str | None = Field(default=None, description="The column of the source that the aggregate reads.")
    where: str | None = Field(
        default=None, description="Which events count, such as: kind == 'visit' and quantity >= 10."
    )

    @field_validator("where")
    @classmethod
    def _condition_reads(cls, where: str | None) -> str | None:
        if where is not None:
            condition(where)
        return where

    def declared(self) -> Aggregate:
        """The aggregate in Python."""
        return worded(self.aggregate, self.column, None if self.where is None else condition(self.where))


class DivisorSettings(MeasureSettings):
    """The aggregate of the same source that the feature's own is divided by."""

    window: WindowDays | None = Field(
        default=None, description="Days before the cutoff, or lifetime; that of the feature if not given."
    )


class FeatureSettings(MeasureSettings):
    """A feature of your own; its key is its name."""

    source: Streams = Field(description="The events it is computed from; items are the lines of orders.")
    window: WindowDays = Field(description="Days before the cutoff, or lifetime.")
    divided_by: DivisorSettings | None = Field(default=None, description="Makes a ratio: what to divide by.")
    unit: Unit = Field(description="How people read its value.")
    meaning: str = Field(
        description="A sentence without subject that becomes a reason: visited the lounge {value} times in 90 days."
    )
    family: str = Field(
        default=OWN_FAMILY, min_length=1, description="Features of one family together make one reason."
    )
    when_empty: float | None = Field(
        default=None, allow_inf_nan=False, description="The value of a customer without such events; unknown if absent."
    )
    actionable: bool = Field(default=False, description="Whether somebody could do something about it.")

    def declared_as(self, name: str) -> Feature:
        """The record in Python.

        Raises
        ------
        ConfigError
            The aggregate is unknown or lacks a column, or the record cannot be right.
        """
        try:
            aggregate = self.declared()
            if self.divided_by is not None:
                below = self.divided_by.declared()
                over = self.divided_by.window
                aggregate = Ratio(aggregate, below if over is None else Over(below, _days(over)))
            return Feature(
                name,
                self.source,
                aggregate,
                self.unit,
                self.meaning,
                self.family,
                _days(self.window),
                math.nan if self.when_empty is None else self.when_empty,
                self.actionable,
                accumulates=self.source == "orders"
                and self.window == "lifetime"
                and self.unit in ("count", "currency"),
            )
        except (ConfigError, ValueError) as error:
            raise ConfigError(f"features.{name}: {error}") from None


def _days(window: float | str) -> Days:
    return LIFETIME if isinstance(window, str) else Days(window)
