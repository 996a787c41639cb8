"""What happened next: churn, value and treatment of each snapshot, by the kernel that also computes the features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdfast.history import levels
from holdfast.history.aggregates import Count, Sum
from holdfast.history.arrays import Indices, Numbers
from holdfast.history.conditions import Where
from holdfast.history.stream import Stream, View, Window, whole
from holdfast.labels.settings import ChurnSettings, LabelSettings, ValueSettings
from holdfast.labels.signs import PURCHASE, SIGNS, days_with_signs
from holdfast.timeline import DAYS_PER_MONTH, MICROSECONDS_PER_DAY, Days, Instants

SENT = Where("moment", "==", "sent")

Streams = Mapping[str, Stream]
LABELS = ("churned", "future_value", "treated")
EVENT = "days_to_event"
"""Days from the beginning of the outcome window to the event that decides churn; see :func:`days_to_event`."""


_CHURN_READS = {
    "no_order": ("orders", {"amount"}),
    "subscription_end": ("subscriptions", {"active_delta"}),
    "no_event": ("engagement", {"kind"}),
}
_VALUE_READS = {
    "revenue": ("orders", {"amount"}),
    "margin": ("orders", {"margin"}),
    "mrr": ("subscriptions", {"mrr_delta"}),
}


def reads(settings: ChurnSettings | ValueSettings) -> tuple[str, set[str]]:
    """The stream that one label reads, and its columns."""
    stream, columns = _CHURN_READS[settings.kind] if isinstance(settings, ChurnSettings) else _VALUE_READS[settings.of]
    return stream, set(columns)


def needed(settings: LabelSettings) -> dict[str, set[str]]:
    """The columns to read per stream, without the contact log, which is optional."""
    streams: dict[str, set[str]] = {}
    for stream, columns in (reads(settings.churn), reads(settings.value)):
        streams.setdefault(stream, set()).update(columns)
    return streams


def label(settings: LabelSettings, streams: Streams, customers: Indices, cutoffs: Instants) -> dict[str, Numbers]:
    """Label every snapshot.

    Returns
    -------
    dict of arrays of shape (n_snapshots,)
        ``churned`` is 0 or 1, NaN where the customer had already left when the outcome window began;
        ``future_value`` in currency; ``treated`` is 1 where we contacted the customer in the outcome window. Where no
        contract tells who is a customer, the days with signs of life (:mod:`signs`). With
        ``look_ahead_days`` also ``days_to_event``.
    """
    found = {
        "churned": churned(settings.churn, streams, customers, cutoffs),
        "future_value": future_value(settings.value, settings.gap, streams, customers, cutoffs),
        "treated": _treated(settings.churn, streams, customers, cutoffs),
    }
    if settings.churn.kind != "subscription_end":
        found |= days_with_signs(settings.churn, streams, customers, cutoffs)
    if settings.look_ahead_days is not None:
        found[EVENT] = days_to_event(settings.churn, settings.look_ahead_days, streams, customers, cutoffs)
    return found


def label_names(settings: LabelSettings) -> tuple[str, ...]:
    """The names of what :func:`label` gives, in its order."""
    signs = () if settings.churn.kind == "subscription_end" else SIGNS
    return (*LABELS, *signs, *(() if settings.look_ahead_days is None else (EVENT,)))


def _outcome(settings: ChurnSettings) -> Window:
    return Window(Days(settings.gap_days), Days(settings.gap_days + settings.horizon_days))


def event_is_churn(settings: ChurnSettings) -> bool:
    """Whether the event that decides churn is the loss itself (a contract ends) and not a return (an order comes).

    The longer one waits, the likelier the event has come; so the probability of churn grows with the horizon if this
    holds, and falls with it otherwise.
    """
    return settings.kind == "subscription_end"


def churned(settings: ChurnSettings, streams: Streams, customers: Indices, cutoffs: Instants) -> Numbers:
    """0 or 1 per snapshot, NaN where the customer had already left when the outcome window began."""
    days = _days(settings, _outcome(settings), streams, customers, cutoffs)
    return np.where(np.isnan(days), np.nan, np.isfinite(days) == event_is_churn(settings))


def days_to_event(
    settings: ChurnSettings, longest: float, streams: Streams, customers: Indices, cutoffs: Instants
) -> Numbers:
    """Days from the beginning of the outcome window until the event that decides churn, at most ``longest``.

    For ``subscription_end`` the event is the end of the last running contract that is not renewed within the grace
    period; for ``no_order`` and ``no_event`` it is the next order or sign of life. So the outcome of every horizon up
    to ``longest`` is told by one number: the event came within ``h`` days exactly if the number is below ``h``. Where
    none came it is ``longest``; NaN where the customer had already left when the outcome window began.
    """
    window = Window(Days(settings.gap_days), Days(settings.gap_days + longest))
    return np.minimum(_days(settings, window, streams, customers, cutoffs), longest)


def _days(settings: ChurnSettings, window: Window, streams: Streams, customers: Indices, cutoffs: Instants) -> Numbers:
    """Days from the window's beginning to the event; infinite where none comes in it."""
    begins = cutoffs + window.begin.microseconds
    if settings.kind == "subscription_end":
        view = whole(streams["subscriptions"], customers, cutoffs)
        ends, grace = cutoffs + window.end.microseconds, Days(settings.grace_days or 0).microseconds
        return levels.days_until_end(
            view.columns["active_delta"], view.times, view.first, view.last, begins, ends, grace
        )
    view = whole(streams["orders" if settings.kind == "no_order" else "engagement"], customers, cutoffs)
    kinds = [None] if settings.events is None else [Where("kind", "==", kind) for kind in settings.events]
    signs = [PURCHASE] if settings.kind == "no_order" else kinds
    return np.asarray(np.minimum.reduce([_first(view.only(sign), window, begins) for sign in signs]))


def _first(view: View, window: Window, begins: Instants) -> Numbers:
    """Days from ``begins`` to the first row in the window, infinite without one."""
    first, last = view.within(window)
    days, some = np.full(len(begins), np.inf), first < last
    days[some] = (view.times[first[some]] - begins[some]) / MICROSECONDS_PER_DAY
    return days


def future_value(
    settings: ValueSettings, gap: Days, streams: Streams, customers: Indices, cutoffs: Instants
) -> Numbers:
    """What came in the outcome window of each snapshot, in currency."""
    window = Window(gap, Days(gap.count + settings.horizon_days))
    if settings.of == "mrr":
        return _revenue(streams["subscriptions"], customers, cutoffs, window)
    column = {"revenue": "amount", "margin": "margin"}[settings.of]
    return Sum(column)(whole(streams["orders"], customers, cutoffs), window)


def _revenue(stream: Stream, customers: Indices, cutoffs: Instants, window: Window) -> Numbers:
    """Monthly revenue times months: the level when the window begins, and each change for the time it has left."""
    view = whole(stream, customers, cutoffs)
    begin, end = view.within(window)
    deltas = view.columns["mrr_delta"]
    level = Sum("mrr_delta").over(view, view.first, begin)
    changes = levels.level_days(deltas, view.times, begin, end, cutoffs + window.end.microseconds)
    return (level * window.length.count + changes) / DAYS_PER_MONTH


def _treated(settings: ChurnSettings, streams: Streams, customers: Indices, cutoffs: Instants) -> Numbers:
    if "contacts" not in streams:
        return np.zeros(cutoffs.size)
    sent = Count(SENT)(whole(streams["contacts"], customers, cutoffs), _outcome(settings))
    return np.where(sent > 0, 1.0, 0.0)
