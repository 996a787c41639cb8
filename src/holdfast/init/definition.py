"""Which definition to propose: the population, the churn, the value and the cutoffs that the history can carry."""

from __future__ import annotations

from dataclasses import dataclass

from holdfast.errors import DataError
from holdfast.init.draft import Draft
from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings, needed
from holdfast.snapshots import PopulationSettings, build_snapshots, complete_until
from holdfast.sources import Engine
from holdfast.timeline import MICROSECONDS_PER_DAY, Days, every, month_starts, show

HORIZONS = (90.0, 60.0, 30.0, 14.0, 7.0)  # days; the longest that the history can test is taken
GRACE = 14.0
MOST_TESTS = 3
LONGEST = Days(3 * 365)  # older customers behaved in another world, and take time to learn from


@dataclass(frozen=True)
class Definition:
    """Who counts as a customer, when one is lost, what one is worth, and at which instants to learn that."""

    population: PopulationSettings
    labels: LabelSettings
    every: str
    first: int
    tests: tuple[int, ...]
    churned: float

    @property
    def horizon(self) -> float:
        """Days of the outcome window."""
        return self.labels.churn.horizon_days


def propose(draft: Draft, tables: Engine) -> Definition:
    """Proposes the definition with the longest horizon that the history can test.

    Raises
    ------
    DataError
        The history is too short for any horizon.
    """
    for horizon in HORIZONS:
        population, labels = _meaning(draft, horizon)
        last = complete_until(tables, labels)
        begin = _begin(tables, labels, last)
        room = Days(min(2 * horizon, max(0.0, (last - begin) / MICROSECONDS_PER_DAY / 4)))
        first = begin + room.microseconds
        months = (
            month_starts(first, last) if horizon >= 30 else every(horizon, first, last - last % MICROSECONDS_PER_DAY)
        )
        apart = max(1, round(horizon / 30)) if horizon >= 30 else 1
        complete = labels.complete_after.microseconds
        tests = [at for at in months[::-apart] if months[0] + complete <= at][:MOST_TESTS] if months else []
        if tests:
            step = "month" if horizon >= 30 else f"{horizon:g}"
            table = build_snapshots(tables, (), population=population, cutoffs=tests, labels=labels)
            churned = float(table["churned"].mean())
            return Definition(population, labels, step, months[0], tuple(sorted(tests)), churned)
    raise DataError(
        f"Wanted a history in which a horizon of {HORIZONS[-1]:g} days can be learnt and tested, found "
        f"{show(tables.data_from)} to {show(tables.data_until)}. Add older data."
    )


def _begin(tables: Engine, labels: LabelSettings, last: int) -> int:
    """When the sources have begun: those of the labels, and others that leave enough after them; not too long ago."""
    firsts = {source.name: source.first for source in tables.report if source.name != "customers" and source.first}
    told = needed(labels)
    enough = last - Days(4 * labels.churn.horizon_days).microseconds
    begun = [first for name, first in firsts.items() if name in told or first <= enough]
    return max([*begun, last - LONGEST.microseconds])


def _meaning(draft: Draft, horizon: float) -> tuple[PopulationSettings, LabelSettings]:
    if draft.contractual:
        return PopulationSettings(subscribed=True), LabelSettings(
            churn=ChurnSettings(
                kind="subscription_end", horizon_days=horizon, grace_days=min(GRACE, horizon), events=None
            ),
            value=ValueSettings(of="mrr", horizon_days=horizon),
        )
    return PopulationSettings(bought_within_days=2 * horizon), LabelSettings(
        churn=ChurnSettings(kind="no_order", horizon_days=horizon, grace_days=None, events=None),
        value=ValueSettings(of="revenue", horizon_days=horizon),
    )
