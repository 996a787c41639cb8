"""The k-th largest number of a table in parts is the one that sorting finds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.partitioned import LocalParts, Place, kth_largest

NUMBERS = st.floats(allow_nan=False, allow_infinity=False) | st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-310])


def values(rows: pd.DataFrame) -> np.ndarray:
    """What is ranked."""
    return rows["value"].to_numpy(dtype=np.float64)


@given(st.lists(NUMBERS, min_size=1, max_size=30), st.integers(1, 30), st.integers(1, 30))
@example([0.0, -0.0, -5e-324, 5e-324], 2, 1)
@example([1.0, np.nextafter(1.0, 2.0), np.nextafter(1.0, 0.0)], 1, 2)
@example([-1.7976931348623157e308, 1.7976931348623157e308], 2, 1)
def test_the_kth_largest_is_the_one_that_sorting_finds(numbers: list[float], k: int, rows: int) -> None:
    """To the bit, for any finite numbers, signs, ties and parts: a budget that is off by one is a customer too many."""
    k = min(k, len(numbers))
    table = pd.DataFrame({"customer_id": [f"{i:03d}" for i in range(len(numbers))], "value": numbers})
    wanted = sorted(numbers, reverse=True)[k - 1]
    larger = sum(number > wanted for number in numbers)
    found = kth_largest(LocalParts.of(table, rows), values, k, reads=["value"])
    assert found == Place(wanted, larger, sum(number == wanted for number in numbers))


@pytest.mark.parametrize("k", [1, 2, 15_000, 29_999, 30_000])
def test_many_customers_are_found_bin_by_bin(k: int) -> None:
    """Where no small table holds all numbers, the search narrows, also when the numbers share most of their bits."""
    draw = np.random.default_rng(0)
    close = 100 + draw.integers(0, 200, 30_000) * np.spacing(100.0)
    spread = draw.normal(0, 1, 30_000) * 10.0 ** draw.integers(-5, 9, 30_000)
    for numbers in (close, spread, np.full(30_000, -2.5)):
        table = pd.DataFrame({"customer_id": [f"{i:05d}" for i in range(30_000)], "value": numbers})
        wanted = np.sort(numbers)[::-1][k - 1]
        found = kth_largest(LocalParts.of(table), values, k, reads=["value"])
        assert found == Place(float(wanted), int((numbers > wanted).sum()), int((numbers == wanted).sum()))
