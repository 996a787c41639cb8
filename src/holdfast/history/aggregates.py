"""Aggregates as declarations: what a feature says it computes, over which column and under which condition.

A leaf names one compiled function of ``kernel``; ``Ratio``, ``Trend``, ``Pace`` and ``Over`` compose leaves.
Every aggregate answers, for a view and a window, one float64 per snapshot, NaN where there is nothing to answer from.

``Ratio(Count(Where("kind", "==", "email_open")), Count(Where("kind", "==", "email_sent")))`` is a share;
``Ratio(DaysSinceLast(), Over(MeanGap(), LIFETIME))`` tells how overdue a customer is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from holdfast.history import kernel
from holdfast.history.arrays import Numbers
from holdfast.history.stream import Condition, View, Window
from holdfast.timeline import DAYS_PER_MONTH, MICROSECONDS_PER_DAY, Days


class Aggregate:
    """Anything that can be computed per snapshot from a view and a window."""

    def columns(self) -> frozenset[str]:
        """Names of the columns that must exist in the stream."""
        raise TypeError(f"{type(self).__name__} must say which columns it reads; define columns().")

    def __call__(self, view: View, window: Window) -> Numbers:
        """Evaluate for every snapshot of the view."""
        raise TypeError(f"{type(self).__name__} must say what it computes; define __call__().")


def _columns(where: Condition | None) -> frozenset[str]:
    return where.columns if where else frozenset()


@dataclass(frozen=True)
class _OfColumn(Aggregate):
    """One compiled function over a column, in the rows of the window that satisfy ``where``."""

    column: str
    where: Condition | None = None
    function: ClassVar[Callable[..., Numbers]]

    def columns(self) -> frozenset[str]:
        return _columns(self.where) | {self.column}

    def __call__(self, view: View, window: Window) -> Numbers:
        part = view.only(self.where)
        return self.function(part.columns[self.column], part.times, *part.within(window), part.cutoffs)


class Sum(_OfColumn):
    """Sum of a column; 0 where there are no events."""

    function = staticmethod(kernel.total)


class Mean(_OfColumn):
    """Mean of a column."""

    function = staticmethod(kernel.mean)


class Std(_OfColumn):
    """Standard deviation of a column, with n - 1."""

    function = staticmethod(kernel.deviation)


class Min(_OfColumn):
    """Smallest value of a column."""

    function = staticmethod(kernel.smallest)


class Max(_OfColumn):
    """Largest value of a column."""

    function = staticmethod(kernel.largest)


class First(_OfColumn):
    """First value of a column."""

    function = staticmethod(kernel.earliest)


class Last(_OfColumn):
    """Last value of a column."""

    function = staticmethod(kernel.latest)


class Change(_OfColumn):
    """Last value of a column minus the one before it."""

    function = staticmethod(kernel.change)


class Distinct(_OfColumn):
    """Number of different values of a column."""

    function = staticmethod(kernel.distinct)


@dataclass(frozen=True)
class _OfTimes(Aggregate):
    """One compiled function over the times of the rows of the window that satisfy ``where``."""

    where: Condition | None = None
    function: ClassVar[Callable[..., Numbers]]

    def columns(self) -> frozenset[str]:
        return _columns(self.where)

    def __call__(self, view: View, window: Window) -> Numbers:
        part = view.only(self.where)
        return self.function(_NO_VALUES, part.times, *part.within(window), part.cutoffs)


_NO_VALUES = np.empty(0)


class DaysSinceLast(_OfTimes):
    """Days from the last event to the cutoff."""

    function = staticmethod(kernel.days_since_last)


class DaysSinceFirst(_OfTimes):
    """Days from the first event to the cutoff."""

    function = staticmethod(kernel.days_since_first)


class DistinctDays(_OfTimes):
    """Number of days (UTC) with an event."""

    function = staticmethod(kernel.distinct_days)


class MeanGap(_OfTimes):
    """Mean days between the calendar days (UTC) with an event: two orders within a day are one occasion."""

    function = staticmethod(kernel.mean_gap)


class GapStd(_OfTimes):
    """Standard deviation of the days between the calendar days (UTC) with an event."""

    function = staticmethod(kernel.gap_deviation)


class LastGap(_OfTimes):
    """Days between the last two calendar days (UTC) with an event."""

    function = staticmethod(kernel.last_gap)


@dataclass(frozen=True)
class Count(Aggregate):
    """Number of events; 0 where there are none."""

    where: Condition | None = None

    def columns(self) -> frozenset[str]:
        return _columns(self.where)

    def __call__(self, view: View, window: Window) -> Numbers:
        lo, hi = view.only(self.where).within(window)
        return (hi - lo).astype(np.float64)


@dataclass(frozen=True)
class Over(Aggregate):
    """The inner aggregate over a window of its own instead of the feature's."""

    inner: Aggregate
    days: Days

    def columns(self) -> frozenset[str]:
        return self.inner.columns()

    def __call__(self, view: View, window: Window) -> Numbers:
        return self.inner(view, Window(Days(window.end.count - self.days.count), window.end))


