"""Levels that events raise and lower, such as running contracts and their monthly revenue: what labels ask of them."""

from __future__ import annotations

import math

import numpy as np

from holdfast.history.arrays import Indices, Numbers
from holdfast.history.compiling import compiled
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY
from holdfast.timeline import Instants


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
def days_until_end(
    deltas: Numbers, times: Instants, first: Indices, stop: Indices, begins: Instants, ends: Instants, grace: int
) -> Numbers:
    """Days from ``begin`` until a level that events raise and lower falls to 0 and stays there through the grace.

    Infinite if it does not within ``[begin, end)``, NaN where the level is already 0 when the window begins. Changes at
    the same moment count together, so a contract that is replaced by another has not ended. ``first[i]:stop[i]`` are
    all events of the customer, past and future.
    """
    out = np.full(first.size, np.inf)
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
            out[i] = (fell_at - begins[i]) / DAY
    return out
