"""The contract of each kind of source: which columns of ours it may map, and what each must hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from holdfast.errors import ConfigError

Role = Literal["id", "time", "known", "later", "date", "number", "category", "flag", "currency"]
"""What a column holds.

``time`` is the row's first moment; ``known`` when our systems learnt of the row; ``later`` a moment that comes after
the first one and is unknown until then; ``date`` a plan that may lie in the future, such as the end of a term.
"""


@dataclass(frozen=True)
class Column:
    """One of our columns: its role, whether a source must map it, the other moment that reveals it."""

    name: str
    role: Role
    required: bool = False
    revealed_by: str | None = None
    among: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kind:
    """One kind of source: its columns, the first moment, and the column that identifies a row."""

    name: str
    columns: tuple[Column, ...]
    time: str | None
    unique: str | None = None
    unique_words: str = "event id"

    @property
    def names(self) -> list[str]:
        """Names of all columns."""
        return [column.name for column in self.columns]

    @property
    def later(self) -> list[str]:
        """Names of the moments that come after the first one."""
        return [column.name for column in self.columns if column.role == "later"]


CUSTOMER = Column("customer_id", "id", required=True)
EVENT_TIME = Column("event_time", "time", required=True)
KNOWN_TIME = Column("known_time", "known")
EVENT_ID = Column("event_id", "id")
MOMENTS = ("started", "renewed", "plan_changed", "price_changed", "payment_failed", "ended")

ORDERS = Kind(
    "orders",
    (
        CUSTOMER,
        EVENT_TIME,
        Column("amount", "number", required=True),
        KNOWN_TIME,
        EVENT_ID,
        Column("order_id", "id"),
        Column("margin", "number"),
        Column("discount", "number"),
        Column("quantity", "number"),
        Column("category", "category"),
        Column("currency", "currency"),
    ),
    time="event_time",
    unique="event_id",
)
ENGAGEMENT = Kind(
    "engagement",
    (
        CUSTOMER,
        EVENT_TIME,
        Column("kind", "category", required=True),
        KNOWN_TIME,
        EVENT_ID,
        Column("quantity", "number"),
    ),
    time="event_time",
    unique="event_id",
)
TICKETS = Kind(
    "tickets",
    (
        CUSTOMER,
        Column("opened_time", "time", required=True),
        KNOWN_TIME,
        Column("ticket_id", "id"),
        Column("resolved_time", "later"),
        Column("reopened_time", "later"),
        Column("rated_time", "later"),
        Column("severity", "category"),
        Column("topic", "category"),
        Column("satisfaction", "number", revealed_by="rated_time"),
    ),
    time="opened_time",
    unique="ticket_id",
    unique_words="ticket id",
)
SUBSCRIPTION_EVENTS = Kind(
    "subscriptions",
    (
        CUSTOMER,
        EVENT_TIME,
        Column("kind", "category", required=True, among=MOMENTS),
        Column("mrr", "number", required=True),
        KNOWN_TIME,
        EVENT_ID,
        Column("subscription_id", "id"),
        Column("plan", "category"),
        Column("term_end", "date"),
    ),
    time="event_time",
    unique="event_id",
)
SUBSCRIPTION_INTERVALS = Kind(
    "subscriptions",
    (
        CUSTOMER,
        Column("start_time", "time", required=True),
        Column("end_time", "later", required=True),
        Column("mrr", "number", required=True),
        KNOWN_TIME,
        EVENT_ID,
        Column("subscription_id", "id"),
        Column("plan", "category"),
        Column("term_end", "date"),
    ),
    time="start_time",
    unique="event_id",
)
SURVEYS = Kind(
    "surveys",
    (CUSTOMER, EVENT_TIME, Column("score", "number", required=True), KNOWN_TIME, EVENT_ID),
    time="event_time",
    unique="event_id",
)
CONTACTS = Kind(
    "contacts",
    (
        CUSTOMER,
        EVENT_TIME,
        KNOWN_TIME,
        EVENT_ID,
        Column("channel", "category"),
        Column("action", "category"),
        Column("offer", "flag"),
        Column("responded_time", "later"),
    ),
    time="event_time",
    unique="event_id",
)
CUSTOMERS = Kind(
    "customers",
    (
        CUSTOMER,
        KNOWN_TIME,
        Column("signup_time", "later"),
        Column("consent", "flag", revealed_by="consent_time"),
        Column("consent_time", "later"),
    ),
    time=None,
)

KINDS = ("customers", "orders", "engagement", "tickets", "subscriptions", "surveys", "contacts")
_PLAIN = {kind.name: kind for kind in (CUSTOMERS, ORDERS, ENGAGEMENT, TICKETS, SURVEYS, CONTACTS)}
ALIASES = {"tickets": {"event_time": "opened_time"}, "contacts": {"kind": "channel"}}
"""Other names that a source may use for our columns."""


def kind_of(name: str, mapped: Collection[str]) -> Kind:
    """The contract of the source called ``name``; subscriptions are intervals when a ``start_time`` is mapped.

    Raises
    ------
    ConfigError
        No kind of source has this name.
    """
    if name == "subscriptions":
        return SUBSCRIPTION_INTERVALS if {"start_time", "end_time"} & set(mapped) else SUBSCRIPTION_EVENTS
    if name not in _PLAIN:
        raise ConfigError(
            f"'{name}' under sources is no kind of source{nearest(name, KINDS)}. The kinds are {', '.join(KINDS)}."
        )
    return _PLAIN[name]


def nearest(wanted: str, found: Collection[str]) -> str:
    """A hint such as `` (did you mean 'amount'?)``, or nothing when no name is near."""
    by_lower = {name.lower(): name for name in found}
    near = get_close_matches(wanted.lower(), by_lower, n=1, cutoff=0.6)
    return f" (did you mean '{by_lower[near[0]]}'?)" if near else ""
