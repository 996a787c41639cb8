"""How long to look for better parameters: the same in a configuration and as an argument of the estimators."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from holdfast.settings import Settings


class Tuning(Settings):
    """A budget for the search; with both bounds, whichever is reached first ends it.

    With a bound in trials alone the result follows from data and seed, on any machine. A bound in minutes depends on
    how fast the machine is, but the result still follows from data, seed and the number of trials that it had time for.

    Examples
    --------
    >>> from holdfast.learning import AtRiskClassifier, Tuning
    >>> model = AtRiskClassifier(tuning=Tuning(trials=40))
    """

    trials: int | None = Field(
        default=None,
        ge=1,
        description="Recipes to try for each of the three scores of a fit (risk, any value, amount); the first is the "
        "default, so 1 tries no other.",
    )
    minutes: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="Minutes to look for better recipes, for a whole command; its fits get equal parts of it. What "
        "was finished by then counts. What a command does anyway is not in it.",
    )
    folder: Path | None = Field(
        default=None,
        description="Folder, relative to this file, where finished trials are kept, so that a stopped or a longer "
        "search goes on from there. It holds parameters, losses and seconds, and nothing of customers.",
    )

    @model_validator(mode="after")
    def _bounded(self) -> Self:
        if self.trials is None and self.minutes is None:
            raise ValueError("wanted a budget for tuning, found none; give trials, minutes, or both")
        return self

    def part(self, share: float) -> Tuning:
        """For a part of the work: that share of the minutes; trials are counted for each score anyway."""
        return self if self.minutes is None else self.model_copy(update={"minutes": self.minutes * share})

    def kept_in(self, folder: Path | None) -> Tuning:
        """With another folder."""
        return self.model_copy(update={"folder": folder})
