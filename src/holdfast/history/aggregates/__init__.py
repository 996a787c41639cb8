"""Aggregates as declarations: what a feature says it computes, over which column and under which condition.

A leaf names one compiled loop of ``kernel``; a composition is made of leaves. Every aggregate answers, for a view and a
window, one float64 per snapshot, NaN where there is nothing to answer from.
"""

from holdfast.history.aggregates.base import Aggregate
from holdfast.history.aggregates.compositions import Growth, If, Over, Pace, Plus, Ratio, Share, Slope, Trend
from holdfast.history.aggregates.leaves import (
    Change,
    Count,
    DaysSinceFirst,
    DaysSinceLast,
    Distinct,
    DistinctDays,
    Entropy,
    First,
    GapStd,
    Last,
    LastGap,
    Max,
    Mean,
    MeanGap,
    Min,
    MonthsUntil,
    Std,
    Sum,
    YearPart,
)

__all__ = [
    "Aggregate",
    "Change",
    "Count",
    "DaysSinceFirst",
    "DaysSinceLast",
    "Distinct",
    "DistinctDays",
    "Entropy",
    "First",
    "GapStd",
    "Growth",
    "If",
    "Last",
    "LastGap",
    "Max",
    "Mean",
    "MeanGap",
    "Min",
    "MonthsUntil",
    "Over",
    "Pace",
    "Plus",
    "Ratio",
    "Share",
    "Slope",
    "Std",
    "Sum",
    "Trend",
    "YearPart",
]
