"""The compiled loops: one small function per aggregate, each over the same arguments.

``values`` and ``times`` are the columns of a stream; snapshot i looks at rows ``lo[i]:hi[i]``, sorted by time. Each
function answers one float64 per snapshot, NaN where the range holds nothing to answer from. A NaN value is a value that
an event does not have; it is passed over. Sums run in row order, so equal rows give equal bits.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar, cast

import numpy as np
from numba import njit

from holdfast.history.arrays import Indices, Numbers
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY
from holdfast.timeline import Instants

Loop = TypeVar("Loop", bound=Callable[..., object])


def compiled(loop: Loop) -> Loop:
    """Compile a loop once and keep the result beside the source file; it lets other threads run."""
    return cast(Loop, njit(cache=True, nogil=True, error_model="numpy")(loop))


@compiled
def positions(times: Instants, first: Indices, last: Indices, edges: Instants) -> Indices:
    """For each range ``first[i]:last[i]`` the index of the first row at or after ``edges[i]``."""
    found = np.empty(first.size, dtype=np.int64)
    for i in range(first.size):
        low, high, edge = first[i], last[i], edges[i]
        while low < high:
            middle = (low + high) // 2
            if times[middle] < edge:
                low = middle + 1
            else:
                high = middle
        found[i] = low
    return found


@compiled
def running_largest(values: Instants, starts: Indices) -> Instants:
    """For each row the largest value of the rows of the same customer up to it; customer k owns ``starts[k]`` on."""
    out = values.copy()
    for k in range(starts.size - 1):
        for j in range(starts[k] + 1, starts[k + 1]):
            out[j] = max(out[j], out[j - 1])
    return out


@compiled
def total(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Sum of the values; 0 where there are none."""
    out = np.zeros(lo.size)
    for i in range(lo.size):
        for j in range(lo[i], hi[i]):
            if not math.isnan(values[j]):
                out[i] += values[j]
    return out


