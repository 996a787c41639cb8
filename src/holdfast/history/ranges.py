"""Which rows a snapshot may look at: the searches behind ``stream``."""

from __future__ import annotations

import numpy as np

from holdfast.history.arrays import Indices, Mask
from holdfast.history.compiling import compiled
from holdfast.timeline import Instants


@compiled
def positions(times: Instants, first: Indices, last: Indices, cutoffs: Instants, offset: int) -> Indices:
    """For each range ``first[i]:last[i]`` the index of the first row at or after ``cutoffs[i] + offset``.

    A later edge over the same rows is looked for from where the earlier one was found, in growing steps: snapshots in
    the order of customers and cutoffs cost one walk over the rows.
    """
    found = np.empty(first.size, dtype=np.int64)
    for i in range(first.size):
        low, high, edge = first[i], last[i], cutoffs[i] + offset
        if i > 0 and low == first[i - 1] and cutoffs[i] >= cutoffs[i - 1]:
            low = min(max(low, found[i - 1]), high)
        step = 1
        while low < high and times[min(low + step, high) - 1] < edge:
            low, step = min(low + step, high), 2 * step
        high = min(low + step, high)
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
def late(known_until: Instants, first: Indices, last: Indices, cutoffs: Instants) -> Mask:
    """Which snapshots have rows that had happened before the cutoff and were not known before it."""
    out = np.zeros(first.size, dtype=np.bool_)
    for i in range(first.size):
        out[i] = last[i] > first[i] and known_until[last[i] - 1] >= cutoffs[i]
    return out


@compiled
def visible(known: Instants, first: Indices, last: Indices, cutoffs: Instants) -> tuple[Indices, Indices]:
    """The rows that each snapshot knows, one snapshot after the other, and where each begins among them."""
    begins = np.zeros(first.size + 1, dtype=np.int64)
    for i in range(first.size):
        begins[i + 1] = begins[i]
        for j in range(first[i], last[i]):
            begins[i + 1] += known[j] < cutoffs[i]
    rows, at = np.empty(begins[-1], dtype=np.int64), 0
    for i in range(first.size):
        for j in range(first[i], last[i]):
            if known[j] < cutoffs[i]:
                rows[at] = j
                at += 1
    return rows, begins
