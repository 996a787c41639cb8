"""From a feature's record to what a peer must compute: leaves per customer, and how they make the feature.

A leaf is one number per customer (a count, a sum, the last value) over rows of one sort in one window; features share
leaves, so a peer computes each of them once. ``evaluate`` puts leaves together with the operators of the peer's own
expressions, for Polars and for SQL alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any, Protocol

from holdfast.features.feature import Feature
from holdfast.features.recency import PURCHASE, REFUND
from holdfast.history import aggregates as declared
from holdfast.timeline import LIFETIME, MICROSECONDS_PER_DAY

ROWS = {None: "all", PURCHASE: "purchase", REFUND: "refund"}
ADDED = frozenset({"count", "sum", "squares", "days", "gap_squares"})
SMALLEST = frozenset({"first_time", "first_day"})
OF_DAYS = frozenset({"days", "gap_squares", "last_gap"})
"""Leaves that need to know the day of the purchase before. Windows begin at midnight, so a day lies in one window."""
GAP_BASE = 1 << 20
"""The last gap is the largest ``day × GAP_BASE + gap``, less the day."""


@dataclass(frozen=True)
class Leaf:
    """One number per customer: from rows ``far`` up to ``near`` days before the cutoff."""

    kind: str
    column: str | None
    rows: str
    near: float
    far: float

    @property
    def measure(self) -> str:
        """The name without the window."""
        return "_".join(filter(None, (self.kind, self.column, self.rows)))

    @property
    def name(self) -> str:
        """A name for its column."""
        return f"{self.measure}_{self.near:g}_{self.far:g}"

    @property
    def combined(self) -> str:
        """How the values of two sets of rows become that of both: ``sum``, ``min``, ``max`` or ``last``."""
        if self.kind in ADDED:
            return "sum"
        return "last" if self.kind == "last" else "min" if self.kind in SMALLEST else "max"


class Language(Protocol):
    """What a peer's expressions offer beside ``+ - * /`` and ``abs``."""

    def leaf(self, leaf: Leaf) -> Any:
        """The column of a leaf; counts and sums are 0 where there is nothing, all else is missing."""

    def divided(self, above: Any, below: Any) -> Any:
        """The quotient, missing where the divisor is 0."""

    def root(self, value: Any) -> Any:
        """The square root, of a number that rounding may have put below 0."""


def leaves(features: Sequence[Feature], cutoff: int) -> list[Leaf]:
    """All leaves of the features, each once."""
    found: dict[Leaf, None] = {}

    class Collector:
        """An expression that answers every operation with itself."""

        def leaf(self, leaf: Leaf) -> Any:
            found[leaf] = None
            return self

        def _self(self, *_: Any) -> Any:
            return self

        divided = root = __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __abs__ = _self

    for feature in features:
        evaluated(feature, cutoff, Collector())
    return list(found)


def evaluated(feature: Feature, cutoff: int, language: Language) -> Any:
    """The feature as an expression over its leaves, missing where there is nothing to compute from."""
    return _evaluate(
        feature.aggregate, 0.0, inf if feature.window == LIFETIME else feature.window.count, cutoff, language
    )


def _evaluate(aggregate: declared.Aggregate, near: float, far: float, cutoff: int, language: Language) -> Any:
    def leaf(kind: str, column: str | None = None) -> Any:
        return language.leaf(Leaf(kind, column, ROWS[aggregate.where], near, far))  # type: ignore[attr-defined]

    def inner(part: declared.Aggregate) -> Any:
        return _evaluate(part, near, far, cutoff, language)

    divided: Callable[[Any, Any], Any] = language.divided
    match aggregate:
        case declared.Count():
            return leaf("count")
        case declared.Sum(column):
            return leaf("sum", column)
        case declared.Max(column):
            return leaf("max", column)
        case declared.Last(column):
            return leaf("last", column)
        case declared.Mean(column):
            return divided(leaf("sum", column), leaf("count"))
        case declared.Std(column):
            number, total = leaf("count"), leaf("sum", column)
            return language.root(divided(leaf("squares", column) * number - total * total, number * (number - 1.0)))
        case declared.DaysSinceLast():
            return (cutoff - leaf("last_time")) * (1 / MICROSECONDS_PER_DAY)
        case declared.DaysSinceFirst():
            return (cutoff - leaf("first_time")) * (1 / MICROSECONDS_PER_DAY)
        case declared.DistinctDays():
            return leaf("days")
        case declared.MeanGap():
            return divided(leaf("last_day") - leaf("first_day"), leaf("days") - 1.0)
        case declared.GapStd():
            gaps, span = leaf("days") - 1.0, leaf("last_day") - leaf("first_day")
            return language.root(divided(leaf("gap_squares") * gaps - span * span, gaps * (gaps - 1.0)))
        case declared.LastGap():
            return leaf("last_gap")
        case declared.Plus(part, constant):
            return inner(part) + constant
        case declared.Ratio(above, below, times):
            return divided(inner(above) * times, inner(below))
        case declared.Trend(part):
            now, before = inner(part), _evaluate(part, far, 2 * far, cutoff, language)
            return divided(now - before, abs(now) + abs(before))
    raise TypeError(f"{type(aggregate).__name__} has no form in the peers yet; add it to benchmarks/peers/plan.py.")
