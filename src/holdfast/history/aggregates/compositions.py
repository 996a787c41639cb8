"""Aggregates made of aggregates: ratios, trends between windows, conditions.

``Ratio(DaysSinceLast(), Over(MeanGap(), LIFETIME))`` tells how overdue a customer is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from holdfast.history import kernel
from holdfast.history.aggregates.base import Aggregate, columns_of
from holdfast.history.aggregates.leaves import Count
from holdfast.history.arrays import Numbers
from holdfast.history.conditions import Condition
from holdfast.history.stream import View, Window
from holdfast.timeline import Days


@dataclass(frozen=True)
class OfOne(Aggregate):
    """Made of one inner aggregate, whose columns it reads."""

    inner: Aggregate

    def columns(self) -> frozenset[str]:
        return self.inner.columns()


@dataclass(frozen=True)
class Over(OfOne):
    """The inner aggregate over a window of its own instead of the feature's."""

    days: Days

    def __call__(self, view: View, window: Window) -> Numbers:
        return self.inner(view, Window(Days(window.end.count - self.days.count), window.end))


@dataclass(frozen=True)
class Plus(OfOne):
    """The inner aggregate and a constant."""

    constant: float

    def __call__(self, view: View, window: Window) -> Numbers:
        return self.inner(view, window) + self.constant


@dataclass(frozen=True)
class Ratio(Aggregate):
    """One aggregate divided by another, ``times`` a constant; NaN where the divisor is NaN, 0 or as good as 0."""

    above: Aggregate
    below: Aggregate
    times: float = 1.0

    def columns(self) -> frozenset[str]:
        return self.above.columns() | self.below.columns()

    def __call__(self, view: View, window: Window) -> Numbers:
        return kernel.quotient(self.times * self.above(view, window), self.below(view, window))


@dataclass(frozen=True)
class Share(Aggregate):
    """The share of the events of the window that satisfy ``where``; NaN where there are none."""

    where: Condition

    def columns(self) -> frozenset[str]:
        return columns_of(self.where)

    def __call__(self, view: View, window: Window) -> Numbers:
        return kernel.quotient(Count(self.where)(view, window), Count()(view, window))


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
class _Adjoining(OfOne):
    """The window against the equally long one before it."""

    def __call__(self, view: View, window: Window) -> Numbers:
        before = Window(Days(window.begin.count - window.length.count), window.begin)
        return self.compare(self.inner(view, window), self.inner(view, before), window.length)

    def compare(self, now: Numbers, before: Numbers, length: Days) -> Numbers:
        """One number per snapshot from the values of both windows."""
        raise TypeError(f"{type(self).__name__} must say how it compares; define compare().")


class Trend(_Adjoining):
    """(now - before) / (|now| + |before|) of two adjoining windows, between -1 and 1.

    0 where nothing changed; NaN where both are empty.
    """

    def compare(self, now: Numbers, before: Numbers, length: Days) -> Numbers:
        return kernel.quotient(now - before, np.abs(now) + np.abs(before))


class Growth(_Adjoining):
    """now / before of two adjoining windows; NaN where there was nothing before."""

    def compare(self, now: Numbers, before: Numbers, length: Days) -> Numbers:
        return kernel.quotient(now, before)


class Slope(_Adjoining):
    """(now - before) per day of two adjoining windows: how fast the inner aggregate changes."""

    def compare(self, now: Numbers, before: Numbers, length: Days) -> Numbers:
        return (now - before) / length.count


@dataclass(frozen=True)
class Pace(OfOne):
    """Rate in the window against the customer's own usual rate in the ``usual`` days before it; 1 means unchanged."""

    usual: Days

    def __call__(self, view: View, window: Window) -> Numbers:
        before = Window(Days(window.begin.count - self.usual.count), window.begin)
        now, usual = self.inner(view, window), self.inner(view, before)
        return kernel.quotient(now / window.length.count, usual / self.usual.count)
