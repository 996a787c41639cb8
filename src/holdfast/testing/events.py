"""Invented events: how they look, their order, and how they become the streams that the kernel reads.

An event is a plain dict: ``customer`` (a small int), ``time`` and ``known`` (microseconds), and its columns; a number
or text that the event does not have is None.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from holdfast.files import TemporaryFolder
from holdfast.history.stream import Stream
from holdfast.sources import DuckTables
from holdfast.sources.connection import quoted
from holdfast.sources.report import SourcesReport
from holdfast.sources.streams import StreamInfo
from holdfast.timeline import Days

Event = dict[str, Any]
Business = dict[str, list[Event]]

CUSTOMERS = 3

CATEGORIES: dict[str, dict[str, tuple[str, ...]]] = {
    "items": {"category": ("a", "b", "ü")},
    "engagement": {"kind": ("email_click", "email_open", "email_sent", "visit")},
    "tickets": {
        "moment": ("opened", "rated", "reopened", "resolved"),
        "severity": ("high", "low"),
        "topic": ("delivery", "price"),
    },
    "subscriptions": {
        "moment": ("ended", "payment_failed", "plan_changed", "price_changed", "renewed", "started"),
        "plan": ("basic", "pro"),
    },
    "contacts": {"moment": ("responded", "sent"), "channel": ("email", "phone"), "action": ("offer", "survey")},
    "customers": {"moment": ("attribute", "joined"), "country": ("FR", "UK")},
}
"""Per stream the category columns with their sorted levels."""


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


def visible(events: Sequence[Event], customer: int, cutoff: int) -> list[Event]:
    """What of a customer happened and was known before the cutoff, as it is ordered."""
    return [e for e in events if e["customer"] == customer and e["time"] < cutoff and e["known"] < cutoff]


def within(events: Sequence[Event], cutoff: int, days: float) -> list[Event]:
    """The events of the last so many days before the cutoff."""
    return [e for e in events if cutoff - Days(days).microseconds <= e["time"] < cutoff]


@contextmanager
def tables_of(name: str, listed: Sequence[Event], columns: Mapping[str, bool]) -> Iterator[DuckTables]:
    """One stream as the valid tables of a business, in the order in which the events are listed.

    Parameters
    ----------
    columns : mapping of column to whether it holds texts
    """
    folder = TemporaryFolder.make()
    connection = duckdb.connect(config={"threads": 1})
    whole = {"customer": pa.int64(), "event_time": pa.int64(), "known_time": pa.int64()}
    whole |= {column: pa.string() if texts else pa.float64() for column, texts in columns.items()}
    keys = {"event_time": "time", "known_time": "known"}
    arrays = {column: pa.array([e[keys.get(column, column)] for e in listed], kind) for column, kind in whole.items()}
    connection.register("drawn", pa.table(arrays))
    connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT * FROM drawn")
    connection.execute(
        f"CREATE TABLE customers_index AS SELECT range AS customer, 'c' || range AS customer_id FROM range({CUSTOMERS})"
    )
    info = StreamInfo(name, {column: "category" if texts else "number" for column, texts in columns.items()})
    with DuckTables(connection, folder, {name: info}, SourcesReport(())) as tables:
        yield tables
