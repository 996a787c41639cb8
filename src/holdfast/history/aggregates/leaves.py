"""Aggregates over the rows of one window: each names one compiled loop and what that loop wants prepared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from holdfast.history import kernel, prefix_sums
from holdfast.history.aggregates.base import Aggregate, columns_of
from holdfast.history.arrays import Indices, Numbers
from holdfast.history.conditions import Condition
from holdfast.history.stream import View, Window
from holdfast.timeline import DAYS_PER_MONTH, MICROSECONDS_PER_DAY


@dataclass(frozen=True)
class OfColumn(Aggregate):
    """One loop over a column, in the rows of the window that satisfy ``where``."""

    column: str
    where: Condition | None = None

    def columns(self) -> frozenset[str]:
        return columns_of(self.where) | {self.column}

    def __call__(self, view: View, window: Window) -> Numbers:
        return view.only(self.where).answer(self, self.over, window)

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        """Evaluate over rows ``lo[i]:hi[i]`` of the part."""
        raise TypeError(f"{type(self).__name__} must say what it computes; define over().")


class Sum(OfColumn):
    """Sum of a column; 0 where there are no events. Decimals of at most three places add up without rounding."""

    always_answers = True

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.total(*part.rows.prepared(prefix_sums.sums, self.column), lo, hi)


class Mean(OfColumn):
    """Mean of a column."""

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.mean(*part.rows.prepared(prefix_sums.sums, self.column), lo, hi)


class Std(OfColumn):
    """Standard deviation of a column, with n - 1."""

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        sums = part.rows.prepared(prefix_sums.sums, self.column)
        return kernel.deviation(part.columns[self.column], kernel.mean(*sums, lo, hi), sums.present, lo, hi)


class OfValues(OfColumn):
    """One loop over a column as it stands."""

    loop: ClassVar[Callable[..., Numbers]]

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return self.loop(part.columns[self.column], lo, hi)


class Min(OfValues):
    """Smallest value of a column."""

    loop = staticmethod(kernel.smallest)


class Max(OfValues):
    """Largest value of a column."""

    loop = staticmethod(kernel.largest)


class First(OfValues):
    """First value of a column."""

    loop = staticmethod(kernel.earliest)


class Last(OfValues):
    """Last value of a column."""

    loop = staticmethod(kernel.latest)


class Change(OfValues):
    """Last value of a column minus the one before it."""

    loop = staticmethod(kernel.change)


class Distinct(OfColumn):
    """Number of different values of a column."""

    always_answers = True

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.distinct(part.rows.prepared(prefix_sums.previous, self.column), lo, hi)


class Entropy(OfColumn):
    """How evenly the values of a column are spread, in bits (Shannon 1948): 0 if all are one, 1 for a coin's two."""

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.entropy(*part.rows.prepared(prefix_sums.codes, self.column), lo, hi)


class MonthsUntil(OfColumn):
    """Months from the cutoff to the day (counted from 1970) that the last event states; negative if it is past."""

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        day = kernel.latest(part.columns[self.column], lo, hi)
        months: Numbers = (day - part.cutoffs / MICROSECONDS_PER_DAY) / DAYS_PER_MONTH
        return months


@dataclass(frozen=True)
class OfTimes(Aggregate):
    """One loop over the times of the rows of the window that satisfy ``where``."""

    where: Condition | None = None

    def columns(self) -> frozenset[str]:
        return columns_of(self.where)

    def __call__(self, view: View, window: Window) -> Numbers:
        return view.only(self.where).answer(self, self.over, window)

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        """Evaluate over rows ``lo[i]:hi[i]`` of the part."""
        raise TypeError(f"{type(self).__name__} must say what it computes; define over().")


class Count(OfTimes):
    """Number of events; 0 where there are none."""

    always_answers = True

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.length(lo, hi)


class DaysSinceLast(OfTimes):
    """Days from the last event to the cutoff."""

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.days_since_last(part.times, lo, hi, part.cutoffs)


class DaysSinceFirst(OfTimes):
    """Days from the first event to the cutoff."""

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.days_since_first(part.times, lo, hi, part.cutoffs)


class DistinctDays(OfTimes):
    """Number of days (UTC) with an event."""

    always_answers = True

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.distinct_days(part.rows.prepared(prefix_sums.day_changes), lo, hi)


class MeanGap(OfTimes):
    """Mean days between the calendar days (UTC) with an event: two orders within a day are one occasion."""

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.mean_gap(part.times, part.rows.prepared(prefix_sums.day_changes), lo, hi)


class GapStd(OfTimes):
    """Standard deviation of the days between the calendar days (UTC) with an event."""

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        changes, squares = (
            part.rows.prepared(prepare) for prepare in (prefix_sums.day_changes, prefix_sums.squared_gaps)
        )
        return kernel.gap_deviation(part.times, changes, squares, lo, hi)


class LastGap(OfTimes):
    """Days between the last two calendar days (UTC) with an event."""

    def over(self, part: View, lo: Indices, hi: Indices) -> Numbers:
        return kernel.last_gap(part.times, part.rows.prepared(prefix_sums.day_begins), lo, hi)


@dataclass(frozen=True)
class YearPart(Aggregate):
    """Where in the year the cutoff lies, as a point on a circle: its "sin" or its "cos"."""

    axis: str

    def columns(self) -> frozenset[str]:
        return frozenset()

    def __call__(self, view: View, window: Window) -> Numbers:
        angles = 2 * np.pi * (view.cutoffs / (MICROSECONDS_PER_DAY * 365.2425) % 1.0)
        on_axis: Numbers = {"sin": np.sin, "cos": np.cos}[self.axis](angles)
        return on_axis