def _divide(above: Numbers, below: Numbers) -> Numbers:
    with np.errstate(over="ignore"):
        quotient: Numbers = np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)
    return np.where(np.isinf(quotient), np.nan, quotient)


@dataclass(frozen=True)
class Ratio(Aggregate):
    """One aggregate divided by another, ``times`` a constant; NaN where the divisor is NaN, 0 or as good as 0."""

    above: Aggregate
    below: Aggregate
    times: float = 1.0

    def columns(self) -> frozenset[str]:
        return self.above.columns() | self.below.columns()

    def __call__(self, view: View, window: Window) -> Numbers:
        above, below = self.above(view, window), self.below(view, window)
        return _divide(self.times * above, below)


@dataclass(frozen=True)
class Plus(Aggregate):
    """The inner aggregate and a constant."""

    inner: Aggregate
    constant: float

    def columns(self) -> frozenset[str]:
        return self.inner.columns()

    def __call__(self, view: View, window: Window) -> Numbers:
        return self.inner(view, window) + self.constant


@dataclass(frozen=True)
class If(Aggregate):
    """The second aggregate where the first is above 0; NaN elsewhere."""

    test: Aggregate
    then: Aggregate

    def columns(self) -> frozenset[str]:
        return self.test.columns() | self.then.columns()

    def __call__(self, view: View, window: Window) -> Numbers:
        return np.where(self.test(view, window) > 0, self.then(view, window), np.nan)


@dataclass(frozen=True)
class Trend(Aggregate):
    """The window against the equally long one before it: (now - before) / (|now| + |before|), between -1 and 1.

    0 where nothing changed; NaN where both are empty.
    """

    inner: Aggregate

    def columns(self) -> frozenset[str]:
        return self.inner.columns()

    def __call__(self, view: View, window: Window) -> Numbers:
        now = self.inner(view, window)
        before = self.inner(view, Window(Days(window.begin.count - window.length.count), window.begin))
        return _divide(now - before, np.abs(now) + np.abs(before))


@dataclass(frozen=True)
class Pace(Aggregate):
    """Rate in the window against the customer's own usual rate in the ``usual`` days before it; 1 means unchanged."""

    inner: Aggregate
    usual: Days

    def columns(self) -> frozenset[str]:
        return self.inner.columns()

    def __call__(self, view: View, window: Window) -> Numbers:
        now = self.inner(view, window) / window.length.count
        usual_window = Window(Days(window.begin.count - self.usual.count), window.begin)
        usual = self.inner(view, usual_window) / self.usual.count
        return _divide(now, usual)


@dataclass(frozen=True)
class MonthsUntil(Aggregate):
    """Months from the cutoff to the day (counted from 1970) that the last event states; negative if it is past."""

    column: str
    where: Condition | None = None

    def columns(self) -> frozenset[str]:
        return _columns(self.where) | {self.column}

    def __call__(self, view: View, window: Window) -> Numbers:
        day = Last(self.column, self.where)(view, window)
        return (day - view.cutoffs / MICROSECONDS_PER_DAY) / DAYS_PER_MONTH


@dataclass(frozen=True)
class YearPart(Aggregate):
    """Where in the year the cutoff lies, as a point on a circle: the ``np.sin`` or ``np.cos`` of its angle."""

    on_axis: Callable[[Numbers], Numbers]

    def columns(self) -> frozenset[str]:
        return frozenset()

    def __call__(self, view: View, window: Window) -> Numbers:
        years = view.cutoffs / (MICROSECONDS_PER_DAY * 365.2425)
        return self.on_axis(2 * np.pi * (years % 1.0))
