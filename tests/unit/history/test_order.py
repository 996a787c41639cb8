"""The order that everything later relies on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.history.sorting import by_customer_and_time, tally, ties

FIRST, STOP = 3, 9
ROWS = st.lists(
    st.tuples(st.integers(FIRST, STOP - 1), st.integers(-3, 3) | st.integers(-(2**61), 2**61), st.integers(0, 2)),
    max_size=300,
)


def columns(rows: list[tuple[int, int, int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Customers, times and known times as the database would hand them over."""
    customers, times, delays = (
        np.array(column, dtype=np.int64) for column in (zip(*rows, strict=True) if rows else [()] * 3)
    )
    return customers, times, times + delays


@settings(max_examples=200)
@given(rows=ROWS)
def test_rows_are_in_order_of_customer_time_and_known_time_and_ties_stay_as_they_came(
    rows: list[tuple[int, int, int]],
) -> None:
    """Python's own stable sort says what is right; a customer without rows has an empty range."""
    customers, times, known = columns(rows)
    order, ordered, starts = by_customer_and_time(customers, times, known, FIRST, STOP)
    assert order.tolist() == sorted(range(len(rows)), key=lambda j: (customers[j], times[j], known[j]))
    assert ordered.tolist() == times[order].tolist()
    assert np.diff(starts).tolist() == [int((customers == k).sum()) for k in range(FIRST, STOP)]


@pytest.mark.parametrize("rows", [24, 25, 48, 49, 1000, 5000])
@pytest.mark.parametrize("shape", ["random", "falling", "rising", "equal"])
def test_a_customer_with_many_events_is_sorted_too(rows: int, shape: str) -> None:
    """Short runs are sorted by insertion, long ones by merging; the seams are where a mistake would hide."""
    times = {
        "random": np.random.default_rng(rows).integers(0, 500, rows),
        "falling": np.arange(rows, 0, -1),
        "rising": np.arange(rows),
        "equal": np.zeros(rows, dtype=np.int64),
    }[shape]
    known = times + np.random.default_rng(1).integers(0, 9, rows)
    order, _, _ = by_customer_and_time(np.zeros(rows, dtype=np.int64), times, known, 0, 1)
    assert order.tolist() == np.lexsort((known, times)).tolist()


def test_ties_are_groups_of_one_customer() -> None:
    """Two customers who did something at the same moment are no tie."""
    times, known = np.array([1, 1, 2, 2, 2, 2, 3]), np.array([1, 1, 2, 5, 5, 5, 3])
    assert ties(times, known, np.array([0, 1, 5, 7])).tolist() == [-1, -1, -1, 0, 0, -1, -1]


def test_a_tally_goes_on_where_it_stands() -> None:
    """Batches of rows come one after the other."""
    events = np.zeros(4, dtype=np.int64)
    tally(np.array([0, 3, 3]), events)
    tally(np.array([3, 1]), events)
    assert events.tolist() == [1, 1, 0, 3]
