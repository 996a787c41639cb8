"""What learning curves found: how good models are that learnt from less, and what the last doubling brought."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd

from holdfast.metrics import RISK_METRICS, VALUE_METRICS, Difference, Interval, Metric
from holdfast.timeline import show

MEASURES: Mapping[str, Metric] = {
    "log_loss": RISK_METRICS["log_loss"],
    "auc": RISK_METRICS["auc"],
    "mae": VALUE_METRICS["mae"],
}
"""What the curves show: is the risk true, does it rank, and how far off is the value."""

_WITH_DIFFERENCE = ("log_loss", "mae")  # in the table for people, which has no room for all
_EIGHTHS = {0.125: "1/8", 0.25: "1/4", 0.5: "1/2", 1.0: "all"}


@dataclass(frozen=True)
class CurvePoint:
    """Models that learnt from so much, judged on the same customers as all others.

    Attributes
    ----------
    size : float
        Latest cutoffs, or share of the customers.
    snapshots, customers : float
        Learnt from, on average over the test cutoffs.
    metrics : mapping of name to Interval
        Over all test cutoffs.
    to_most : mapping of name to Difference
        This minus the largest size, on the same resampled customers; far surer than two intervals side by side.
    """

    size: float
    snapshots: float
    customers: float
    metrics: Mapping[str, Interval]
    to_most: Mapping[str, Difference]


@dataclass(frozen=True)
class LearningCurve:
    """Points from the smallest size to the largest.

    Attributes
    ----------
    by : "cutoffs" or "customers"
    points : tuple of CurvePoint
    left_out : tuple of float
        Sizes too small to learn from at some test cutoff.
    """

    by: Literal["cutoffs", "customers"]
    points: tuple[CurvePoint, ...]
    left_out: tuple[float, ...] = ()

    def label(self, size: float) -> str:
        """A size as people read it."""
        return _EIGHTHS.get(size, f"{size:.0%}") if self.by == "customers" else f"{size:g}"

    def words(self) -> list[str]:
        """What the last doubling brought, or the step nearest to it: a sentence for each measure."""
        if len(self.points) < 2:
            return [f"There is too little data to tell what more {self.by} would bring."]
        most = self.points[-1]
        less = min(self.points[:-1], key=lambda point: abs(math.log2(most.size / point.size) - 1))
        step = f"{self.label(most.size)} {self.by} instead of {self.label(less.size)}"
        if most.size == 2 * less.size:
            step = f"Twice the {self.by} ({self.label(most.size)} instead of {self.label(less.size)})"
        return [
            f"{step} {_brought(MEASURES[name], found, self._digits(name) + 1)}." for name, found in less.to_most.items()
        ]

    def _digits(self, name: str) -> int:
        """Decimals that tell sizes apart: those of the metric, or three figures of what is small."""
        level = abs(self.points[-1].metrics[name].estimate)
        return max(MEASURES[name].digits, 2 - math.floor(math.log10(level)) if 0 < level < math.inf else 0)

    def frame(self) -> pd.DataFrame:
        """A row for each point: what it learnt from, and each measure, with its difference to the largest size."""
        rows = []
        for point in self.points:
            row: dict[str, Any] = {"snapshots": point.snapshots, "customers": point.customers}
            for name, found in point.metrics.items():
                row[name], more = found.estimate, point.to_most[name]
                row |= {f"{name}_to_most": more.estimate, f"{name}_low": more.low, f"{name}_high": more.high}
            rows.append(row)
        return pd.DataFrame(rows, index=pd.Index([point.size for point in self.points], name=self.by))

    def table(self) -> str:
        """The points as text, and the words."""
        size, count = ("share", "customers") if self.by == "customers" else ("cutoffs", "snapshots")
        columns = {size: [self.label(point.size) for point in self.points]}
        columns[count] = [f"{getattr(point, count):,.0f}" for point in self.points]
        for name, metric in MEASURES.items():
            digits = self._digits(name)
            columns[metric.label] = [f"{point.metrics[name].estimate:.{digits}f}" for point in self.points]
            if name in _WITH_DIFFERENCE:
                less = [_signed(point.to_most[name], digits + 1) for point in self.points[:-1]]
                columns[f"{metric.label} against last"] = [*less, ""]
        lines = [pd.DataFrame(columns).to_string(index=False), "", *self.words()]
        if self.left_out:
            sizes = ", ".join(self.label(size) for size in self.left_out)
            lines.append(f"Left out, because it is too little to learn from: {sizes}.")
        return "\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "points": [
                {
                    "size": point.size,
                    "snapshots": point.snapshots,
                    "customers": point.customers,
                    "metrics": {name: found.to_dict() for name, found in point.metrics.items()},
                    "to_most": {
                        name: {**found.to_dict(), "share_better": found.share_better}
                        for name, found in point.to_most.items()
                    },
                }
                for point in self.points
            ],
            "left_out": list(self.left_out),
            "words": self.words(),
        }


def _brought(metric: Metric, less: Difference, digits: int) -> str:
    """The gain of the larger size, positive where it is better."""
    sign = 1 if metric.better == "higher" else -1
    gain, low, high = -sign * less.estimate, *sorted((-sign * less.low, -sign * less.high))
    verb = "brought" if gain >= 0 else "cost"
    ends = (low, high) if gain >= 0 else (-high, -low)
    told = f"{verb} {abs(gain):.{digits}f} of {metric.label} ({ends[0]:.{digits}f} to {ends[1]:.{digits}f})"
    if low > 0 or high < 0:
        return f"{told}; the interval excludes zero"
    return f"{told}; the interval includes zero, so it may be chance"


def _signed(found: Difference, digits: int) -> str:
    """A difference with its interval."""
    return f"{found.estimate:+.{digits}f} ({found.low:+.{digits}f} to {found.high:+.{digits}f})"


@dataclass(frozen=True)
class LearningCurves:
    """What more history, and what more customers, would bring.

    Attributes
    ----------
    cutoffs : tuple of int
        Test cutoffs, microseconds.
    by_cutoffs, by_customers : LearningCurve
    fits, new : int
        How many models it took, and how many of them had to be fitted because none was there.
    """

    cutoffs: tuple[int, ...]
    by_cutoffs: LearningCurve
    by_customers: LearningCurve
    fits: int
    new: int

    @property
    def curves(self) -> Sequence[LearningCurve]:
        """Both."""
        return (self.by_cutoffs, self.by_customers)

    def table(self) -> str:
        """Both curves as text for people, each with what its last step brought."""
        at = ", ".join(map(show, self.cutoffs))
        parts = [
            f"Learnt from the latest cutoffs only, up to as many as every test cutoff knows; tested at {at}\n"
            + self.by_cutoffs.table(),
            f"Learnt from a share of the customers; tested on all of them, at {at}\n{self.by_customers.table()}",
        ]
        if self.new < self.fits:
            parts.append(f"{self.fits - self.new} of {self.fits} fits were there already")
        return "\n\n".join(parts)

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON: every point with intervals, and the words."""
        return {
            "tested_at": [show(at) for at in self.cutoffs],
            "fits": self.fits,
            "by_cutoffs": self.by_cutoffs.to_dict(),
            "by_customers": self.by_customers.to_dict(),
        }
