"""What every aggregate, feature and label means, written a second time as naively as possible, without numpy.

The functions take lists of event dicts (see ``tests.strategies``) in order of time. None stands for "nothing to answer
from". They read the declarations of the package, never its loops.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from holdfast.features.feature import Feature
from holdfast.history import aggregates as declared
from holdfast.history.conditions import All, Condition, Where
from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings

DAY = 86_400_000_000
DAYS_PER_MONTH = 365.25 / 12
Event = dict[str, Any]
Answer = float | None


# What a snapshot may look at.


def known_before(events: Sequence[Event], customer: int, cutoff: int) -> list[Event]:
    """What happened and was known before the cutoff."""
    return [e for e in events if e["customer"] == customer and e["time"] < cutoff and e["known"] < cutoff]


def of_customer(events: Sequence[Event], customer: int) -> list[Event]:
    """Past and future."""
    return [e for e in events if e["customer"] == customer]


def between(events: Sequence[Event], begin: int, end: int) -> list[Event]:
    """From ``begin`` up to but without ``end``."""
    return [e for e in events if begin <= e["time"] < end]


def satisfies(event: Event, where: Condition | None) -> bool:
    """A missing value satisfies nothing."""
    if where is None:
        return True
    if isinstance(where, All):
        return all(satisfies(event, part) for part in where.parts)
    value = event[where.column]
    if value is None:
        return False
    tests: dict[str, Callable[[], bool]] = {
        "==": lambda: value == where.value,
        ">=": lambda: value >= where.value,
        ">": lambda: value > where.value,
        "<=": lambda: value <= where.value,
        "<": lambda: value < where.value,
    }
    return tests[where.test]()


def values_of(events: Sequence[Event], column: str) -> list[Any]:
    """The values that the events have."""
    return [e[column] for e in events if e[column] is not None]


# The leaves. Each takes the events of the window and a column, or the events and the cutoff.


def exactly(value: float) -> Fraction:
    """The number that was meant: a decimal of at most three places if the value is one, else the value as it is."""
    written = Fraction(round(Fraction(value) * 1000), 1000)
    return written if float(written) == value and abs(value) <= 2e12 else Fraction(value)


def added(values: list[float]) -> Fraction:
    """The sum without any rounding."""
    return sum(map(exactly, values), Fraction(0))


def total(values: list[float]) -> float:
    """Rounded once."""
    return float(added(values))


def mean(values: list[float]) -> Answer:
    """None of no values."""
    return total(values) / len(values) if values else None


def deviation(values: list[float]) -> Answer:
    """With n - 1; None of fewer than two values."""
    centre = mean(values)
    if centre is None or len(values) < 2:
        return None
    squares = 0.0
    for value in values:
        squares += (value - centre) * (value - centre)
    return math.sqrt(squares / (len(values) - 1))


def entropy(values: list[Any]) -> Answer:
    """Of the shares of the different values, in bits; None of no values."""
    if not values:
        return None
    shares = [values.count(value) / len(values) for value in dict.fromkeys(values)]
    return -sum(share * math.log2(share) for share in shares)


OF_VALUES: dict[type, Callable[[list[Any]], Answer]] = {
    declared.Sum: total,
    declared.Mean: mean,
    declared.Std: deviation,
    declared.Min: lambda values: min(values) if values else None,
    declared.Max: lambda values: max(values) if values else None,
    declared.First: lambda values: values[0] if values else None,
    declared.Last: lambda values: values[-1] if values else None,
    declared.Change: lambda values: values[-1] - values[-2] if len(values) > 1 else None,
    declared.Distinct: lambda values: float(len(set(values))),
    declared.Entropy: entropy,
}


def gaps(times: list[int]) -> list[float]:
    """Days between the different calendar days."""
    days = sorted({time // DAY for time in times})
    return [float(later - earlier) for earlier, later in pairwise(days)]


def mean_gap(times: list[int]) -> Answer:
    """From the first day to the last, divided by how many gaps lie between."""
    return (max(times) // DAY - min(times) // DAY) / len(gaps(times)) if gaps(times) else None


def gap_deviation(times: list[int]) -> Answer:
    """Around the mean gap, with n - 1."""
    found = [Fraction(gap) for gap in gaps(times)]
    if len(found) < 2:
        return None
    centre = sum(found, Fraction(0)) / len(found)
    return math.sqrt(sum((gap - centre) ** 2 for gap in found) / (len(found) - 1))


OF_TIMES: dict[type, Callable[[list[int], int], Answer]] = {
    declared.Count: lambda times, cutoff: float(len(times)),
    declared.DaysSinceLast: lambda times, cutoff: (cutoff - max(times)) / DAY if times else None,
    declared.DaysSinceFirst: lambda times, cutoff: (cutoff - min(times)) / DAY if times else None,
    declared.DistinctDays: lambda times, cutoff: float(len({time // DAY for time in times})),
    declared.MeanGap: lambda times, cutoff: mean_gap(times),
    declared.GapStd: lambda times, cutoff: gap_deviation(times),
    declared.LastGap: lambda times, cutoff: gaps(times)[-1] if gaps(times) else None,
}


# The compositions, evaluated over what is visible and a window in days relative to the cutoff.


def evaluate(aggregate: Any, visible: list[Event], cutoff: int, begin: float, end: float) -> Answer:
    """Any aggregate for one customer at one cutoff, over ``[cutoff + begin, cutoff + end)`` in days."""

    def again(inner: Any, begin: float = begin, end: float = end) -> Answer:
        return evaluate(inner, visible, cutoff, begin, end)

    length = end - begin
    window = between(visible, cutoff + round(begin * DAY), cutoff + round(end * DAY))
    if type(aggregate) in OF_VALUES:
        chosen = [e for e in window if satisfies(e, aggregate.where)]
        return OF_VALUES[type(aggregate)](values_of(chosen, aggregate.column))
    if type(aggregate) in OF_TIMES:
        return OF_TIMES[type(aggregate)]([e["time"] for e in window if satisfies(e, aggregate.where)], cutoff)
    if isinstance(aggregate, declared.Over):
        return again(aggregate.inner, end - aggregate.days.count)
    if isinstance(aggregate, declared.Plus):
        inner = again(aggregate.inner)
        return None if inner is None else inner + aggregate.constant
    if isinstance(aggregate, declared.Ratio):
        above, below = again(aggregate.above), again(aggregate.below)
        return divided(None if above is None else aggregate.times * above, below)
    if isinstance(aggregate, declared.Share):
        return divided(again(declared.Count(aggregate.where)), again(declared.Count()))
    if isinstance(aggregate, declared.If):
        test = again(aggregate.test)
        return again(aggregate.then) if test is not None and test > 0 else None
    if isinstance(aggregate, declared.Trend | declared.Growth | declared.Slope):
        now, before = again(aggregate.inner), again(aggregate.inner, begin - length, begin)
        if now is None or before is None:
            return None
        if isinstance(aggregate, declared.Trend):
            return divided(now - before, abs(now) + abs(before))
        return divided(now, before) if isinstance(aggregate, declared.Growth) else (now - before) / length
    if isinstance(aggregate, declared.Pace):
        now, usual = again(aggregate.inner), again(aggregate.inner, begin - aggregate.usual.count, begin)
        return None if now is None or usual is None else divided(now / length, usual / aggregate.usual.count)
    if isinstance(aggregate, declared.MonthsUntil):
        day = again(declared.Last(aggregate.column, aggregate.where))
        return None if day is None else (day - cutoff / DAY) / DAYS_PER_MONTH
    assert isinstance(aggregate, declared.YearPart), f"{type(aggregate).__name__} has no twin yet; write it here"
    years = cutoff / (DAY * 365.2425)
    angle = 2 * math.pi * (years - math.floor(years))
    return {"sin": math.sin, "cos": math.cos}[aggregate.axis](angle)


def divided(above: Answer, below: Answer) -> Answer:
    """None where either is missing, or the divisor is 0 or so small that the answer is no number."""
    if above is None or below is None or below == 0 or math.isinf(above / below):
        return None
    return above / below


def of_feature(record: Feature, visible: list[Event], cutoff: int) -> Any:
    """The value of any feature from what is known of one customer; None where there is nothing to answer from."""
    return evaluate(record.aggregate, visible, cutoff, -record.window.count, 0)


# The labels.


def churned(settings: ChurnSettings, business: Mapping[str, Sequence[Event]], customer: int, cutoff: int) -> Answer:
    """1 if the customer is lost in the outcome window, 0 if not, None if already gone when it begins."""
    begin = cutoff + round(settings.gap_days * DAY)
    end = cutoff + round((settings.gap_days + settings.horizon_days) * DAY)
    if settings.kind == "no_order":
        seen = between(of_customer(business["orders"], customer), begin, end)
        return float(not any(satisfies(e, Where("amount", ">=", 0.0)) for e in seen))
    if settings.kind == "no_event":
        seen = between(of_customer(business["engagement"], customer), begin, end)
        return float(not any(settings.events is None or e["kind"] in settings.events for e in seen))
    changes = of_customer(business["subscriptions"], customer)
    return left_for_good(changes, begin, end, round((settings.grace_days or 0) * DAY))


def left_for_good(changes: Sequence[Event], begin: int, end: int, grace: int) -> Answer:
    """Whether at some moment of the window the last contract ends and none runs again within the grace."""

    def running_after(moment: int) -> bool:
        return total([e["active_delta"] for e in changes if e["time"] <= moment]) > 0

    if not running_after(begin - 1):
        return None
    moments = sorted({e["time"] for e in changes})
    for moment in moments:
        if begin <= moment < end and running_after(moment - 1) and not running_after(moment):
            later = [other for other in moments if moment < other < moment + grace]
            if not any(running_after(other) for other in later):
                return 1.0
    return 0.0


def future_value(
    settings: ValueSettings, gap_days: float, business: Mapping[str, Sequence[Event]], customer: int, cutoff: int
) -> float:
    """What the customer brings in the value window, in currency."""
    begin, end = cutoff + round(gap_days * DAY), cutoff + round((gap_days + settings.horizon_days) * DAY)
    if settings.of == "mrr":
        return revenue(of_customer(business["subscriptions"], customer), begin, end)
    column = {"revenue": "amount", "margin": "margin"}[settings.of]
    return total(values_of(between(of_customer(business["orders"], customer), begin, end), column))


def revenue(changes: Sequence[Event], begin: int, end: int) -> float:
    """Month after month: the level of each stretch between two changes, times the months that it lasts."""
    edges = sorted({begin, end, *(e["time"] for e in changes if begin <= e["time"] < end)})
    earned = 0.0
    for start, stop in pairwise(edges):
        level = total(values_of([e for e in changes if e["time"] <= start], "mrr_delta"))
        earned += level * ((stop - start) / DAY / DAYS_PER_MONTH)
    return earned


def treated(settings: ChurnSettings, business: Mapping[str, Sequence[Event]], customer: int, cutoff: int) -> float:
    """1 if we contacted the customer in the outcome window."""
    begin = cutoff + round(settings.gap_days * DAY)
    end = cutoff + round((settings.gap_days + settings.horizon_days) * DAY)
    seen = between(of_customer(business.get("contacts", []), customer), begin, end)
    return float(any(e["moment"] == "sent" for e in seen))


def labels(
    settings: LabelSettings, business: Mapping[str, Sequence[Event]], customer: int, cutoff: int
) -> dict[str, Answer]:
    """All labels of one snapshot."""
    return {
        "churned": churned(settings.churn, business, customer, cutoff),
        "future_value": future_value(settings.value, settings.churn.gap_days, business, customer, cutoff),
        "treated": treated(settings.churn, business, customer, cutoff),
    }
