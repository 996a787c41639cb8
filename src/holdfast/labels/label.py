"""What happened next: churn, value and treatment of each snapshot, by the kernel that also computes the features."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from holdfast.history import levels
from holdfast.history.aggregates import Count, Sum
from holdfast.history.arrays import Indices, Mask, Numbers
from holdfast.history.conditions import Where
from holdfast.history.stream import Stream, Window, whole
from holdfast.labels.settings import ChurnSettings, LabelSettings, ValueSettings
from holdfast.timeline import DAYS_PER_MONTH, Days, Instants

PURCHASE = Where("amount", ">=", 0.0)
SENT = Where("moment", "==", "sent")

Streams = Mapping[str, Stream]
LABELS = ("churned", "future_value", "treated")


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
        ``future_value`` in currency; ``treated`` is 1 where we contacted the customer in the outcome window.
    """
    return {
        "churned": churned(settings.churn, streams, customers, cutoffs),
        "future_value": future_value(settings.value, settings.gap, streams, customers, cutoffs),
        "treated": _treated(settings.churn, streams, customers, cutoffs),
    }


def _outcome(settings: ChurnSettings) -> Window:
    return Window(Days(settings.gap_days), Days(settings.gap_days + settings.horizon_days))


def churned(settings: ChurnSettings, streams: Streams, customers: Indices, cutoffs: Instants) -> Numbers:
    """0 or 1 per snapshot, NaN where the customer had already left when the outcome window began."""
    outcome = _outcome(settings)
    if settings.kind == "no_order":
        view = whole(streams["orders"], customers, cutoffs)
        return _flag(Count(PURCHASE)(view, outcome) == 0)
    if settings.kind == "no_event":
        view = whole(streams["engagement"], customers, cutoffs)
        signs = [None] if settings.events is None else [Where("kind", "==", kind) for kind in settings.events]
        return _flag(np.sum([Count(sign)(view, outcome) for sign in signs], axis=0) == 0)
    view = whole(streams["subscriptions"], customers, cutoffs)
    begins, ends = (cutoffs + edge.microseconds for edge in (outcome.begin, outcome.end))
    grace = Days(settings.grace_days or 0).microseconds
    return levels.ends_for_good(view.columns["active_delta"], view.times, view.first, view.last, begins, ends, grace)


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
    view = whole(streams["contacts"], customers, cutoffs)
    return _flag(Count(SENT)(view, _outcome(settings)) > 0)


def _flag(holds: Mask) -> Numbers:
    return holds.astype(np.float64)