@compiled
def mean(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Arithmetic mean."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        count, summed = 0, 0.0
        for j in range(lo[i], hi[i]):
            if not math.isnan(values[j]):
                count += 1
                summed += values[j]
        if count > 0:
            out[i] = summed / count
    return out


@compiled
def deviation(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Standard deviation of the sample, with n - 1; NaN below two values."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        count, summed = 0, 0.0
        for j in range(lo[i], hi[i]):
            if not math.isnan(values[j]):
                count += 1
                summed += values[j]
        if count > 1:
            centre, squares = summed / count, 0.0
            for j in range(lo[i], hi[i]):
                if not math.isnan(values[j]):
                    squares += (values[j] - centre) ** 2
            out[i] = math.sqrt(squares / (count - 1))
    return out


@compiled
def smallest(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Minimum."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        for j in range(lo[i], hi[i]):
            if not math.isnan(values[j]) and not out[i] <= values[j]:
                out[i] = values[j]
    return out


@compiled
def largest(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Maximum."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        for j in range(lo[i], hi[i]):
            if not math.isnan(values[j]) and not out[i] >= values[j]:
                out[i] = values[j]
    return out


@compiled
def earliest(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Value of the first event that has one."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        for j in range(lo[i], hi[i]):
            if not math.isnan(values[j]):
                out[i] = values[j]
                break
    return out


@compiled
def latest(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Value of the last event that has one."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        for j in range(hi[i] - 1, lo[i] - 1, -1):
            if not math.isnan(values[j]):
                out[i] = values[j]
                break
    return out


@compiled
def change(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Last value minus the value before it; NaN below two values."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        newest = np.nan
        for j in range(hi[i] - 1, lo[i] - 1, -1):
            if math.isnan(values[j]):
                continue
            if math.isnan(newest):
                newest = values[j]
            else:
                out[i] = newest - values[j]
                break
    return out


@compiled
def days_since_last(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Days from the last event to the cutoff."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        if hi[i] > lo[i]:
            out[i] = (cutoffs[i] - times[hi[i] - 1]) / DAY
    return out


@compiled
def days_since_first(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Days from the first event to the cutoff."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        if hi[i] > lo[i]:
            out[i] = (cutoffs[i] - times[lo[i]]) / DAY
    return out


@compiled
def distinct_days(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Number of different calendar days (UTC) with an event."""
    out = np.zeros(lo.size)
    for i in range(lo.size):
        for j in range(lo[i], hi[i]):
            if j == lo[i] or times[j] // DAY != times[j - 1] // DAY:
                out[i] += 1
    return out


@compiled
def distinct(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Number of different values."""
    out = np.zeros(lo.size)
    for i in range(lo.size):
        present = np.sort(values[lo[i] : hi[i]])
        for j in range(present.size):
            if not math.isnan(present[j]) and (j == 0 or present[j] != present[j - 1]):
                out[i] += 1
    return out


@compiled
def mean_gap(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Mean number of days between the calendar days (UTC) with an event; NaN below two such days."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        gaps = 0
        for j in range(lo[i] + 1, hi[i]):
            if times[j] // DAY > times[j - 1] // DAY:
                gaps += 1
        if gaps > 0:
            out[i] = (times[hi[i] - 1] // DAY - times[lo[i]] // DAY) / gaps
    return out


@compiled
def gap_deviation(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Standard deviation of the days between the calendar days (UTC) with an event; NaN below two gaps."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        gaps = 0
        for j in range(lo[i] + 1, hi[i]):
            if times[j] // DAY > times[j - 1] // DAY:
                gaps += 1
        if gaps > 1:
            centre, squares = (times[hi[i] - 1] // DAY - times[lo[i]] // DAY) / gaps, 0.0
            for j in range(lo[i] + 1, hi[i]):
                gap = times[j] // DAY - times[j - 1] // DAY
                if gap > 0:
                    squares += (gap - centre) ** 2
            out[i] = math.sqrt(squares / (gaps - 1))
    return out


@compiled
def last_gap(values: Numbers, times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Days between the last two calendar days (UTC) with an event; NaN below two."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        for j in range(hi[i] - 1, lo[i], -1):
            gap = times[j] // DAY - times[j - 1] // DAY
            if gap > 0:
                out[i] = gap
                break
    return out


@compiled
def level_days(values: Numbers, times: Instants, lo: Indices, hi: Indices, ends: Instants) -> Numbers:
    """Integral of a level that changes by ``values`` at ``times``: the sum of change × days left until the end."""
    out = np.zeros(lo.size)
    for i in range(lo.size):
        for j in range(lo[i], hi[i]):
            if not math.isnan(values[j]):
                out[i] += values[j] * ((ends[i] - times[j]) / DAY)
    return out


@compiled
def ends_for_good(
    deltas: Numbers,
    times: Instants,
    first: Indices,
    stop: Indices,
    begins: Instants,
    ends: Instants,
    grace: int,
) -> Numbers:
    """Whether a level that events raise and lower falls to 0 within ``[begin, end)`` and stays there through the grace.

    1 if it does, 0 if it does not, NaN where the level is already 0 when the window begins. Changes at the same moment
    count together, so a contract that is replaced by another has not ended. ``first[i]:stop[i]`` are all events of the
    customer, past and future.
    """
    out = np.zeros(first.size)
    for i in range(first.size):
        level, fallen, fell_at, j = 0.0, False, 0, first[i]
        while j < stop[i] and times[j] < begins[i]:
            level += deltas[j]
            j += 1
        if level <= 0:
            out[i] = np.nan
            continue
        while j < stop[i]:
            now = times[j]
            if now >= (fell_at + grace if fallen else ends[i]):
                break
            while j < stop[i] and times[j] == now:
                level += deltas[j]
                j += 1
            if level > 0:
                fallen = False
            elif not fallen:
                fallen, fell_at = True, now
        if fallen:
            out[i] = 1.0
    return out
