"""The words for aggregates that a configuration may use: one line per word."""

from __future__ import annotations

from collections.abc import Callable

from holdfast.errors import ConfigError
from holdfast.history import aggregates as built_in
from holdfast.history import custom
from holdfast.history.aggregates import Aggregate, Count, Pace, Sum
from holdfast.history.conditions import Condition
from holdfast.sources.kinds import nearest
from holdfast.timeline import Days

USUAL = Days(180)
"""What ``pace`` takes for usual: the days before the window."""


OF_NUMBERS: dict[str, Callable[[str, Condition | None], Aggregate]] = {
    "sum": Sum,
    "mean": built_in.Mean,
    "std": built_in.Std,
    "min": built_in.Min,
    "max": built_in.Max,
    "change": built_in.Change,
}
"""Of a column of numbers."""

OF_VALUES: dict[str, Callable[[str, Condition | None], Aggregate]] = {
    "first": built_in.First,
    "last": built_in.Last,
    "distinct": built_in.Distinct,
    "entropy": built_in.Entropy,
}
"""Of a column of numbers or of texts."""

OF_EVENTS: dict[str, Callable[[Condition | None], Aggregate]] = {
    "count": Count,
    "days_since_last": built_in.DaysSinceLast,
    "days_since_first": built_in.DaysSinceFirst,
    "distinct_days": built_in.DistinctDays,
    "mean_gap": built_in.MeanGap,
    "gap_std": built_in.GapStd,
    "last_gap": built_in.LastGap,
}
"""Of the events themselves, without a column."""

OF_A_LEVEL: dict[str, Callable[[Count | Sum], Aggregate]] = {
    "trend": built_in.Trend,
    "growth": built_in.Growth,
    "slope": built_in.Slope,
    "pace": lambda level: Pace(level, USUAL),
}
"""Of the sum of a column of numbers, or without a column of the number of events; beside the days before the window."""

OF_CONDITIONS: dict[str, Callable[[Condition], Aggregate]] = {"share": built_in.Share}
"""Of the events that satisfy a condition, among all."""

BUILT_IN = (*OF_EVENTS, *OF_CONDITIONS, *OF_NUMBERS, *OF_VALUES, *OF_A_LEVEL)

COMPUTING = tuple(kind for kind in OF_NUMBERS.values() if isinstance(kind, type))
"""The aggregates that would take the codes of texts for numbers."""


def worded(word: str, column: str | None, where: Condition | None) -> Aggregate:
    """The aggregate of a word, over a column where it reads one, under a condition.

    Raises
    ------
    ConfigError
        No aggregate is called so, or a column or condition is missing or too many.
    """
    if word in custom.REGISTERED:
        return custom.REGISTERED[word](column, where)
    if word in OF_A_LEVEL:
        return OF_A_LEVEL[word](Count(where) if column is None else Sum(column, where))
    if word in OF_EVENTS or word in OF_CONDITIONS:
        if column is not None:
            raise ConfigError(f"the aggregate '{word}' reads no column, found '{column}'. Remove it.")
        if word in OF_EVENTS:
            return OF_EVENTS[word](where)
        if where is None:
            raise ConfigError(f"the aggregate '{word}' wants a condition. Say under where which events to count.")
        return OF_CONDITIONS[word](where)
    of_column = OF_NUMBERS.get(word) or OF_VALUES.get(word)
    if of_column is None:
        known = (*BUILT_IN, *sorted(custom.REGISTERED))
        raise ConfigError(
            f"no aggregate is called '{word}'{nearest(word, known)}. There are {', '.join(known)}; one of your own "
            "needs its module under modules."
        )
    if column is None:
        raise ConfigError(f"the aggregate '{word}' wants a column. Name it under column.")
    return of_column(column, where)
