"""Events in the order in which everything later reads them: by customer, time, known time, and then every column.

Customers are dense codes, so one count puts each row with its customer; what is left is to sort the few rows of each by
time, which costs a fraction of a general sort. Rows that agree in all that matters are settled by the caller: see
:func:`ties`.
"""

from __future__ import annotations

import numpy as np

from holdfast.history.arrays import Indices
from holdfast.history.compiling import compiled
from holdfast.timeline import Instants

_FEW = 16  # up to so many rows, insertion sorts fastest
_TIME, _ROW = 0, 1


@compiled
def tally(customers: Indices, events: Indices) -> None:
    """Add one to ``events[k]`` for each row of customer k."""
    for j in range(customers.size):
        events[customers[j]] += 1


@compiled
def by_customer_and_time(
    customers: Indices, times: Instants, known: Instants, first: int, stop: int
) -> tuple[Indices, Instants, Indices]:
    """How to order the rows of customers ``first`` up to but without ``stop``.

    Returns
    -------
    rows : array of shape (n_rows,)
        Indices of the rows in order of customer, time and known time; what agrees in all three stays as it came.
    times : array of shape (n_rows,)
        The times in that order.
    starts : array of shape (stop - first + 1,)
        The k-th customer's rows are ``rows[starts[k]:starts[k + 1]]``.
    """
    n = customers.size
    starts = np.zeros(stop - first + 1, dtype=np.int64)
    for j in range(n):
        starts[customers[j] - first + 1] += 1
    for k in range(stop - first):
        starts[k + 1] += starts[k]
    pairs, free = np.empty((n, 2), dtype=np.int64), starts[:-1].copy()  # time and row side by side: one place to write
    for j in range(n):
        k = customers[j] - first
        pairs[free[k], _TIME], pairs[free[k], _ROW] = times[j], j
        free[k] += 1
    most = 0
    for k in range(stop - first):
        most = max(most, starts[k + 1] - starts[k])
    spare, edges = np.empty((most, 2), dtype=np.int64), np.empty(most + 1, dtype=np.int64)
    for k in range(stop - first):
        mine = pairs[starts[k] : starts[k + 1]]
        _sort(mine, spare, edges)
        in_order = True
        for j in range(1, mine.shape[0]):
            tied = mine[j, _TIME] == mine[j - 1, _TIME]
            in_order &= not tied or known[mine[j, _ROW]] >= known[mine[j - 1, _ROW]]
        if not in_order:  # equal times, learnt of in another order: sort by known time, then again by time
            for keys in (known, times):
                for j in range(mine.shape[0]):
                    mine[j, _TIME] = keys[mine[j, _ROW]]
                _sort(mine, spare, edges)
    return pairs[:, _ROW].copy(), pairs[:, _TIME].copy(), starts


@compiled
def _sort(pairs: Indices, spare: Indices, edges: Indices) -> None:
    """Sort by time, equal ones as they came.

    Times are spread over as many slots as there are rows, by how far they lie from the first to the last; a slot holds
    few, where they are spread evenly, and is sorted by itself.
    """
    n = pairs.shape[0]
    low = high = pairs[0, _TIME] if n else 0
    rising = True
    for j in range(1, n):
        low, high = min(low, pairs[j, _TIME]), max(high, pairs[j, _TIME])
        rising &= pairs[j - 1, _TIME] <= pairs[j, _TIME]
    if rising:
        return
    if n <= _FEW:
        _insert(pairs)
        return
    slots = (n - 1) / float(high - low)
    edges[: n + 1] = 0
    for j in range(n):
        edges[int((pairs[j, _TIME] - low) * slots) + 1] += 1
    for slot in range(n):
        edges[slot + 1] += edges[slot]
    for j in range(n):
        slot = int((pairs[j, _TIME] - low) * slots)
        spare[edges[slot], _TIME], spare[edges[slot], _ROW] = pairs[j, _TIME], pairs[j, _ROW]
        edges[slot] += 1  # from the slot's begin to its end
    pairs[:] = spare[:n]
    begin = 0
    for slot in range(n):
        if edges[slot] - begin > 1:
            _merge(pairs[begin : edges[slot]], spare)
        begin = edges[slot]


@compiled
def _insert(pairs: Indices) -> None:
    """Sort a few."""
    for j in range(1, pairs.shape[0]):
        time, row, i = pairs[j, _TIME], pairs[j, _ROW], j
        while i > 0 and pairs[i - 1, _TIME] > time:
            pairs[i, _TIME], pairs[i, _ROW] = pairs[i - 1, _TIME], pairs[i - 1, _ROW]
            i -= 1
        pairs[i, _TIME], pairs[i, _ROW] = time, row


@compiled
def _merge(pairs: Indices, spare: Indices) -> None:
    """Sort any number: insertion in short runs, then merges of ever longer ones."""
    n = pairs.shape[0]
    for begin in range(0, n, _FEW):
        _insert(pairs[begin : begin + _FEW])
    width = _FEW
    while width < n:
        for begin in range(0, n - width, 2 * width):
            middle, end = begin + width, min(begin + 2 * width, n)
            spare[:width] = pairs[begin:middle]
            left, right, i = 0, middle, begin
            while left < width:
                if right < end and pairs[right, _TIME] < spare[left, _TIME]:
                    pairs[i] = pairs[right]
                    right += 1
                else:
                    pairs[i] = spare[left]
                    left += 1
                i += 1
        width *= 2


@compiled
def ties(times: Instants, known: Instants, starts: Indices) -> Indices:
    """For each ordered row the number of its group of equal customer, time and known time; -1 if alone."""
    group = np.full(times.size, -1, dtype=np.int64)
    groups = 0
    for k in range(starts.size - 1):
        for j in range(starts[k] + 1, starts[k + 1]):
            if times[j] == times[j - 1] and known[j] == known[j - 1]:
                if group[j - 1] < 0:
                    group[j - 1] = groups
                    groups += 1
                group[j] = group[j - 1]
    return group
