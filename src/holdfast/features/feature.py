"""A feature is a record: what it is called, what it computes, and how to speak of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import get_args

from holdfast.history.aggregates import Aggregate, First, Last
from holdfast.models.feature_record import Direction, FeatureRecord, Role
from holdfast.timeline import LIFETIME, Days

DIRECTIONS: tuple[Direction, ...] = get_args(Direction)
UNITS = ("count", "days", "currency", "share", "ratio", "trend", "score", "hours", "months", "category")


def spoken(name: str) -> str:
    """A level or column of the data as part of a meaning: braces would read as places for values."""
    return name.replace("_", " ").replace("{", "(").replace("}", ")")


@dataclass(frozen=True)
class Feature:
    """One column of the snapshots table.

    Attributes
    ----------
    name : str
        What it measures, with unit or window: ``days_since_order``, ``spend_90d``.
    source : str or None
        The stream it reads; None if it depends on the cutoff alone.
    aggregate : Aggregate
        How it is computed from the events of the window.
    window : Days
        Ends at the cutoff; a whole life by default.
    unit : str
        One of ``UNITS``.
    meaning : str
        A sentence without subject, with ``{value}`` where the value belongs: "spent {value} in the last 90 days".
    family : str
        Features of one family say much the same, and together they make one reason; what follows a colon is a part.
    when_empty : float
        The value where there is nothing to compute from; NaN says "unknown".
    actionable : bool
        Whether somebody could do something about it.
    risk : "rises", "falls" or None
        What is known beforehand: all else equal, the risk never falls with it, or never rises with it. None leaves it
        to the data. What is missing has no direction.
    when_missing : str
        What to say where there is nothing to compute from: "has placed no order yet". If not given, that it is not
        known.
    role : Role or None
        The part of its own that it plays in learning.
    accumulates : bool
        Whether it grows with the history at hand: a count or sum of orders without a window.
    """

    name: str
    source: str | None
    aggregate: Aggregate
    unit: str
    meaning: str
    family: str
    window: Days = LIFETIME
    when_empty: float = math.nan
    actionable: bool = False
    risk: Direction | None = None
    when_missing: str = ""
    role: Role | None = None
    accumulates: bool = False

    def __post_init__(self) -> None:
        if self.unit not in UNITS:
            raise ValueError(f"Feature {self.name!r} has unit {self.unit!r}; wanted one of {', '.join(UNITS)}.")
        if self.meaning.count("{value}") != 1 or self.meaning.count("{") != 1 or self.meaning.count("}") != 1:
            raise ValueError(f"Feature {self.name!r} means {self.meaning!r}; wanted a sentence with one {{value}}.")
        if self.is_category and not isinstance(self.aggregate, First | Last):
            raise ValueError(f"Feature {self.name!r} is a category; wanted the aggregate First or Last of a column.")
        if self.risk is not None and self.risk not in DIRECTIONS:
            raise ValueError(f"Feature {self.name!r} has risk {self.risk!r}; wanted one of {', '.join(DIRECTIONS)}.")
        if self.risk is not None and self.is_category:
            raise ValueError(f"Feature {self.name!r} is a category, and categories have no order; leave its risk out.")

    @property
    def is_category(self) -> bool:
        """Whether its values are texts."""
        return self.unit == "category"

    def record(self) -> FeatureRecord:
        """What a stored model keeps of it: everything but the way it is computed."""
        return FeatureRecord(
            name=self.name,
            dtype="category" if self.is_category else "number",
            unit=self.unit,
            meaning=self.meaning,
            family=self.family,
            window_days=None if self.window == LIFETIME else self.window.count,
            when_empty=None if math.isnan(self.when_empty) else self.when_empty,
            when_missing=self.when_missing or f"{spoken(self.name)} not known",
            actionable=self.actionable,
            risk=self.risk,
            role=self.role,
            accumulates=self.accumulates,
        )
