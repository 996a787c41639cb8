"""From a source's good rows to its streams: every moment becomes an event that carries only what was known at it.

Each function gives the streams of one kind as SELECTs over the mapped table. They name ``customer_id``; the opening
puts the dense code in its place. A column that the source does not map is not in the stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from holdfast.sources.connection import literal, quoted
from holdfast.sources.mapping import SourceMapping, attribute, attribute_known
from holdfast.sources.validation import mapped
from holdfast.timeline import BEGINNING, MICROSECONDS_PER_DAY

ColumnKind = Literal["number", "category", "flag"]
MICROSECONDS_PER_HOUR = 3_600_000_000


@dataclass(frozen=True)
class StreamInfo:
    """A table of events: ``customer``, ``event_time``, ``known_time`` (microseconds UTC), and these columns."""

    name: str
    columns: dict[str, ColumnKind]


@dataclass(frozen=True)
class StreamQuery:
    """A stream to be: its columns beside customer and times, and the SELECT that gives its events."""

    name: str
    columns: dict[str, ColumnKind]
    query: str


def streams_of(mapping: SourceMapping) -> list[StreamQuery]:
    """The streams of one source."""
    return _BUILDERS[mapping.kind.name](mapping)


def _good(mapping: SourceMapping) -> str:
    return f"{mapped(mapping.name)} WHERE reason IS NULL"


def _chosen(
    mapping: SourceMapping, kinds: dict[str, ColumnKind], always: tuple[str, ...] = ()
) -> dict[str, ColumnKind]:
    """The columns that the source maps, in the given order."""
    return {name: kind for name, kind in kinds.items() if name in always or mapping.has(name)}


def _listed(columns: dict[str, ColumnKind]) -> str:
    return "".join(f", {quoted(name)}" for name in columns)


def _orders(mapping: SourceMapping) -> list[StreamQuery]:
    """Lines of one order at one time are one event; what is paid back is an event of its own."""
    sums = _chosen(mapping, {"amount": "number", "margin": "number", "discount": "number", "quantity": "number"})
    if mapping.has("order_id"):
        # Ordered sums: floating sums depend on the order of their terms, and equal data must give equal bits.
        added = "".join(f", sum({name} ORDER BY {name}) AS {name}" for name in sums)
        grouped = (
            f"SELECT customer_id, event_time, known_time{added}, CAST(count(*) AS DOUBLE) AS items "
            f"FROM {_good(mapping)} "
            "GROUP BY customer_id, coalesce(order_id, 'row ' || rowid), event_time, known_time, amount < 0"
        )
    else:
        grouped = (
            f"SELECT customer_id, event_time, known_time{_listed(sums)}, 1.0::DOUBLE AS items FROM {_good(mapping)}"
        )
    streams = [StreamQuery("orders", {**sums, "items": "number"}, grouped)]
    if mapping.has("category"):
        lines = f"SELECT customer_id, event_time, known_time, category, amount FROM {_good(mapping)}"
        streams.append(StreamQuery("items", {"category": "category", "amount": "number"}, lines))
    return streams


def _plain(name: str, kinds: dict[str, ColumnKind]) -> Callable[[SourceMapping], list[StreamQuery]]:
    """Kinds whose rows are events as they stand."""

    def build(mapping: SourceMapping) -> list[StreamQuery]:
        columns = _chosen(mapping, kinds)
        return [
            StreamQuery(
                name, columns, f"SELECT customer_id, event_time, known_time{_listed(columns)} FROM {_good(mapping)}"
            )
        ]

    return build


def _moment(time: str, moment: str, columns: str, mapping: SourceMapping, condition: str = "TRUE") -> str:
    """The SELECT of one later moment of the rows that have it."""
    return (
        f"SELECT customer_id, {time} AS event_time, greatest(known_time, {time}) AS known_time, "
        f"{literal(moment)} AS moment{columns} FROM {_good(mapping)} AND {time} IS NOT NULL AND {condition}"
    )


def _tickets(mapping: SourceMapping) -> list[StreamQuery]:
    """Opened, resolved, reopened, rated; severity and topic are known from the opening."""
    carried = _chosen(mapping, {"severity": "category", "topic": "category"})
    columns: dict[str, ColumnKind] = {"moment": "category", **carried, "open_delta": "number"}
    parts = [("opened_time", "opened", "1.0", "TRUE")]
    if mapping.has("resolved_time"):
        columns["hours_to_resolve"] = "number"
        parts.append(("resolved_time", "resolved", "-1.0", "TRUE"))
    if mapping.has("reopened_time") and mapping.has("resolved_time"):
        parts.append(("reopened_time", "reopened", "1.0", "resolved_time <= reopened_time"))
    if mapping.has("satisfaction"):
        columns["satisfaction"] = "number"
        parts.append(("rated_time", "rated", "0.0", "satisfaction IS NOT NULL"))
    queries = []
    for time, moment, delta, condition in parts:
        values = _listed(carried) + f", {delta}::DOUBLE AS open_delta"
        if "hours_to_resolve" in columns:
            hours = f"(resolved_time - opened_time) / {MICROSECONDS_PER_HOUR}::DOUBLE"
            values += f", {hours if moment == 'resolved' else 'NULL::DOUBLE'} AS hours_to_resolve"
        if "satisfaction" in columns:
            values += f", {'satisfaction' if moment == 'rated' else 'NULL::DOUBLE'} AS satisfaction"
        queries.append(_moment(time, moment, values, mapping, condition))
    return [StreamQuery("tickets", columns, " UNION ALL ".join(queries))]


def _subscriptions(mapping: SourceMapping) -> list[StreamQuery]:
    """Changes of monthly revenue, per subscription, in the order in which they became known.

    After each event the subscription stands where its latest known change left it, so an event that is learnt late,
    when a later one is known already, changes nothing; and the deltas visible at any cutoff add up to the level at it.
    At one instant, an end comes before everything else and a start after it. A contract that ends at the instant at
    which it began changes nothing.
    """
    plan = _chosen(mapping, {"plan": "category"})
    extra = f", {'plan' if plan else 'NULL'} AS plan, term_end"
    same = "coalesce(subscription_id, '')" if mapping.has("subscription_id") else "''"
    if mapping.kind.time == "start_time":
        brief = "coalesce(end_time = start_time, FALSE) AS brief"
        same = "coalesce(subscription_id, 'row ' || rowid)" if mapping.has("subscription_id") else "'row ' || rowid"
        events = (
            _moment("start_time", "started", f", mrr, {same} AS subscription{extra}, {brief}", mapping)
            + " UNION ALL "
            + _moment("end_time", "ended", f", 0.0::DOUBLE AS mrr, {same} AS subscription{extra}, {brief}", mapping)
        )
    else:
        level = "CASE WHEN kind = 'ended' THEN 0.0 ELSE mrr END"
        events = (
            f"SELECT customer_id, event_time, known_time, kind AS moment, {level} AS mrr, {same} AS subscription"
            f"{extra}, FALSE AS brief FROM {_good(mapping)}"
        )
    columns: dict[str, ColumnKind] = {
        "moment": "category",
        **plan,
        "mrr": "number",
        "mrr_delta": "number",
        "active_delta": "number",
        "term_end_day": "number",
    }
    change = "{t: event_time, r: rank, m: mrr, a: CAST(moment <> 'ended' AS INTEGER)}"
    order = "known_time, event_time, rank, mrr, plan, term_end"
    query = f"""
    WITH events AS ({events}),
    ranked AS (
        SELECT *, CASE moment WHEN 'ended' THEN 0 WHEN 'started' THEN 1 WHEN 'renewed' THEN 2 WHEN 'plan_changed' THEN 3
                  WHEN 'price_changed' THEN 4 ELSE 5 END AS rank FROM events),
    standing AS (
        SELECT *, max(CASE WHEN moment <> 'payment_failed' AND NOT brief THEN {change} END) OVER so_far AS now
        FROM ranked
        WINDOW so_far AS (PARTITION BY customer_id, subscription ORDER BY {order} ROWS UNBOUNDED PRECEDING)),
    changes AS (
        SELECT *, coalesce(now.m, 0.0) AS level, coalesce(now.a, 0) AS active,
               lag(now) OVER (PARTITION BY customer_id, subscription ORDER BY {order}) AS before FROM standing)
    SELECT customer_id, event_time, known_time, moment{_listed(plan)},
           CASE WHEN moment = 'payment_failed' THEN level ELSE mrr END AS mrr,
           level - coalesce(before.m, 0.0) AS mrr_delta,
           CAST(active - coalesce(before.a, 0) AS DOUBLE) AS active_delta,
           floor(term_end / {MICROSECONDS_PER_DAY}::DOUBLE) AS term_end_day
    FROM changes
    """
    return [StreamQuery("subscriptions", columns, query)]


def _contacts(mapping: SourceMapping) -> list[StreamQuery]:
    """Sent, and answered if the log says so."""
    carried = _chosen(mapping, {"channel": "category", "action": "category", "offer": "flag"})
    columns: dict[str, ColumnKind] = {"moment": "category", **carried}
    queries = [_moment("event_time", "sent", _listed(carried), mapping)]
    if mapping.has("responded_time"):
        queries.append(_moment("responded_time", "responded", _listed(carried), mapping))
    return [StreamQuery("contacts", columns, " UNION ALL ".join(queries))]


def _customers(mapping: SourceMapping) -> list[StreamQuery]:
    """Joined, consented, and one event per attribute, at the beginning of time if it is static.

    A table that repeats a customer gives each different event once. Where the repeats disagree on a static value, the
    one that was known first counts, and the smallest text of those.
    """
    columns: dict[str, ColumnKind] = {"moment": "category"}
    columns |= dict.fromkeys(mapping.attributes, "category")
    if mapping.has("consent"):
        columns["consent"] = "number"
    names = [name for name in columns if name != "moment"]

    def values(own: str | None, value: str) -> str:
        kinds = {name: "DOUBLE" if columns[name] == "number" else "VARCHAR" for name in names}
        return "".join(
            f", {value if name == own else f'CAST(NULL AS {kinds[name]})'} AS {quoted(name)}" for name in names
        )

    def static(own: str, value: str) -> str:
        first = f"arg_min({value}, {{k: known_time, v: {value}}})"
        return (
            f"SELECT customer_id, {BEGINNING} AS event_time, min(known_time) AS known_time, 'attribute' AS moment"
            f"{values(own, first)} FROM {_good(mapping)} AND {value} IS NOT NULL GROUP BY customer_id"
        )

    def timed(own: str, value: str, time: str) -> str:
        query = _moment(time, "attribute", values(own, value), mapping, f"{value} IS NOT NULL")
        return query.replace("SELECT ", "SELECT DISTINCT ", 1)

    queries = []
    if mapping.has("signup_time"):
        joined = _moment("signup_time", "joined", values(None, ""), mapping)
        queries.append(joined.replace("SELECT ", "SELECT DISTINCT ", 1))
    if mapping.has("consent"):
        timed_consent = mapping.has("consent_time")
        queries.append(timed("consent", "consent", "consent_time") if timed_consent else static("consent", "consent"))
    for own, settings in mapping.attributes.items():
        value, row_time = quoted(attribute(own)), mapping.has("known_time") and not settings.static
        if settings.known_time is not None:
            queries.append(timed(own, value, quoted(attribute_known(own))))
        else:
            queries.append(timed(own, value, "known_time") if row_time else static(own, value))
    if not queries:
        return []
    return [StreamQuery("customers", columns, " UNION ALL ".join(queries))]


_BUILDERS: dict[str, Callable[[SourceMapping], list[StreamQuery]]] = {
    "customers": _customers,
    "orders": _orders,
    "engagement": _plain("engagement", {"kind": "category", "quantity": "number"}),
    "tickets": _tickets,
    "subscriptions": _subscriptions,
    "surveys": _plain("surveys", {"score": "number"}),
    "contacts": _contacts,
}
