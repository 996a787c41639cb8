"""The level of everyone's score at a time of the year: a forecast for the year after training, as a table.

A season, a price rise or a crisis moves all customers of a cutoff together, so it is nobody's reason: the level is part
of the base, and reasons tell what sets a customer apart from the others of the same cutoff.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.models.checks import Matrix, Vector


@dataclass(frozen=True)
class SeasonLevel:
    """What is added to every score, by the time of the year at which it is made.

    Attributes
    ----------
    columns : tuple of int
        Where the matrix holds sine and cosine of the year's angle (0 and 1 on the first of January 1970); empty if it
        does not.
    table : array of shape (n_phases,)
        Levels at equal steps through the year, the first at angle 0; straight between them. One number without columns.
    """

    columns: tuple[int, ...]
    table: Vector

    @classmethod
    def constant(cls, value: float = 0.0) -> SeasonLevel:
        """The same at any time."""
        return cls((), np.array([value]))

    def of(self, X: Matrix) -> Vector:
        """The level of each row; where the time of the year is missing, the mean of the year."""
        if not self.columns:
            return np.full(len(X), self.table[0])
        place = phase(X[:, self.columns[0]], X[:, self.columns[1]]) * len(self.table)
        known = np.nan_to_num(place)
        left = known.astype(np.intp) % len(self.table)
        share = known - np.floor(known)
        level = self.table[left] * (1 - share) + self.table[(left + 1) % len(self.table)] * share
        return np.where(np.isnan(place), self.table.mean(), level)

    def to_json(self) -> dict[str, Any]:
        """Columns and table as lists."""
        return {"columns": list(self.columns), "table": self.table.tolist()}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> SeasonLevel:
        """Rebuild from :meth:`to_json`."""
        return cls(tuple(int(j) for j in stored["columns"]), np.asarray(stored["table"], dtype=np.float64))


def phase(sine: Vector, cosine: Vector) -> Vector:
    """Share of the year that has gone by, from the two coordinates of its angle."""
    return np.asarray(np.arctan2(sine, cosine) / (2 * np.pi) % 1.0)
