"""Histories read from the columns of a wide matrix, in days."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.models.checks import Matrix, Vector


@dataclass(frozen=True)
class HistoryColumns:
    """Which columns of a matrix tell the history of purchases.

    Attributes
    ----------
    orders : int
        Purchases so far, the first one included. Several on one day should count once, as ``order_days_lifetime``
        does: the models know no baskets split in two.
    days_since_order, days_since_first_order : int
        Time since the last and since the first purchase. Refunds are no purchases and count in none of the three.
    """

    orders: int
    days_since_order: int
    days_since_first_order: int

    @property
    def places(self) -> tuple[int, int, int]:
        """The three columns."""
        return self.orders, self.days_since_order, self.days_since_first_order

    def known(self, X: Matrix) -> NDArray[np.bool_]:
        """Rows of customers who have bought: none of the three is NaN."""
        return np.asarray(~np.isnan(X[:, self.places]).any(axis=1))

    def read(self, X: Matrix) -> tuple[Vector, Vector, Vector]:
        """Repeats, age at the last purchase and age, in days.

        What cannot be is brought to the nearest that can: orders are whole and 1 at least, times are not negative, and
        the last purchase is not before the first.
        """
        orders, since, age = X[:, self.places].T
        age = np.maximum(age, 0.0)
        repeats = np.maximum(np.floor(orders) - 1.0, 0.0)
        return repeats, np.where(repeats > 0, age - np.clip(since, 0.0, age), 0.0), age
