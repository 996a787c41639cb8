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


LOOPS = [
    *("total", "mean", "deviation", "smallest", "largest", "earliest", "latest", "change", "days_since_last"),
    *("days_since_first", "distinct_days", "distinct", "mean_gap", "gap_deviation", "last_gap", "level_days"),
]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_compiled_loop_says_what_its_source_says(loop: str) -> None:
    """The compiler may not reorder sums or round otherwise: what one reads is what runs, to the bit."""
    random = np.random.default_rng(3)
    times = np.sort(random.integers(-50 * DAY, 50 * DAY, 200) // DAY * DAY + random.integers(0, 2, 200))
    values = np.where(random.random(200) < 0.2, np.nan, random.choice([0.1, 0.2, -3.5, 1e12, 7.0], 200))
    lo = random.integers(0, 200, 60)
    hi = np.minimum(lo + random.integers(0, 12, 60), 200)
    given = values, times, lo, hi, np.full(60, 60 * DAY)
    compiled = getattr(kernel, loop)
    np.testing.assert_array_equal(compiled(*given), compiled.py_func(*given))


def test_the_other_loops_say_what_their_sources_say() -> None:
    """The two searches and the fate of contracts, which take other arguments."""
    random = np.random.default_rng(4)
    starts = np.arange(0, 201, 10)
    times = np.concatenate([np.sort(random.integers(-40, 80, 10)) for _ in range(20)])
    edges, begins = random.integers(-50, 90, 20), np.full(20, 0)
    deltas = random.choice([-1.0, 0.0, 1.0, 1.0], 200)
    for compiled, given in (
        (kernel.positions, (times, starts[:-1], starts[1:], edges)),
        (kernel.running_largest, (times[::-1].copy(), starts)),
        (kernel.ends_for_good, (deltas, times, starts[:-1], starts[1:], begins, begins + 30, 7)),
    ):
        np.testing.assert_array_equal(compiled(*given), compiled.py_func(*given))


def test_the_running_largest_begins_anew_with_each_customer() -> None:
    """What became known late of one customer says nothing about the next; a customer without rows has none."""
    values, starts = np.array([3, 1, 5, 2, 4]), np.array([0, 2, 2, 5])
    assert kernel.running_largest(values, starts).tolist() == [3, 3, 5, 5, 5]
    assert values.tolist() == [3, 1, 5, 2, 4]
