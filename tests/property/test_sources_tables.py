"""Whatever the rows: the account adds up, their order does not matter, and a cut equals leaving rows out beforehand."""

from __future__ import annotations

import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast.errors import DataError
from holdfast.sources import AttributeSettings, DuckTables, SourceSettings, open_sources
from holdfast.timeline import instant

DAY = 86_400_000_000
FIRST = instant("2024-01-01")
NOW = instant("2025-01-01")
Row = dict[str, Any]


def mostly(usual: list[Any], rare: list[Any]) -> st.SearchStrategy[Any]:
    """A usual value nine times out of ten, so that most rows are good and many of them meet."""
    return st.integers(0, 9).flatmap(lambda roll: st.sampled_from(rare if roll == 9 else usual))


some_days = [FIRST + day * DAY for day in range(4)]
moments = mostly(some_days, [None, instant("1850-01-01"), instant("2025-06-01"), instant("2250-01-01")])
later = st.sampled_from([None, *some_days, *(FIRST + day * DAY for day in range(4, 7))])
ids = mostly(["a", "a", "b"], [None, "", "c", "ü"])
event_ids = st.sampled_from([None, None, None, "1", "2"])
amounts = mostly([0.1, 0.2, 0.3, 1e15, -0.1, -1e15], [None, math.inf, math.nan, 1e16])
words = st.sampled_from(["x", "x", "y", None])

FIELDS: dict[str, dict[str, tuple[st.SearchStrategy[Any], pa.DataType]]] = {
    "orders": {
        "customer_id": (ids, pa.string()),
        "event_time": (moments, pa.timestamp("us", "UTC")),
        "known_time": (later, pa.timestamp("us", "UTC")),
        "amount": (amounts, pa.float64()),
        "event_id": (event_ids, pa.string()),
        "order_id": (words, pa.string()),
        "category": (words, pa.string()),
    },
    "tickets": {
        "customer_id": (ids, pa.string()),
        "opened_time": (moments, pa.timestamp("us", "UTC")),
        "resolved_time": (later, pa.timestamp("us", "UTC")),
        "reopened_time": (later, pa.timestamp("us", "UTC")),
        "rated_time": (later, pa.timestamp("us", "UTC")),
        "ticket_id": (st.sampled_from(["1", "1", "2", None]), pa.string()),
        "satisfaction": (amounts, pa.float64()),
        "severity": (words, pa.string()),
    },
    "subscriptions": {
        "customer_id": (ids, pa.string()),
        "event_time": (moments, pa.timestamp("us", "UTC")),
        "known_time": (later, pa.timestamp("us", "UTC")),
        "subscription_id": (words, pa.string()),
        "event_id": (event_ids, pa.string()),
        "kind": (mostly(["started", "renewed", "price_changed", "payment_failed", "ended"], ["?"]), pa.string()),
        "mrr": (mostly([0.1, 0.2, 0.3], [None, math.inf]), pa.float64()),
    },
    "customers": {
        "customer_id": (ids, pa.string()),
        "signup_time": (later, pa.timestamp("us", "UTC")),
        "consent": (st.none() | st.booleans(), pa.bool_()),
        "consent_time": (later, pa.timestamp("us", "UTC")),
        "country": (words, pa.string()),
        "tier": (words, pa.string()),
        "tier_since": (later, pa.timestamp("us", "UTC")),
    },
}
ATTRIBUTES = {
    "country": AttributeSettings(column="country", static=True),
    "tier": AttributeSettings(column="tier", known_time="tier_since"),
}


@st.composite
def rows_of(draw: st.DrawFn, kind: str) -> list[Row]:
    """Up to sixteen rows around two models: most differ from a model in few cells, so that doubles and ties abound."""
    fields = {name: values for name, (values, _) in FIELDS[kind].items()}
    models = [draw(st.fixed_dictionaries(fields)) for _ in range(2)]
    rows = []
    for _ in range(draw(st.integers(1, 16))):
        changed = draw(st.lists(st.sampled_from(list(fields)), max_size=3))
        rows.append({**draw(st.sampled_from(models)), **{name: draw(fields[name]) for name in changed}})
    return rows


each_kind = pytest.mark.parametrize("kind", list(FIELDS))
cutoffs = st.sampled_from([FIRST + day * DAY for day in range(1, 6)])


def opened(kind: str, rows: list[Row], **options: Any) -> DuckTables:
    """The rows as one source; an order of a business that has others keeps the source from being all invalid."""
    frame = pa.table({name: pa.array([row[name] for row in rows], kept) for name, (_, kept) in FIELDS[kind].items()})
    extra = ("country", "tier", "tier_since") if kind == "customers" else ()
    source = SourceSettings(
        frame="rows",
        columns={name: name for name in FIELDS[kind] if name not in extra},
        attributes=ATTRIBUTES if kind == "customers" else {},
    )
    # A cut in the far future changes nothing, but lets a source without a valid row open.
    arguments = {"as_of": NOW + 5 * DAY, "base": None, "now": NOW, "threads": 1, **options}
    return open_sources({kind: source}, frames={"rows": frame}, **arguments)


