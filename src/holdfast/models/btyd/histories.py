"""Purchase histories as three numbers a customer, checked, and equal ones counted once.

A customer-base model sees of a customer only::

    repeats   purchases after the first one, several on one day counted once     (x in the papers)
    last      age at the last purchase, 0 where the first was the last           (t_x)
    age       time since the first purchase                                      (T)

``last`` and ``age`` are in one unit of time, which is then the unit of the model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from holdfast.models.checks import InputError, Vector

CHUNK = 1024
"""Rows that are worked on at once: what one step writes is still in the processor's cache at the next."""

_MOST_AGES = 100


@dataclass(frozen=True)
class Histories:
    """Distinct histories, sorted, with how many customers have each.

    ``bought_within`` says that the customers were chosen because their last purchase is not longer ago than that. Who
    has gone silent is missing then, and a likelihood that knew nothing of the choice would see nobody leave.
    """

    repeats: Vector
    last: Vector
    age: Vector
    weight: Vector
    bought_within: float | None = None

    @classmethod
    def of(
        cls,
        repeats: ArrayLike,
        last: ArrayLike,
        age: ArrayLike,
        weight: ArrayLike | None = None,
        *,
        bought_within: float | None = None,
    ) -> Histories:
        """Count equal rows; the weight of a row says how many customers it stands for.

        Raises
        ------
        InputError
            No row of positive weight, a negative or missing number, ``last`` after ``age``, or a last purchase longer
            ago than ``bought_within``.
        """
        columns = checked(repeats, last, age)
        if bought_within is not None and not bought_lately(columns[1], columns[2], bought_within).all():
            raise InputError(f"Wanted only customers who bought within {bought_within:g}; found others.")
        some = np.ones(len(columns[0])) if weight is None else np.asarray(weight, dtype=np.float64)
        if some.shape != columns[0].shape or not (np.isfinite(some) & (some >= 0)).all():
            raise InputError("Wanted one weight for each customer, finite and not below 0; found other weights.")
        x, t, T, w = counted(columns, some)
        return cls(x, t, T, w, bought_within)

    def __len__(self) -> int:
        return len(self.weight)

    def part(self, rows: slice) -> Histories:
        """Some of the rows."""
        return Histories(self.repeats[rows], self.last[rows], self.age[rows], self.weight[rows], self.bought_within)

    def chunks(self) -> Iterator[Histories]:
        """All rows, a chunk at a time."""
        return (self.part(slice(at, at + CHUNK)) for at in range(0, len(self), CHUNK))

    @cached_property
    def chosen(self) -> tuple[Vector, Vector]:
        """Ages of customers who would be missing if they had gone silent early enough, and their weights.

        Of many ages, those that follow each other are one, their mean: the probability to be chosen hardly bends
        between them.
        """
        old = self.age > (np.inf if self.bought_within is None else self.bought_within)
        ages, row = np.unique(self.age[old], return_inverse=True)
        weight = np.bincount(row, self.weight[old], minlength=len(ages)).astype(np.float64)
        if len(ages) <= _MOST_AGES:
            return ages, weight
        starts = np.arange(_MOST_AGES) * len(ages) // _MOST_AGES
        together = np.add.reduceat(weight, starts)
        return np.add.reduceat(ages * weight, starts) / together, together


def counted(columns: tuple[Vector, ...], weight: Vector) -> tuple[Vector, ...]:
    """Distinct rows of positive weight, sorted by the first column first, and the sum of their weights."""
    there = weight > 0
    columns, weight = tuple(column[there] for column in columns), weight[there]
    if not len(weight):
        raise InputError("Wanted purchase histories to learn from, found no customer with a first purchase.")
    order = np.lexsort(columns[::-1])
    columns, weight = tuple(column[order] for column in columns), weight[order]
    new = np.ones(len(weight), dtype=bool)
    new[1:] = np.any([column[1:] != column[:-1] for column in columns], axis=0)
    starts = np.flatnonzero(new)
    return *(column[starts] for column in columns), np.add.reduceat(weight, starts)


def checked(repeats: ArrayLike, last: ArrayLike, age: ArrayLike) -> tuple[Vector, Vector, Vector]:
    """The three numbers as float arrays of one shape; ``last`` is 0 where nothing was repeated."""
    x, t, T = np.broadcast_arrays(*(np.asarray(values, dtype=np.float64) for values in (repeats, last, age)))
    if not (np.isfinite(x) & (x >= 0) & (x == np.floor(x))).all():
        raise InputError("Wanted whole numbers of repeat purchases, 0 or more; found others.")
    if not (np.isfinite(T) & (T >= 0) & (t >= 0) & (t <= T)).all():
        raise InputError("Wanted 0 <= age at the last purchase <= age, both finite; found others.")
    return x, np.where(x > 0, t, 0.0), T


def bought_lately(last: Vector, age: Vector, within: float) -> NDArray[np.bool_]:
    """Whether the last purchase is at most so long ago; a difference of ages may come out a rounding error above."""
    return age - last <= within * (1 + 1e-9)


def rowwise(function: Callable[..., Vector], *columns: Vector) -> Vector:
    """``function`` of rows, a chunk at a time; columns are broadcast against each other and give the shape."""
    same = np.broadcast_arrays(*columns)
    flat = [column.reshape(-1) for column in same]
    out = np.empty(flat[0].size)
    for at in range(0, out.size, CHUNK):
        out[at : at + CHUNK] = function(*(column[at : at + CHUNK] for column in flat))
    return out.reshape(same[0].shape)


class EqualRuns:
    """A column whose equal values mostly follow each other, so that a slow function is asked once a run."""

    def __init__(self, column: Vector) -> None:
        new = np.ones(len(column), dtype=bool)
        new[1:] = column[1:] != column[:-1]
        starts = np.flatnonzero(new)
        self.values = column[starts]
        self._lengths = np.diff(np.append(starts, len(column)))

    def spread(self, values: Vector) -> Vector:
        """One value a run, repeated over its rows."""
        return np.repeat(values, self._lengths)
