"""A growing table of events: one page a day, read as a whole in the end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from holdfast.simulate.clock import Whole

Table = dict[str, NDArray[Any]]
"""Columns of equal length; what is in a column is known by its name."""


class Journal:
    """Collects events day by day; every page has the same columns."""

    def __init__(self) -> None:
        self._days: list[int] = []
        self._sizes: list[int] = []
        self._pages: dict[str, list[NDArray[Any]]] = {}

    def write(self, day: int, customer: Whole, **columns: NDArray[Any]) -> None:
        """Add one event per entry of ``customer``, all on this day."""
        self._days.append(day)
        self._sizes.append(customer.size)
        for name, values in {"customer": customer, **columns}.items():
            self._pages.setdefault(name, []).append(values)

    def read(self) -> Table:
        """Every event in the order written: ``day``, ``customer`` and the columns of the pages."""
        day = np.repeat(np.asarray(self._days, dtype=np.int64), self._sizes)
        return {"day": day, **{name: np.concatenate(pages) for name, pages in self._pages.items()}}
