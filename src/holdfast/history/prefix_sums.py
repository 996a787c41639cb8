"""What each row knows of the rows before it, computed once: with it, a window of any length is answered at its edges.

A sum over rows ``lo:hi`` is the difference of two running sums, and so are the number of days and the squares of gaps.
All of them are whole numbers, so differences are exact; where they pass the edge of 64 bits they wrap around, and the
difference is exact all the same. Rows of different customers may follow each other: no window spans two of them.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from holdfast.history.arrays import Indices, Numbers
from holdfast.history.compiling import compiled
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY
from holdfast.timeline import Instants

PLACES = 1000.0
"""Values are counted in thousandths: cents, and currencies of three decimals."""

_LARGEST = 2.0**51  # up to here a double times PLACES rounds to the thousandth that was written
_MOST_LEVELS = 2**20


class Sums(NamedTuple):
    """A column made ready for exact sums.

    Attributes
    ----------
    thousandths : array of shape (n_rows + 1,)
        Running sum of the values that are decimals of at most three places; the others count as 0 here.
    rest : array of shape (n_rows,), or empty
        The values that are no such decimals, 0 elsewhere; empty where every value is one.
    present : array of shape (n_rows + 1,)
        Running number of values that are there, that is, not NaN.
    largest : int
        The largest absolute value of a row in thousandths; tells whether a sum of n rows fits in 64 bits.
    """

    thousandths: Indices
    rest: Numbers
    present: Indices
    largest: int


def sums(values: Numbers) -> Sums:
    """The column made ready for sums."""
    return Sums(*_sums(values))


@compiled
def _sums(values: Numbers) -> tuple[Indices, Numbers, Indices, int]:
    n = values.size
    thousandths, plain, greatest = np.zeros(n + 1, dtype=np.int64), True, 0.0
    for j in range(n):  # first without a branch, since all values are decimals as a rule
        whole = np.rint(values[j] * PLACES)
        plain &= (whole / PLACES == values[j]) & (abs(whole) <= _LARGEST)
        greatest = max(greatest, abs(whole))
        thousandths[j + 1] = np.int64(whole)
    present = np.arange(n + 1)
    if plain:
        for j in range(n):
            thousandths[j + 1] += thousandths[j]
        return thousandths, np.empty(0), present, int(greatest)
    rest, largest, others = np.zeros(n), np.int64(0), 0
    for j in range(n):
        value = values[j]
        thousandths[j + 1], present[j + 1] = thousandths[j], present[j]
        if not math.isnan(value):
            present[j + 1] += 1
            whole = np.rint(value * PLACES)
            if abs(whole) <= _LARGEST and whole / PLACES == value:
                thousandths[j + 1] += np.int64(whole)
                largest = max(largest, np.int64(abs(whole)))
            else:
                rest[j] = value
                others += 1
    return thousandths, rest if others else np.empty(0), present, int(largest)


@compiled
def day_changes(times: Instants) -> Indices:
    """How often the calendar day (UTC) has changed from one row to the next, up to and with each row."""
    out = np.zeros(times.size, dtype=np.int64)
    for j in range(1, times.size):
        out[j] = out[j - 1] + (times[j] // DAY != times[j - 1] // DAY)
    return out


@compiled
def squared_gaps(times: Instants) -> Indices:
    """Running sum of the squared days between one row's calendar day (UTC) and that of the row before."""
    out = np.zeros(times.size, dtype=np.int64)
    for j in range(1, times.size):
        gap = times[j] // DAY - times[j - 1] // DAY
        out[j] = out[j - 1] + gap * gap
    return out


@compiled
def day_begins(times: Instants) -> Indices:
    """Index of the first of the rows in line that share the calendar day (UTC) of each row."""
    out = np.zeros(times.size, dtype=np.int64)
    for j in range(1, times.size):
        out[j] = out[j - 1] if times[j] // DAY == times[j - 1] // DAY else j
    return out


def codes(values: Numbers) -> tuple[Indices, int]:
    """Each row's value as a small whole number, -1 for NaN, and how many there may be of them.

    The indices of a category's levels are such numbers already.
    """
    present = ~np.isnan(values)
    there = values[present]
    if there.size and (there.min() < 0 or there.max() > _MOST_LEVELS or (there != np.floor(there)).any()):
        there = np.unique(there, return_inverse=True)[1].astype(np.float64)
    coded = np.full(values.size, -1, dtype=np.int64)
    coded[present] = there
    return coded, int(coded.max(initial=-1)) + 1


def previous(values: Numbers) -> Indices:
    """Index of the row before that has the same value, of whichever customer; -1 for none, and for NaN the row's own.

    A value is new in a window if the row before that has it lies before the window; a row that points to itself is
    never new.
    """
    return _previous(*codes(values))


@compiled
def _previous(codes: Indices, levels: int) -> Indices:
    latest, out = np.full(levels, -1, dtype=np.int64), np.empty(codes.size, dtype=np.int64)
    for j in range(codes.size):
        code = codes[j]
        if code < 0:
            out[j] = j
        else:
            out[j] = latest[code]
            latest[code] = j
    return out
