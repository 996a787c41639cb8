"""The compiled loops: one small function per aggregate, each a walk over snapshots.

Snapshot i looks at rows ``lo[i]:hi[i]`` of a stream, sorted by time. Each function answers one float64 per snapshot,
NaN where the range holds nothing to answer from. A NaN value is a value that an event does not have; it is passed over.
Where ``running`` has prepared the rows, an answer costs two look-ups, however long the window is.
"""

from __future__ import annotations

import math

import numpy as np

from holdfast.history.arrays import Indices, Numbers
from holdfast.history.compiling import compiled
from holdfast.history.prefix_sums import PLACES
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY
from holdfast.timeline import Instants

_WHOLE = int(PLACES)
_FULL = 2.0**62  # a sum of thousandths below this fits in 64 bits for certain
_EXACT = 2**53  # whole numbers up to this are doubles


@compiled
def filled(values: Numbers, empty: float) -> Numbers:
    """The values with ``empty`` in the place of NaN, and 0.0 in that of -0.0, which reads as "-0 %"."""
    out = np.empty(values.size)
    for i in range(values.size):
        out[i] = (empty if math.isnan(values[i]) else values[i]) + 0.0
    return out


@compiled
def quotient(above: Numbers, below: Numbers) -> Numbers:
    """``above / below``; NaN where the divisor is NaN, 0 or so small that the answer is no number."""
    out = np.full(above.size, np.nan)
    for i in range(above.size):
        if below[i] != 0:
            ratio = above[i] / below[i]
            if not math.isinf(ratio):
                out[i] = ratio
    return out


@compiled
def length(lo: Indices, hi: Indices) -> Numbers:
    """Number of events."""
    out = np.empty(lo.size)
    for i in range(lo.size):
        out[i] = hi[i] - lo[i]
    return out


@compiled
def _two_sum(one: float, other: float) -> tuple[float, float]:
    """The rounded sum of two numbers and what the rounding lost (Knuth 1969)."""
    both = one + other
    back = both - one
    return both, (one - (both - back)) + (other - back)


