"""Signs of life: whatever customers do of their own accord, in any source. Who shows none for good has gone.

An order, a visit, an opened e-mail, a question to the support desk, an answered survey or contact are signs of life; an
e-mail that we sent is none. Where no contract says who is a customer, they tell who is still there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

import numpy as np

from holdfast.history.arrays import Indices, Numbers
from holdfast.history.conditions import Condition, OneOf, Where
from holdfast.history.stream import Stream, Window, whole
from holdfast.labels.settings import ChurnSettings
from holdfast.timeline import MICROSECONDS_PER_DAY, Days, Instants

PURCHASE = Where("amount", ">=", 0.0)
PAST, LATER = 9, 6
SIGNS = (*(f"signs_past_{k}" for k in range(PAST, 0, -1)), *(f"signs_later_{k}" for k in range(1, LATER + 1)))
"""Days with a sign of life in each period before the cutoff and after it, in order of time; a period is a third of the
time from the cutoff to the end of the outcome window."""

_BY_CUSTOMERS: dict[str, Condition | None] = {
    "orders": PURCHASE,
    "engagement": None,
    "tickets": Where("moment", "==", "opened"),
    "surveys": None,
    "contacts": Where("moment", "==", "responded"),
}
_BY_US = ("sent", "deliver", "bounce", "dropped", "impression", "unsubscrib", "suppress", "queued", "scheduled", "spam")


def of_own_accord(kind: str) -> bool:
    """Whether engagement of this kind is the customer's doing, as far as its name says: an e-mail sent is ours."""
    return not any(word in kind.casefold() for word in _BY_US)


def reads_signs(settings: ChurnSettings, there: Mapping[str, Collection[str]]) -> dict[str, set[str]]:
    """The columns that signs of life are read from, per stream, of those that are there; none where contracts tell."""
    if settings.kind == "subscription_end":
        return {}
    asked = {name: set() if rule is None else set(rule.columns) for name, rule in _BY_CUSTOMERS.items()}
    if "kind" in there.get("engagement", ()):
        asked["engagement"] = {"kind"}
    return {name: columns for name, columns in asked.items() if name in there and columns <= set(there[name])}


def _sign(name: str, stream: Stream, settings: ChurnSettings) -> Condition | None:
    """Which rows of a stream are signs of life; None where all are."""
    if name != "engagement" or "kind" not in stream.columns:
        return _BY_CUSTOMERS[name]
    kinds = settings.signs_of_life if settings.kind == "no_order" else settings.events
    levels = stream.levels.get("kind", ())
    return OneOf("kind", tuple(kinds if kinds is not None else filter(of_own_accord, levels)))


def days_with_signs(
    settings: ChurnSettings, streams: Mapping[str, Stream], customers: Indices, cutoffs: Instants
) -> dict[str, Numbers]:
    """The columns ``SIGNS`` of every snapshot; a period that the data does not reach has none."""
    there = reads_signs(settings, {name: stream.columns for name, stream in streams.items()})
    view = whole(_days({name: streams[name] for name in there}, settings), customers, cutoffs)
    period = (settings.gap_days + settings.horizon_days) / 3
    windows = (Window(Days(k * period), Days((k + 1) * period)) for k in range(-PAST, LATER))
    counts = (np.subtract(*view.within(window)[::-1]).astype(np.float64) for window in windows)
    return dict(zip(SIGNS, counts, strict=True))


def _days(streams: Mapping[str, Stream], settings: ChurnSettings) -> Stream:
    """The first sign of life of each customer on each day (UTC), in whatever source, as a stream."""
    people, times = [], []
    for name, stream in streams.items():
        rule = _sign(name, stream, settings)
        rows = slice(None) if rule is None else rule.rows(stream)
        people.append(np.repeat(np.arange(len(stream.starts) - 1), np.diff(stream.starts))[rows])
        times.append(stream.times[rows])
    customer, time = np.concatenate(people), np.concatenate(times)
    order = np.lexsort((time, customer))
    customer, time = customer[order], time[order]
    day = time // MICROSECONDS_PER_DAY
    new = np.ones(len(time), dtype=np.bool_)
    new[1:] = (np.diff(customer) > 0) | (np.diff(day) > 0)
    chunk = next(iter(streams.values()))
    starts = np.searchsorted(customer[new], np.arange(len(chunk.starts))).astype(np.int64)
    return Stream(starts, time[new], time[new], {})
