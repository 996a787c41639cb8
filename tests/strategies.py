"""The drawn events of ``holdfast.testing``, under the names that the tests use."""

from __future__ import annotations

from collections.abc import Mapping

from holdfast.history.stream import Stream
from holdfast.testing.events import CATEGORIES, CUSTOMERS, Business, Event, in_order, stream_of
from holdfast.testing.strategies import (
    DAY,
    DRAWN,
    EDGES,
    ERAS,
    businesses,
    cutoffs,
    delays,
    events,
    instants,
    numbers,
    offsets,
)

__all__ = [
    "CATEGORIES",
    "CUSTOMERS",
    "DAY",
    "DRAWN",
    "EDGES",
    "ERAS",
    "Business",
    "Event",
    "businesses",
    "cutoffs",
    "delays",
    "events",
    "in_order",
    "instants",
    "numbers",
    "offsets",
    "stream_of",
    "streams_of",
]


def streams_of(business: Mapping[str, list[Event]]) -> dict[str, Stream]:
    """Every stream of a business."""
    return {name: stream_of(listed, DRAWN[name], CATEGORIES.get(name)) for name, listed in business.items()}
