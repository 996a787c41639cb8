"""Events for properties: awkward instants, awkward numbers, and how events become the streams that the kernel reads.

An event is a plain dict: ``customer`` (a small int), ``time`` and ``known`` (microseconds), and its columns; a number
or text that the event does not have is None. ``DRAWN`` lists the streams of a business with the columns they may have.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st

from holdfast.history.stream import Stream
from holdfast.timeline import BEGINNING, MICROSECONDS_PER_DAY, instant

DAY = MICROSECONDS_PER_DAY
Event = dict[str, Any]
Business = dict[str, list[Event]]

ERAS = tuple(
    tuple(map(instant, days)) for days in (("1970-01-01", "1970-03-01"), ("2024-02-29", "2024-03-01"), ("2100-01-01",))
)
"""Cutoffs that lie near each other: at the beginning of the clock, around a leap day, and far in the future."""

EDGES = (0, 1, 30, 60, 90, 180, 365)
"""Days at which the windows of the catalogue begin or end."""

KINDS = ("email_click", "email_open", "email_sent", "visit")
CUSTOMERS = 3


def offsets() -> st.SearchStrategy[int]:
    """Microseconds from a cutoff: at it, at the edges of windows, one before or after, or anywhere in two years."""
    days = st.sampled_from([0, *EDGES, *(-edge for edge in EDGES)])
    near = st.builds(lambda day, step: day * DAY + step, days, st.sampled_from([-1, 0, 0, 1]))
    return near | st.integers(-800 * DAY, 200 * DAY)


def instants(era: tuple[int, ...]) -> st.SearchStrategy[int]:
    """Instants near one of the cutoffs of an era, so that ties and edges are common."""
    return st.builds(int.__add__, st.sampled_from(era), offsets())


def cutoffs(era: tuple[int, ...]) -> st.SearchStrategy[list[int]]:
    """One to three cutoffs of an era, mostly its own, at times any instant."""
    return st.lists(st.sampled_from(era) | instants(era), min_size=1, max_size=3, unique=True)


def delays() -> st.SearchStrategy[int]:
    """How long after it happened an event became known; mostly at once."""
    return st.sampled_from([0, 0, 0, 0, 1, DAY, 40 * DAY, 400 * DAY])


def numbers() -> st.SearchStrategy[float | None]:
    """Amounts from a fraction of a cent to a million million, both signs, often equal, sometimes missing."""
    common = st.sampled_from([None, 0.0, -0.0, 0.1, 0.2, 1.0, 6.0, 9.0, -3.5, 1e12, -1e12])
    return common | st.floats(-1e12, 1e12, allow_nan=False)


def events(
    columns: Mapping[str, st.SearchStrategy[Any]], era: tuple[int, ...], *, at_most: int = 12
) -> st.SearchStrategy[list[Event]]:
    """A list of events of a few customers, none and one included."""
    return st.lists(
        st.builds(
            lambda customer, time, delay, values: {"customer": customer, "time": time, "known": time + delay, **values},
            st.integers(0, CUSTOMERS - 1),
            instants(era),
            delays(),
            st.fixed_dictionaries(dict(columns)),
        ),
        max_size=at_most,
    )


def _texts(*texts: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from([*texts, None])


DRAWN: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "orders": {
        "amount": numbers(),
        "margin": numbers(),
        "discount": numbers(),
        "items": st.sampled_from([1.0, 2.0, 7.0]),
    },
    "items": {"category": _texts("a", "b", "ü"), "amount": numbers()},
    "engagement": {"kind": st.sampled_from(KINDS), "quantity": numbers()},
    "tickets": {
        "moment": st.sampled_from(["opened", "resolved", "reopened", "rated"]),
        "severity": _texts("high", "low"),
        "topic": _texts("delivery", "price"),
        "open_delta": st.sampled_from([-1.0, 0.0, 1.0]),
        "hours_to_resolve": numbers(),
        "satisfaction": numbers(),
    },
    "subscriptions": {
        "moment": st.sampled_from(["started", "renewed", "plan_changed", "price_changed", "payment_failed", "ended"]),
        "plan": _texts("basic", "pro"),
        "mrr": numbers(),
        "mrr_delta": st.sampled_from([-99.5, -10.0, 0.0, 0.1, 10.0, 99.5]),
        "active_delta": st.sampled_from([-1.0, 0.0, 1.0, 1.0]),
        "term_end_day": st.sampled_from([None, 0.0, 19_800.0, 47_500.0]),
    },
    "surveys": {"score": st.sampled_from([None, 0.0, 6.0, 6.5, 7.0, 9.0, 10.0])},
    "contacts": {
        "moment": st.sampled_from(["sent", "responded"]),
        "channel": _texts("email", "phone"),
        "action": _texts("offer", "survey"),
        "offer": st.sampled_from([None, 0.0, 1.0]),
    },
    "customers": {
        "moment": st.sampled_from(["joined", "attribute"]),
        "country": _texts("FR", "UK"),
        "consent": st.sampled_from([None, 0.0, 1.0]),
    },
}
"""Per stream the columns and what they may hold."""

CATEGORIES: dict[str, dict[str, tuple[str, ...]]] = {
    "items": {"category": ("a", "b", "ü")},
    "engagement": {"kind": KINDS},
    "tickets": {
        "moment": ("opened", "rated", "reopened", "resolved"),
        "severity": ("high", "low"),
        "topic": ("delivery", "price"),
    },
    "subscriptions": {
        "moment": ("ended", "payment_failed", "plan_changed", "price_changed", "renewed", "started"),
        "plan": ("basic", "pro"),
    },
    "contacts": {
        "moment": ("responded", "sent"),
        "channel": ("email", "phone"),
        "action": ("offer", "survey"),
    },
    "customers": {"moment": ("attribute", "joined"), "country": ("FR", "UK")},
}
"""Per stream the category columns with their sorted levels."""


def businesses(era: tuple[int, ...]) -> st.SearchStrategy[Business]:
    """All streams of one small business; what is known of a customer from the start lies at the beginning of time."""

    def from_the_start(business: Business, flags: list[bool]) -> Business:
        for event, flag in zip(business["customers"], flags, strict=False):
            if flag and event["moment"] == "attribute":
                event["time"] = event["known"] = BEGINNING
        return business

    drawn = st.fixed_dictionaries({name: events(columns, era) for name, columns in DRAWN.items()})
    return st.builds(from_the_start, drawn, st.lists(st.booleans(), min_size=12, max_size=12))


def in_order(listed: Sequence[Event]) -> list[Event]:
    """Sorted by customer, time, known time and then every column by name, what is missing last."""

    def key(event: Event) -> tuple[Any, ...]:
        names = sorted(event.keys() - {"customer", "time", "known"})
        cells = ((event[name] is None, 0.0 if event[name] is None else event[name]) for name in names)
        return event["customer"], event["time"], event["known"], *cells

    return sorted(listed, key=key)


def stream_of(
    listed: Sequence[Event],
    columns: Collection[str],
    levels: Mapping[str, tuple[str, ...]] | None = None,
    *,
    customers: int = CUSTOMERS,
) -> Stream:
    """The events as the driver would hand them over."""
    levels = levels or {}

    def number(name: str, value: float | str | None) -> float:
        if value is None:
            return np.nan
        return float(levels[name].index(value)) if isinstance(value, str) else value

    ordered = in_order(listed)
    owners = np.array([event["customer"] for event in ordered], dtype=np.int64)
    return Stream(
        starts=np.searchsorted(owners, np.arange(customers + 1)),
        times=np.array([event["time"] for event in ordered], dtype=np.int64),
        known=np.array([event["known"] for event in ordered], dtype=np.int64),
        columns={name: np.array([number(name, event[name]) for event in ordered], dtype=float) for name in columns},
        levels={name: levels[name] for name in columns if name in levels},
    )


def streams_of(business: Business) -> dict[str, Stream]:
    """Every stream of a business."""
    return {name: stream_of(listed, DRAWN[name], CATEGORIES.get(name)) for name, listed in business.items()}
