"""Sums against fractions, which never round."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.history import kernel
from holdfast.history.prefix_sums import sums
from tests.oracle.by_hand import added

CENTS = st.integers(-(10**12), 10**12).map(lambda cents: cents / 100)
ANY = st.floats(-1e300, 1e300) | st.floats(-1.0, 1.0) | st.just(math.nan)


def total(values: list[float], lo: int = 0, hi: int | None = None) -> float:
    """The kernel's sum of a range of rows."""
    hi = len(values) if hi is None else hi
    return float(kernel.total(*sums(np.array(values, dtype=np.float64)), np.array([lo]), np.array([hi]))[0])


@settings(max_examples=200)
@given(values=st.lists(CENTS, max_size=50), lo=st.integers(0, 50), hi=st.integers(0, 50))
def test_cents_add_up_exactly_in_every_window(values: list[float], lo: int, hi: int) -> None:
    """A sum of cents is the nearest double to the true sum, whatever stands before the window."""
    lo, hi = sorted((min(lo, len(values)), min(hi, len(values))))
    wanted = Fraction(sum(round(value * 100) for value in values[lo:hi]), 100)
    assert total(values, lo, hi) == float(wanted)


@settings(max_examples=200)
@given(values=st.lists(CENTS, min_size=1, max_size=30), seed=st.integers(0, 99))
def test_the_order_of_cents_is_irrelevant(values: list[float], seed: int) -> None:
    """Two engines hand over rows in two orders."""
    shuffled = np.random.default_rng(seed).permutation(values).tolist()
    assert total(values) == total(shuffled)


@settings(max_examples=200)
@given(values=st.lists(ANY | CENTS, max_size=30))
def test_any_numbers_add_up_to_the_last_digits(values: list[float]) -> None:
    """Of numbers that are no decimals only the last bit may differ from the true sum, also where great ones cancel."""
    there = [value for value in values if not math.isnan(value)]
    wanted, size = added(there), sum(map(abs, map(Fraction, there)), Fraction(0))
    assert abs(Fraction(total(values)) - wanted) <= abs(wanted) / 2**51 + size / 2**100


def test_cents_do_not_drift_over_many_million_rows() -> None:
    """Ten cents ten million times are a million, to the bit; added up in floating numbers they are not."""
    values = np.full(10_000_000, 0.1)
    found = kernel.total(*sums(values), np.array([0, 1]), np.array([10_000_000, 10_000_000]))
    assert found.tolist() == [1_000_000.0, 999_999.9]
    assert np.cumsum(values)[-1] != 1_000_000.0


@pytest.mark.parametrize("rows", [3000, 9000])
def test_a_sum_too_large_for_whole_numbers_is_still_right(rows: int) -> None:
    """Sixty-four bits hold nine million million million thousandths; beyond them the sum must not turn negative."""
    assert total([2e12] * rows) == rows * 2e12
    assert total([-2e12, 0.25] * rows) == rows * -2e12 + rows * 0.25


def test_a_neighbour_that_is_no_decimal_changes_no_bit() -> None:
    """The rows of one customer must not depend on who shares the chunk."""
    cents = [10.1, 0.2, -3.35, 1e12, 0.01]
    assert total(cents) == total([*cents, 1 / 3], 0, 5)
    assert total([1 / 3, 0.1, 0.2]) == total([2.0, 1 / 3, 0.1, 0.2, math.pi], 1, 4)
