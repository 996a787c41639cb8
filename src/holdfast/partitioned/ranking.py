"""The exact k-th largest number of a table in parts, found from counts alone.

A finite float64, read as a whole number whose order is that of the floats, has 64 bits. Counting rows by their first
sixteen bits tells in which bin the k-th largest lies; counting that bin's rows by the next twelve bits narrows it,
until the bin holds so few rows that one count of all their bits ends the search, after five counts at the latest. Each
count is a small table, however many rows there are.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.partitioned.protocol import Parts

Values = Callable[[pd.DataFrame], NDArray[np.float64]]
"""From rows to the finite numbers to rank, as many as the function likes."""

FEW = 10_000
_ALL = 2**64 - 1
_SIGN = np.uint64(1 << 63)


@dataclass(frozen=True)
class Place:
    """A number, and how many are larger and how many equal."""

    value: float
    larger: int
    equal: int


def kth_largest(parts: Parts, values: Values, k: int, *, reads: Sequence[str]) -> Place:
    """The k-th largest of the values of all rows; there must be at least k, and k at least 1.

    Parameters
    ----------
    values : callable
        Picklable.
    reads : sequence of str
        The columns that it sees.
    """
    known, open_bits, larger, equal = 0, 64, 0, parts.count()
    while open_bits:
        left = 0 if equal <= FEW else open_bits - (16 if open_bits == 64 else 12)
        counts = parts.tally(_Bins(values, None if open_bits == 64 else (open_bits, known), left), reads=reads)
        bins = {key & _ALL: count for key, count in counts.items()}  # keys are signed, bits are not
        for bin_ in sorted(bins, reverse=True):
            known, equal = bin_, bins[bin_]
            if larger + equal >= k:
                break
            larger += equal
        open_bits = left
    return Place(_float(known), larger, equal)


@dataclass(frozen=True)
class _Bins:
    """The leading bits of each value, among those whose first bits are known."""

    values: Values
    known: tuple[int, int] | None
    shift: int

    def __call__(self, frame: pd.DataFrame) -> NDArray[np.int64]:
        ordered = _ordered(self.values(frame))
        if self.known is not None:
            shift, bits = self.known
            ordered = ordered[(ordered >> np.uint64(shift)) == np.uint64(bits)]
        return (ordered >> np.uint64(self.shift)).view(np.int64)


def _ordered(values: NDArray[np.float64]) -> NDArray[np.uint64]:
    """Whole numbers in the order of the floats; -0.0 counts as 0.0."""
    bits = (np.asarray(values, dtype=np.float64) + 0.0).view(np.uint64)
    return np.where(bits & _SIGN, ~bits, bits | _SIGN)


def _float(ordered: int) -> float:
    bits = ordered & ~(1 << 63) if ordered >> 63 else ~ordered & _ALL
    return float(np.array([bits], dtype=np.uint64).view(np.float64)[0])
