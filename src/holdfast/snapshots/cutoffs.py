"""At which instants to stand: the calendar of training and testing, and which outcomes are complete."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from holdfast.errors import ConfigError, DataError
from holdfast.labels import LabelSettings
from holdfast.labels import needed as needed_by_labels
from holdfast.settings import Settings
from holdfast.sources import Engine
from holdfast.timeline import Days, every, instant, month_starts, show


class CutoffSettings(Settings):
    """At which instants to stand for training and testing."""

    every: Literal["month"] | Annotated[float, Field(ge=1, le=36_525)] = Field(
        description="month: the first of each month. A number: so many days apart, in step with the last test cutoff."
    )
    first: date | datetime = Field(description="No training cutoff before this; leave room for a window you trust.")
    test: tuple[date | datetime, ...] = Field(min_length=1, description="Cutoffs of the backtest.")


def observed_until(tables: Engine, labels: LabelSettings) -> int:
    """The last instant up to which the sources of the labels tell what happened.

    A source that stops early (orders of last month are not loaded yet, tickets of today are) would otherwise look like
    customers who all stopped buying.
    """
    ends = [tables.until(stream) for stream in needed_by_labels(labels) if stream in tables.streams]
    return min((end for end in ends if end is not None), default=tables.data_until)


def complete_until(tables: Engine, labels: LabelSettings) -> int:
    """The last instant at which both of a cutoff's labels are complete in the data."""
    return observed_until(tables, labels) - labels.complete_after.microseconds


def require_complete(cutoffs: Iterable[int], tables: Engine, labels: LabelSettings) -> None:
    """Refuse cutoffs whose outcome is still open.

    Raises
    ------
    DataError
        Names the first such cutoff and the date from which it can be used.
    """
    until, last = observed_until(tables, labels), complete_until(tables, labels)
    if last > tables.data_from:
        way_out = f"take a cutoff no later than {show(last)}"
    else:
        way_out = "shorten the horizon, or ask project.extrapolate"
    for cutoff in sorted(cutoffs):
        ready = cutoff + labels.complete_after.microseconds
        if ready > until:
            raise DataError(
                f"Cutoff {show(cutoff)} needs {labels.complete_after.count:g} days of outcome; the data of "
                f"{' and '.join(needed_by_labels(labels))} ends at {show(until)}. "
                f"Use it from {show(ready)} on, when its outcome is complete, or {way_out}."
            )
        if cutoff <= tables.data_from:
            raise DataError(
                f"Cutoff {show(cutoff)} lies before the first event of the data ({show(tables.data_from)}). "
                "Take a later cutoff, or add older data."
            )


def training_cutoffs(settings: CutoffSettings, tables: Engine, labels: LabelSettings) -> list[int]:
    """Every cutoff from the first on whose churn is known, and those to test on, whose value is too; earliest first.

    Raises
    ------
    DataError
        The outcome of a test cutoff is not complete in the data.
    ConfigError
        No cutoff remains to train on.
    """
    tests = [instant(at) for at in settings.test]
    require_complete(tests, tables, labels)
    first = max(instant(settings.first), tables.data_from + 1)
    last = observed_until(tables, labels) - labels.churn_after.microseconds
    if settings.every == "month":
        regular = month_starts(first, last)
    else:
        step = Days(settings.every).microseconds
        regular = every(settings.every, first, max(tests) + (last - max(tests)) // step * step)
    if not any(cutoff < min(tests) for cutoff in regular):
        raise ConfigError(
            f"Wanted training cutoffs from cutoffs.first ({show(first)}) up to the first test cutoff "
            f"({show(min(tests))}), found none; the last cutoff with a complete outcome is {show(last)}. "
            "Begin earlier, test later, or shorten the horizon; project.extrapolate needs no outcome of a whole one."
        )
    return sorted({*regular, *tests})
