"""Conditions on the columns of events: which rows count."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from holdfast.history.arrays import Mask, Numbers


class Columned(Protocol):
    """Rows of numbers and categories."""

    @property
    def columns(self) -> Mapping[str, Numbers]:
        """Numbers as they are, categories as the index of their level; NaN where there is none."""

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """The sorted texts of a category column."""


@dataclass(frozen=True)
class Where:
    """A condition on one column: ``Where("kind", "==", "visit")``, ``Where("amount", ">=", 0.0)``.

    The tests are ``==``, ``>=``, ``>``, ``<`` and ``<=``; texts compare in their sorted order. A missing value, or a
    text that no event has, satisfies no condition. ``Where(…) & Where(…)`` asks for both.
    """

    column: str
    test: str
    value: float | str

    def __post_init__(self) -> None:
        if self.test not in _TESTS:
            raise ValueError(f"Wanted one of {' '.join(_TESTS)} to test {self.column!r} with, found {self.test!r}.")

    def __and__(self, other: Condition) -> All:
        return All((self,)) & other

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the condition reads."""
        return frozenset({self.column})

    def rows(self, of: Columned) -> Mask:
        """Which of the rows satisfy it."""
        wanted: float
        if isinstance(self.value, str):
            levels = of.levels.get(self.column, ())
            wanted = levels.index(self.value) if self.value in levels else np.nan
        else:
            wanted = self.value
        return _TESTS[self.test](of.columns[self.column], wanted)


@dataclass(frozen=True)
class OneOf:
    """A category column holds one of these texts."""

    column: str
    values: tuple[str, ...]

    def __and__(self, other: Condition) -> All:
        return All((self,)) & other

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the condition reads."""
        return frozenset({self.column})

    def rows(self, of: Columned) -> Mask:
        """Which of the rows satisfy it."""
        wanted = [place for place, text in enumerate(of.levels.get(self.column, ())) if text in self.values]
        return np.isin(of.columns[self.column], wanted)


@dataclass(frozen=True)
class All:
    """Several conditions at once, one at least."""

    parts: tuple[Where | OneOf, ...]

    def __and__(self, other: Condition) -> All:
        return All(self.parts + (other.parts if isinstance(other, All) else (other,)))

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the conditions read."""
        return frozenset(part.column for part in self.parts)

    def rows(self, of: Columned) -> Mask:
        """Which of the rows satisfy all of them."""
        satisfied: Mask = np.logical_and.reduce([part.rows(of) for part in self.parts])
        return satisfied


Condition = Where | OneOf | All

_TESTS: dict[str, Callable[[Numbers, float], Mask]] = {
    "==": np.equal,
    ">=": np.greater_equal,
    ">": np.greater,
    "<": np.less,
    "<=": np.less_equal,
}
