"""What the history of purchases alone lets expect of a customer, whatever else is known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.checks import Matrix, Vector
from holdfast.models.season_level import SeasonLevel


@dataclass(frozen=True)
class PastValue:
    """A customer-base model of the value, at the level of the time of the year.

    Attributes
    ----------
    history : HistoryValue
        Purchases in the horizon times what one is worth.
    level : SeasonLevel
        Logarithm of the true total over the total that ``history`` expects.
    """

    history: HistoryValue
    level: SeasonLevel

    def columns(self, X: Matrix) -> Matrix:
        """What the two parts read of it, shape (n_rows, 2); no level, and no neighbour, enters."""
        return history_columns(self.history, X)

    def at_level(self, expected: Vector, X: Matrix) -> Vector:
        """Expected value per row, in currency, from the last of :meth:`columns` for the same rows."""
        return np.asarray(expected * np.exp(self.level.of(X)))

    def to_json(self) -> dict[str, Any]:
        """Everything as plain lists and numbers."""
        return {"history": self.history.to_parts()[0], "level": self.level.to_json()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> PastValue:
        """Rebuild from :meth:`to_json`."""
        history = HistoryValue.from_parts(stored["history"], {})
        return cls(history, SeasonLevel.from_json(stored["level"]))


def history_columns(history: HistoryValue, X: Matrix) -> Matrix:
    """Odds of no purchase in the horizon, and expected value in currency; NaN odds where the history is unknown."""
    odds = np.full(len(X), np.nan)
    known = history.columns.known(X)
    if known.any():
        none = history.model.probability_none(*history.columns.read(X[known]), history.horizon_days)
        odds[known] = none / np.maximum(1 - none, 1e-9)
    return np.column_stack([odds, history.mean(X)])