def content(tables: DuckTables) -> dict[str, list[tuple[Any, ...]]]:
    """All events of all streams by customer id, in a total order; times and texts of floats as they are."""
    return {
        name: tables.connection.execute(
            f"SELECT customer_id, COLUMNS(* EXCLUDE (customer, customer_id)) FROM {name} "
            "JOIN customers_index USING (customer) ORDER BY ALL"
        ).fetchall()
        for name in tables.streams
    }


@each_kind
@given(st.data())
@settings(max_examples=8)
def test_rows_in_are_valid_or_rejected(kind, data):
    """A row that is in neither place is lost without a word."""
    rows = data.draw(rows_of(kind))
    with opened(kind, rows) as tables:
        report = tables.report[kind]
        assert report.rows_in == report.rows_valid + sum(report.rejected.values())
        assert report.rows_in <= len(rows)
        rejects = tables.connection.execute("SELECT reason, count(*) FROM rejects GROUP BY 1").fetchall()
        assert dict(rejects) == report.rejected
        for name in tables.streams:
            wrong = f"SELECT count(*) FROM {name} WHERE known_time < event_time OR customer IS NULL"
            assert tables.connection.execute(wrong).fetchall() == [(0,)]


@each_kind
@given(st.data())
@settings(max_examples=20)
def test_the_order_of_rows_does_not_matter(kind, data):
    """Engines and file systems hand rows over in any order; results must not depend on it, to the bit."""
    rows = data.draw(rows_of(kind))
    shuffled = data.draw(st.just(rows[::-1]) | st.permutations(rows))
    with opened(kind, rows) as one, opened(kind, shuffled) as other:
        assert content(one) == content(other)
        assert one.fingerprint == other.fingerprint
        assert one.report == other.report


def cut_by_hand(kind: str, row: Row, cutoff: int) -> Row | None:
    """The row as an export made at the cutoff would have shown it, or None."""
    first = {"tickets": "opened_time", "customers": None}.get(kind, "event_time")
    if first is not None and row[first] is not None and max(row[first], row.get("known_time") or row[first]) >= cutoff:
        return None
    row = dict(row)
    if kind == "tickets" and row["satisfaction"] is not None and not math.isnan(row["satisfaction"]):
        row["rated_time"] = row["rated_time"] if row["rated_time"] is not None else row["resolved_time"]
    reveals = {
        "tickets": {"resolved_time": [], "reopened_time": [], "rated_time": ["satisfaction"]},
        "customers": {"signup_time": [], "consent_time": ["consent"], "tier_since": ["tier"]},
    }.get(kind, {})
    for moment, revealed in reveals.items():
        if row[moment] is not None and row[moment] >= cutoff:
            row |= dict.fromkeys([moment, *revealed])
    return row


@each_kind
@given(st.data(), cutoffs)
@settings(max_examples=20)
def test_a_cut_equals_an_export_made_then(kind, data, cutoff):
    """Nothing after the cut was read: leaving it out by hand before opening gives the same tables."""
    rows = data.draw(rows_of(kind))
    kept = [row for row in (cut_by_hand(kind, row, cutoff) for row in rows) if row is not None]
    with opened(kind, rows, as_of=cutoff) as cut:
        found = content(cut)
        if not kept:
            assert not any(found.values())
            return
        with opened(kind, kept, as_of=NOW) as export:
            assert found == content(export)
            assert cut.fingerprint == export.fingerprint


@each_kind
@given(st.data(), cutoffs)
@settings(max_examples=20)
def test_what_was_known_at_an_instant_never_changes(kind, data, cutoff):
    """The events visible at a cutoff are the same in data cut there and in all of today's data."""
    rows = data.draw(rows_of(kind))
    with opened(kind, rows, as_of=cutoff) as cut, opened(kind, rows) as whole:
        past = {
            name: [row for row in events if max(row[1], row[2]) < cutoff] for name, events in content(whole).items()
        }
        assert content(cut) == past


@each_kind
@given(st.data(), st.sets(st.sampled_from(["a", "b", "c", "z"]), min_size=1))
@settings(max_examples=8)
def test_a_sample_of_customers_is_its_part_of_the_whole(kind, data, wanted):
    """Training reads everybody, the audit reads a sample; the same customer must look the same."""
    rows = data.draw(rows_of(kind))
    with opened(kind, rows, customers=sorted(wanted)) as some, opened(kind, rows) as whole:
        assert content(some) == {
            name: [row for row in events if row[0] in wanted] for name, events in content(whole).items()
        }


@given(rows_of("orders"))
@settings(max_examples=10)
def test_a_source_without_a_valid_row_stops_and_any_other_opens(rows):
    """There is no third way."""
    try:
        with opened("orders", rows, as_of=None) as tables:
            assert tables.report["orders"].rows_valid > 0
    except DataError as error:
        assert "no valid row" in str(error)  # noqa: PT017 - either outcome is right
