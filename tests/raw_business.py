"""Raw tables of a small business with all seven sources, drawn from a seed, as its systems would export them.

Two days before and after ``CUTOFF`` are crowded, many rows share an instant, some become known late, ids repeat.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd

from holdfast.sources import AttributeSettings, DuckTables, SourceSettings, open_sources
from holdfast.timeline import MICROSECONDS_PER_DAY, instant

DAY = MICROSECONDS_PER_DAY
CUTOFF = instant("2024-03-01")
CUSTOMERS = 40
Frames = dict[str, pd.DataFrame]
TIMES = {
    "event_time",
    "known_time",
    "opened_time",
    "resolved_time",
    "reopened_time",
    "rated_time",
    "responded_time",
    "signup_time",
    "consent_time",
    "segment_since",
    "term_end",
}


def _from_frame(name: str, *columns: str, **more: Any) -> SourceSettings:
    return SourceSettings(frame=name, columns={column: column for column in columns}, **more)


COMMON = ("customer_id", "event_time", "known_time", "event_id")
SOURCES = {
    "orders": _from_frame("orders", *COMMON, "order_id", "amount", "margin", "discount", "category"),
    "engagement": _from_frame("engagement", *COMMON, "kind", "quantity"),
    "tickets": _from_frame(
        "tickets",
        *("customer_id", "ticket_id", "known_time", "opened_time", "resolved_time", "reopened_time", "rated_time"),
        *("severity", "topic", "satisfaction"),
    ),
    "subscriptions": _from_frame("subscriptions", *COMMON, "subscription_id", "kind", "mrr", "plan", "term_end"),
    "surveys": _from_frame("surveys", *COMMON, "score"),
    "contacts": _from_frame("contacts", *COMMON, "channel", "action", "offer", "responded_time"),
    "customers": _from_frame(
        "customers",
        *("customer_id", "signup_time", "consent", "consent_time"),
        attributes={
            "country": AttributeSettings(column="country", static=True),
            "segment": AttributeSettings(column="segment", known_time="segment_since"),
        },
    ),
}


def some_time(draw: random.Random) -> int:
    """An instant around the cutoff: at it, at the edge of a window, or anywhere in two years."""
    day = draw.choice([0, 0, 1, -1, -7, -30, -90, -180, -365, draw.randint(-700, 400)])
    return CUTOFF + day * DAY + draw.choice([0, 0, -1, 1, draw.randrange(DAY)])


def after(draw: random.Random, moment: int) -> int:
    """The same instant or a later one."""
    return moment + draw.choice([0, 1, 3_600_000_000, DAY, 30 * DAY, draw.randrange(200 * DAY)])


def maybe(draw: random.Random, value: Any, share: float = 0.6) -> Any:
    """The value, or nothing."""
    return value if draw.random() < share else None


def _common(draw: random.Random) -> dict[str, Any]:
    happened = some_time(draw)
    known = happened if draw.random() < 0.8 else after(draw, happened)
    return {
        "customer_id": f"c{draw.randrange(CUSTOMERS):02}",
        "event_time": happened,
        "known_time": known,
        "event_id": maybe(draw, f"e{draw.randrange(2000)}"),
    }


def _order(draw: random.Random) -> dict[str, Any]:
    amount = draw.choice([10.0, 0.1, 0.2, 0.0, -0.1, -10.0, round(draw.uniform(-50, 300), 2)])
    return {
        **_common(draw),
        "order_id": maybe(draw, f"o{draw.randrange(100)}"),
        "amount": amount,
        "margin": maybe(draw, amount / 3),
        "discount": maybe(draw, 1.1),
        "category": maybe(draw, draw.choice(["tea", "café", "cups"])),
    }


def _engagement(draw: random.Random) -> dict[str, Any]:
    kind = draw.choice(["visit", "email_sent", "email_open", "email_click", "usage"])
    return {**_common(draw), "kind": kind, "quantity": maybe(draw, draw.uniform(0, 9))}


def _ticket(draw: random.Random) -> dict[str, Any]:
    common = _common(draw)
    resolved = maybe(draw, after(draw, common["event_time"]))
    rated = maybe(draw, after(draw, common["event_time"]))
    return {
        "customer_id": common["customer_id"],
        "ticket_id": common["event_id"],
        "known_time": common["known_time"],
        "opened_time": common["event_time"],
        "resolved_time": resolved,
        "reopened_time": maybe(draw, after(draw, resolved), 0.3) if resolved else None,
        "rated_time": rated,
        "severity": maybe(draw, draw.choice(["high", "low"])),
        "topic": maybe(draw, draw.choice(["delivery", "price"])),
        "satisfaction": draw.choice([1.0, 3.0, 5.0]) if rated else None,
    }


def _subscription(draw: random.Random) -> dict[str, Any]:
    moments = ("started", "started", "renewed", "plan_changed", "price_changed", "payment_failed", "ended")
    return {
        **_common(draw),
        "subscription_id": f"s{draw.randrange(3)}",
        "kind": draw.choice(moments),
        "mrr": draw.choice([9.99, 19.95, 99.0]),
        "plan": maybe(draw, draw.choice(["basic", "pro"])),
        "term_end": maybe(draw, CUTOFF + draw.randint(-100, 400) * DAY),
    }


def _survey(draw: random.Random) -> dict[str, Any]:
    return {**_common(draw), "score": float(draw.randint(0, 10))}


def _contact(draw: random.Random) -> dict[str, Any]:
    common = _common(draw)
    return {
        **common,
        "channel": draw.choice(["email", "phone"]),
        "action": draw.choice(["offer", "survey"]),
        "offer": draw.random() < 0.5,
        "responded_time": maybe(draw, after(draw, common["event_time"])),
    }


def _customer(draw: random.Random) -> dict[str, Any]:
    return {
        "customer_id": f"c{draw.randrange(CUSTOMERS):02}",
        "signup_time": maybe(draw, some_time(draw)),
        "consent": draw.random() < 0.8,
        "consent_time": some_time(draw),
        "country": draw.choice(["FR", "UK"]),
        "segment": draw.choice(["home", "trade"]),
        "segment_since": some_time(draw),
    }


ROWS: dict[str, tuple[Callable[[random.Random], dict[str, Any]], int]] = {
    "orders": (_order, 300),
    "engagement": (_engagement, 300),
    "tickets": (_ticket, 120),
    "subscriptions": (_subscription, 200),
    "surveys": (_survey, 80),
    "contacts": (_contact, 120),
    "customers": (_customer, 60),
}


def raw_business(seed: int) -> Frames:
    """All tables; the same seed gives the same rows."""
    draw = random.Random(seed)
    return {name: framed([row(draw) for _ in range(count)]) for name, (row, count) in ROWS.items()}


def framed(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Rows as a frame whose times carry their zone."""
    table = pd.DataFrame(rows)
    for name in TIMES & set(table.columns):
        table[name] = pd.to_datetime(table[name].astype("Int64"), unit="us", utc=True)
    return table


def opened(frames: Frames, **more: Any) -> DuckTables:
    """The valid tables of the business, as they stand a year after the cutoff and more."""
    sources = {name: settings for name, settings in SOURCES.items() if name in frames}
    return open_sources(sources, base=Path(), frames=frames, now=CUTOFF + 2000 * DAY, **more)


def opened_rows(**rows: list[dict[str, Any]]) -> DuckTables:
    """A few rows per source, in our columns; times as dates or microseconds."""
    sources, frames = {}, {}
    for name, listed in rows.items():
        frames[name] = framed(
            [{key: instant(value) if key in TIMES and value else value for key, value in row.items()} for row in listed]
        )
        sources[name] = _from_frame(name, *frames[name].columns)
    return open_sources(sources, base=Path(), frames=frames, now=CUTOFF + 2000 * DAY)
