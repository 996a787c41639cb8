"""Events in the order in which everything later reads them: by customer, time, known time, and then every column.

Customers are dense codes, so one count puts each row with its customer; what is left is to sort the few rows of each by
time, which costs a fraction of a general sort. Rows that agree in all that matters are settled by the caller: see
:func:`ties`.
"""

from __future__ import annotations

import numpy as np

from holdfast.history.arrays import Indices
from holdfast.history.running import compiled
from holdfast.timeline import Instants

_FEW = 24  # up to so many rows, insertion sorts fastest


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
    rows, at, free = np.empty(n, dtype=np.int64), np.empty(n, dtype=np.int64), starts[:-1].copy()
    for j in range(n):
        k = customers[j] - first
        rows[free[k]], at[free[k]] = j, times[j]
        free[k] += 1
    spare_rows, spare_at = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    for k in range(stop - first):
        lo, hi = starts[k], starts[k + 1]
        if hi - lo > spare_rows.size:
            spare_rows, spare_at = np.empty(2 * (hi - lo), dtype=np.int64), np.empty(2 * (hi - lo), dtype=np.int64)
        _sort(rows[lo:hi], at[lo:hi], spare_rows, spare_at)
        in_order = True
        for j in range(lo + 1, hi):
            in_order &= at[j] > at[j - 1] or known[rows[j]] >= known[rows[j - 1]]
        if not in_order:  # equal times, learnt of in another order: sort by known time, then again by time
            for keys in (known, times):
                for j in range(lo, hi):
                    at[j] = keys[rows[j]]
                _sort(rows[lo:hi], at[lo:hi], spare_rows, spare_at)
    return rows, at, starts


@compiled
def _sort(rows: Indices, at: Instants, spare_rows: Indices, spare_at: Instants) -> None:
    """Sort ``rows`` by ``at``, equal ones as they came: insertion in short runs, then merges of ever longer ones."""
    n = rows.size
    for begin in range(0, n, _FEW):
        for j in range(begin + 1, min(begin + _FEW, n)):
            row, time, i = rows[j], at[j], j
            while i > begin and at[i - 1] > time:
                rows[i], at[i] = rows[i - 1], at[i - 1]
                i -= 1
            rows[i], at[i] = row, time
    width = _FEW
    while width < n:
        for begin in range(0, n - width, 2 * width):
            middle, end = begin + width, min(begin + 2 * width, n)
            if at[middle - 1] <= at[middle]:
                continue
            for j in range(begin, middle):
                spare_rows[j - begin], spare_at[j - begin] = rows[j], at[j]
            left, right, size, i = 0, middle, width, begin
            while left < size:
                if right < end and at[right] < spare_at[left]:
                    rows[i], at[i] = rows[right], at[right]
                    right += 1
                else:
                    rows[i], at[i] = spare_rows[left], spare_at[left]
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
