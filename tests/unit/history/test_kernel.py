"""The compiled loops where twins would not look."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.history import kernel
from tests.strategies import DAY


def ends(*changes: tuple[float, float], begin: float = 0, end: float = 30, grace: float = 7, shift: int = 0) -> float:
    """Whether contracts that start and end at these days end for good in the window."""
    times = np.array([shift + round(day * DAY) for day, _ in changes], dtype=np.int64)
    deltas = np.array([delta for _, delta in changes])
    edges = (np.array([shift + round(day * DAY)]) for day in (begin, end))
    found = kernel.ends_for_good(deltas, times, np.array([0]), np.array([len(changes)]), *edges, round(grace * DAY))
    return float(found[0])


def test_a_contract_that_is_replaced_at_the_same_moment_has_not_ended() -> None:
    """A change of plan is stored as an end and a start; in whichever order, the customer stays."""
    assert ends((-100, 1), (10, -1), (10, 1)) == 0
    assert ends((-100, 1), (10, 1), (10, -1)) == 0


def test_an_end_is_churn_unless_a_start_follows_within_the_grace() -> None:
    """The grace is half-open as every window: a start when it is over comes too late."""
    assert ends((-100, 1), (10, -1), (16.9, 1)) == 0
    assert ends((-100, 1), (10, -1), (17, 1)) == 1


def test_a_renewal_after_the_window_counts_within_the_grace() -> None:
    """The end lies inside the outcome window, the renewal need not."""
    assert ends((-100, 1), (29, -1), (33, 1)) == 0
    assert ends((-100, 1), (29, -1), (33, 1), (34, -1)) == 0


def test_an_end_at_the_end_of_the_window_lies_outside() -> None:
    """It belongs to the next outcome window, and to one only."""
    assert ends((-100, 1), (30, -1)) == 0
    assert ends((-100, 1), (0, -1)) == 1


def test_the_last_of_several_contracts_decides() -> None:
    """A customer with two contracts who ends one is still a customer."""
    assert ends((-100, 1), (-50, 1), (10, -1)) == 0
    assert ends((-100, 1), (-50, 1), (10, -1), (11, -1)) == 1


def test_who_has_no_contract_when_the_window_begins_cannot_churn() -> None:
    """Their answer is unknown rather than no."""
    assert np.isnan(ends((-100, 1), (-1, -1)))
    assert np.isnan(ends((5, 1), (10, -1)))


@pytest.mark.parametrize("shift", [-2000 * DAY, -10 * DAY - 1, 40_000 * DAY])
def test_an_end_counts_in_every_year(shift: int) -> None:
    """Instants before 1970 are negative numbers, not signs of absence."""
    assert ends((-100, 1), (10, -1), shift=shift) == 1


def test_the_running_largest_begins_anew_with_each_customer() -> None:
    """What became known late of one customer says nothing about the next; a customer without rows has none."""
    values, starts = np.array([3, 1, 5, 2, 4]), np.array([0, 2, 2, 5])
    assert kernel.running_largest(values, starts).tolist() == [3, 3, 5, 5, 5]
    assert values.tolist() == [3, 1, 5, 2, 4]