@compiled
def _summed(thousandths: Indices, rest: Numbers, largest: int, lo: int, hi: int) -> float:
    """The sum of rows ``lo:hi``: exact for decimals, compensated (Neumaier 1974, doi:10.1002/zamm.19740540106) else."""
    fits = (hi - lo) * float(largest) < _FULL
    if not fits:  # by the rows themselves, since a neighbour's large value must not change the answer's last bit
        here = np.int64(0)
        for j in range(lo, hi):
            here = max(here, np.int64(abs(thousandths[j + 1] - thousandths[j])))
        fits = (hi - lo) * float(here) < _FULL
    whole = thousandths[hi] - thousandths[lo] if fits else 0
    added = lost = 0.0
    if rest.size > 0 or not fits:
        for j in range(lo, hi):
            value = rest[j] if rest.size > 0 else 0.0
            if not fits:
                value += (thousandths[j + 1] - thousandths[j]) / PLACES
            added, error = _two_sum(added, value)
            lost += error
    if added == 0 and lost == 0 and abs(whole) <= _EXACT:
        return whole / PLACES
    added, error = _two_sum(float(whole // _WHOLE), added)
    return added + (error + lost + (whole % _WHOLE) / PLACES)


@compiled
def total(thousandths: Indices, rest: Numbers, present: Indices, largest: int, lo: Indices, hi: Indices) -> Numbers:
    """Sum of the values; 0 where there are none."""
    out = np.empty(lo.size)
    if rest.size == 0 and thousandths.size * float(largest) <= _EXACT:  # so is every sum, without a look at each
        for i in range(lo.size):
            out[i] = (thousandths[hi[i]] - thousandths[lo[i]]) / PLACES
    else:
        for i in range(lo.size):
            out[i] = _summed(thousandths, rest, largest, lo[i], hi[i])
    return out


@compiled
def mean(thousandths: Indices, rest: Numbers, present: Indices, largest: int, lo: Indices, hi: Indices) -> Numbers:
    """Arithmetic mean."""
    out = total(thousandths, rest, present, largest, lo, hi)
    for i in range(lo.size):
        values = present[hi[i]] - present[lo[i]]
        out[i] = out[i] / values if values > 0 else np.nan
    return out


@compiled
def deviation(values: Numbers, means: Numbers, present: Indices, lo: Indices, hi: Indices) -> Numbers:
    """Standard deviation of the sample around its mean, with n - 1; NaN below two values."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        n = present[hi[i]] - present[lo[i]]
        if n > 1:
            centre, squares = means[i], 0.0
            for j in range(lo[i], hi[i]):
                if not math.isnan(values[j]):
                    squares += (values[j] - centre) ** 2
            out[i] = math.sqrt(squares / (n - 1))
    return out


@compiled
def smallest(values: Numbers, lo: Indices, hi: Indices) -> Numbers:
    """Minimum."""
    out = np.empty(lo.size)
    for i in range(lo.size):
        found = np.nan
        for j in range(lo[i], hi[i]):
            if not found <= values[j] and not math.isnan(values[j]):
                found = values[j]
        out[i] = found
    return out


@compiled
def largest(values: Numbers, lo: Indices, hi: Indices) -> Numbers:
    """Maximum."""
    out = np.empty(lo.size)
    for i in range(lo.size):
        found = np.nan
        for j in range(lo[i], hi[i]):
            if not found >= values[j] and not math.isnan(values[j]):
                found = values[j]
        out[i] = found
    return out


@compiled
def earliest(values: Numbers, lo: Indices, hi: Indices) -> Numbers:
    """Value of the first event that has one."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        for j in range(lo[i], hi[i]):
            if not math.isnan(values[j]):
                out[i] = values[j]
                break
    return out


@compiled
def latest(values: Numbers, lo: Indices, hi: Indices) -> Numbers:
    """Value of the last event that has one."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        for j in range(hi[i] - 1, lo[i] - 1, -1):
            if not math.isnan(values[j]):
                out[i] = values[j]
                break
    return out


@compiled
def change(values: Numbers, lo: Indices, hi: Indices) -> Numbers:
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
def distinct(previous: Indices, lo: Indices, hi: Indices) -> Numbers:
    """Number of different values: of the rows whose value no earlier row of the window has."""
    out = np.zeros(lo.size)
    for i in range(lo.size):
        for j in range(lo[i], hi[i]):
            out[i] += previous[j] < lo[i]
    return out


@compiled
def entropy(codes: Indices, levels: int, lo: Indices, hi: Indices) -> Numbers:
    """Shannon entropy in bits of the levels' shares: 0 if all are one, log2(k) if k levels are equally common."""
    out, seen = np.full(lo.size, np.nan), np.zeros(levels, dtype=np.int64)
    for i in range(lo.size):
        present = 0
        for j in range(lo[i], hi[i]):
            if codes[j] >= 0:
                seen[codes[j]] += 1
                present += 1
        if present > 0:
            out[i] = 0.0
            for j in range(lo[i], hi[i]):
                if codes[j] >= 0 and seen[codes[j]] > 0:
                    share = seen[codes[j]] / present
                    out[i] -= share * math.log2(share)
                    seen[codes[j]] = 0
    return out


@compiled
def days_since_last(times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Days from the last event to the cutoff."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        if hi[i] > lo[i]:
            out[i] = (cutoffs[i] - times[hi[i] - 1]) / DAY
    return out


@compiled
def days_since_first(times: Instants, lo: Indices, hi: Indices, cutoffs: Instants) -> Numbers:
    """Days from the first event to the cutoff."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        if hi[i] > lo[i]:
            out[i] = (cutoffs[i] - times[lo[i]]) / DAY
    return out


@compiled
def distinct_days(changes: Indices, lo: Indices, hi: Indices) -> Numbers:
    """Number of different calendar days (UTC) with an event."""
    out = np.zeros(lo.size)
    for i in range(lo.size):
        if hi[i] > lo[i]:
            out[i] = changes[hi[i] - 1] - changes[lo[i]] + 1
    return out


@compiled
def mean_gap(times: Instants, changes: Indices, lo: Indices, hi: Indices) -> Numbers:
    """Mean number of days between the calendar days (UTC) with an event; NaN below two such days."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        if hi[i] > lo[i]:
            gaps = changes[hi[i] - 1] - changes[lo[i]]
            if gaps > 0:
                out[i] = (times[hi[i] - 1] // DAY - times[lo[i]] // DAY) / gaps
    return out


@compiled
def gap_deviation(times: Instants, changes: Indices, squares: Indices, lo: Indices, hi: Indices) -> Numbers:
    """Standard deviation of the days between the calendar days (UTC) with an event; NaN below two gaps.

    The variance is (n Σ gap² - (Σ gap)²) / (n (n - 1)), and its parts are whole numbers.
    """
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        if hi[i] > lo[i]:
            gaps = changes[hi[i] - 1] - changes[lo[i]]
            if gaps > 1:
                days = times[hi[i] - 1] // DAY - times[lo[i]] // DAY
                squared = squares[hi[i] - 1] - squares[lo[i]]
                out[i] = math.sqrt((gaps * squared - days * days) / (gaps * (gaps - 1)))
    return out


@compiled
def last_gap(times: Instants, begins: Indices, lo: Indices, hi: Indices) -> Numbers:
    """Days between the last two calendar days (UTC) with an event; NaN below two."""
    out = np.full(lo.size, np.nan)
    for i in range(lo.size):
        if hi[i] > lo[i]:
            begin = begins[hi[i] - 1]
            if begin > lo[i]:
                out[i] = times[begin] // DAY - times[begin - 1] // DAY
    return out
