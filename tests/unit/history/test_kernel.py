"""The compiled loops where twins would not look."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from holdfast.history import kernel, levels, prefix_sums, ranges, sorting
from tests.strategies import DAY


def ends(*changes: tuple[float, float], begin: float = 0, end: float = 30, grace: float = 7, shift: int = 0) -> float:
    """Whether contracts that start and end at these days end for good in the window."""
    times = np.array([shift + round(day * DAY) for day, _ in changes], dtype=np.int64)
    deltas = np.array([delta for _, delta in changes])
    edges = (np.array([shift + round(day * DAY)]) for day in (begin, end))
    found = levels.days_until_end(deltas, times, np.array([0]), np.array([len(changes)]), *edges, round(grace * DAY))
    return float(np.isfinite(found[0])) if not np.isnan(found[0]) else float("nan")


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


def rows(seed: int = 3) -> dict[str, np.ndarray]:
    """Two hundred rows with ties and missing values, and sixty ranges of them."""
    random = np.random.default_rng(seed)
    times = np.sort(random.integers(-50 * DAY, 50 * DAY, 200) // DAY * DAY + random.integers(0, 2, 200))
    lo = random.integers(0, 200, 60)
    return {
        "times": times,
        "values": np.where(random.random(200) < 0.2, np.nan, random.choice([0.1, 0.2, -3.5, 1e12, 7.0, 1 / 3], 200)),
        "lo": lo,
        "hi": np.minimum(lo + random.integers(0, 12, 60), 200),
        "cutoffs": np.full(60, 60 * DAY),
        "customers": random.integers(5, 25, 200),
        "known": times + random.integers(0, 3, 200),
        "starts": np.arange(0, 201, 10),
    }


def loops() -> dict[str, tuple[Callable[..., Any], tuple[Any, ...]]]:
    """Every compiled loop and what to call it with."""
    of = rows()
    times, values, lo, hi, cutoffs, starts = (of[name] for name in ("times", "values", "lo", "hi", "cutoffs", "starts"))
    sums, edges = prefix_sums.sums(values), np.random.default_rng(4).integers(-50 * DAY, 50 * DAY, 20)
    changes, squares = prefix_sums.day_changes(times), prefix_sums.squared_gaps(times)
    codes, several = prefix_sums.codes(values)
    deltas, begins = np.random.default_rng(5).choice([-1.0, 0.0, 1.0, 1.0], 200), np.full(20, 0)
    given: dict[Any, tuple[Any, ...]] = {
        kernel.total: (*sums, lo, hi),
        kernel.mean: (*sums, lo, hi),
        kernel.deviation: (values, kernel.mean(*sums, lo, hi), sums.present, lo, hi),
        **dict.fromkeys(
            (kernel.smallest, kernel.largest, kernel.earliest, kernel.latest, kernel.change), (values, lo, hi)
        ),
        kernel.distinct: (prefix_sums.previous(values), lo, hi),
        kernel.entropy: (codes, several, lo, hi),
        kernel.days_since_first: (times, lo, hi, cutoffs),
        kernel.days_since_last: (times, lo, hi, cutoffs),
        kernel.distinct_days: (changes, lo, hi),
        kernel.mean_gap: (times, changes, lo, hi),
        kernel.gap_deviation: (times, changes, squares, lo, hi),
        kernel.last_gap: (times, prefix_sums.day_begins(times), lo, hi),
        kernel.length: (lo, hi),
        kernel.filled: (values, 0.5),
        kernel.quotient: (values, values[::-1].copy()),
        levels.level_days: (deltas, times, lo, hi, cutoffs),
        levels.days_until_end: (deltas, times, starts[:-1], starts[1:], begins, begins + 30 * DAY, 7 * DAY),
        ranges.positions: (times, starts[:-1], starts[1:], edges, -DAY),
        ranges.running_largest: (of["known"], starts),
        ranges.late: (of["known"], lo, hi, cutoffs),
        ranges.visible: (of["known"], lo, hi, times[hi - 1] + 2),
        prefix_sums.day_changes: (times,),
        prefix_sums.squared_gaps: (times,),
        prefix_sums.day_begins: (times,),
        sorting.by_customer_and_time: (of["customers"], times[::-1].copy(), of["known"], 5, 25),
        sorting.tally: (of["customers"], np.zeros(25, dtype=np.int64)),
        sorting.ties: (times, times, starts),
    }
    return {loop.__name__: (loop, arguments) for loop, arguments in given.items()}


@pytest.mark.parametrize("name", loops())
def test_a_compiled_loop_says_what_its_source_says(name: str) -> None:
    """The compiler may not reorder sums or round otherwise: what one reads is what runs, to the bit."""
    compiled, given = loops()[name]
    again = loops()[name][1]
    found, wanted = (compiled(*given), *given), (compiled.py_func(*again), *again)
    for one, other in zip(found, wanted, strict=True):  # what they answer, and what they wrote into
        for part, twin in zip(*((each if isinstance(each, tuple) else (each,)) for each in (one, other)), strict=True):
            np.testing.assert_array_equal(part, twin)


def test_every_compiled_loop_is_compared() -> None:
    """A loop that nobody reads again could say anything."""
    compiled = {
        name
        for module in (kernel, levels, prefix_sums, ranges, sorting)
        for name, found in vars(module).items()
        if hasattr(found, "py_func") and not name.startswith("_")
    }
    assert set(loops()) == compiled


def test_the_running_largest_begins_anew_with_each_customer() -> None:
    """What became known late of one customer says nothing about the next; a customer without rows has none."""
    values, starts = np.array([3, 1, 5, 2, 4]), np.array([0, 2, 2, 5])
    assert ranges.running_largest(values, starts).tolist() == [3, 3, 5, 5, 5]
    assert values.tolist() == [3, 1, 5, 2, 4]


def test_a_sum_does_not_depend_on_a_neighbour_with_a_large_value() -> None:
    """Who shares a chunk depends on the engine and on the cutoff; the sum must not, to the last bit."""
    draw, lo, hi = np.random.default_rng(1), np.array([0]), np.array([3000])
    for _ in range(300):
        values = draw.integers(1, 10**11, 3000) / 1000
        alone = kernel.total(*prefix_sums.sums(values), lo, hi)[0]
        beside = kernel.total(*prefix_sums.sums(np.append(values, 2.1e12)), lo, hi)[0]
        assert alone == beside
