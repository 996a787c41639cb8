"""Events in order of time, and what has been found out about them, whoever asks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from holdfast.history.arrays import Indices, Numbers
from holdfast.history.conditions import Condition
from holdfast.timeline import Instants

T = TypeVar("T")


class Rows:
    """Events in order of time.

    Attributes
    ----------
    times : array of shape (n_rows,)
    columns : mapping of name to array of shape (n_rows,)
    levels : mapping of name to the sorted texts of a category column
    """

    def __init__(self, times: Instants, columns: Mapping[str, Numbers], levels: Mapping[str, tuple[str, ...]]) -> None:
        self.times, self.columns, self.levels = times, columns, levels
        self._prepared: dict[tuple[object, str | None], Any] = {}
        self._parts: dict[Condition, tuple[Rows, Indices]] = {}

    def prepared(self, prepare: Callable[[Any], T], column: str | None = None) -> T:
        """What ``prepare`` makes of a column, or of the times; computed once."""
        if (prepare, column) not in self._prepared:
            self._prepared[prepare, column] = prepare(self.times if column is None else self.columns[column])
        found: T = self._prepared[prepare, column]
        return found

    def only(self, where: Condition) -> tuple[Rows, Indices]:
        """The rows that satisfy the condition, and how many of them lie before each of these rows; found once."""
        if where not in self._parts:
            keep = where.rows(self)
            place, rows = np.concatenate(([0], np.cumsum(keep))), np.flatnonzero(keep)
            columns = Chosen(self.columns, lambda values: values.take(rows))
            self._parts[where] = Rows(self.times.take(rows), columns, self.levels), place
        return self._parts[where]


class Chosen(Mapping[str, Numbers]):
    """Some rows of some columns, each picked when it is first asked for: most columns of most parts never are."""

    def __init__(self, columns: Mapping[str, Numbers], pick: Callable[[Numbers], Numbers]) -> None:
        self._columns, self._pick = columns, pick
        self._picked: dict[str, Numbers] = {}

    def __getitem__(self, name: str) -> Numbers:
        if name not in self._picked:
            self._picked[name] = self._pick(self._columns[name])
        return self._picked[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)
