"""The days of the simulated business: it lives by whole days in UTC, counted from the start of 2022.

The first year is lived but never exported, so that the customers of 2023 already have a past. The 90 days after the
export are lived too, for the truth alone.
"""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from holdfast.timeline import MICROSECONDS_PER_DAY, Instants, instant

Whole = NDArray[np.int64]
"""An array of whole numbers: customers, days, counts."""
Reals = NDArray[np.float64]
Flags = NDArray[np.bool_]

START = date(2022, 1, 1)
EXPORT_FROM = date(2023, 1, 1)
AS_OF = date(2025, 1, 1)
HORIZON = 90
"""Days of the outcome window."""

_WINTER_PEAK = 349
_MICROSECONDS_PER_HOUR = MICROSECONDS_PER_DAY // 24
_MONTHS = [date(2023 + (6 + i) // 12, (6 + i) % 12 + 1, 1) for i in range(19)]


def day_of(calendar_day: date) -> int:
    """Whole days from the start of the simulation to the midnight that opens a calendar day."""
    return (calendar_day - START).days


FIRST_DAY = day_of(EXPORT_FROM)
END_DAY = day_of(AS_OF)
DAYS = END_DAY + HORIZON
CUTOFF_DAYS = [day_of(month) for month in _MONTHS]
"""The cutoffs of the truth: the first of each month from 2023-07-01 to 2025-01-01."""


def calendar_day(day: int) -> date:
    """The date of a day of the simulation."""
    return START + timedelta(days=day)


def winter_wave(day: int) -> float:
    """The wave of the year: 1 in mid-December, -1 in mid-June."""
    return float(np.cos(2 * np.pi * (calendar_day(day).timetuple().tm_yday - _WINTER_PEAK) / 365.25))


def midnight(day: Whole | int) -> Instants:
    """The instant at which a day begins."""
    return np.asarray(day, dtype=np.int64) * MICROSECONDS_PER_DAY + instant(START)


def hours(count: Reals | float) -> Whole:
    """Hours as microseconds, rounded down to whole seconds as a clock on a server shows them."""
    seconds: Whole = np.floor(np.asarray(count) * 3600).astype(np.int64)
    return seconds * (_MICROSECONDS_PER_HOUR // 3600)


def at_hours(day: Whole, rng: np.random.Generator, opens: float, closes: float) -> Instants:
    """An instant on each of the days, evenly drawn between two hours of that day in UTC."""
    return midnight(day) + hours(rng.uniform(opens, closes, day.size))
