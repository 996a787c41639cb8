"""Data cut at an instant looks as an export made then would have looked."""

from __future__ import annotations

import pyarrow as pa
import pytest

from holdfast.errors import ConfigError
from holdfast.sources import AttributeSettings
from holdfast.timeline import BEGINNING, instant
from tests.unit.sources.opened import at, events, opened, table

CUT = {"as_of": instant("2024-01-05")}


def test_rows_that_happened_or_became_known_later_are_gone():
    """The instant of the cut itself has not happened yet."""
    names = ("customer_id", "event_time", "amount", "known_time")
    rows = [
        ("a", at("2024-01-04"), 1.0, at("2024-01-04")),
        ("a", at("2024-01-05"), 2.0, at("2024-01-05")),
        ("a", at("2024-01-04"), 3.0, at("2024-01-05")),
        ("b", at("2024-01-09"), 4.0, at("2024-01-09")),
    ]
    with opened("orders", table(names, rows), options=CUT) as tables:
        assert events(tables, "orders", "amount") == [("a", 1.0)]
        assert tables.customer_count == 1
        assert tables.report["orders"].rows_in == 1
        assert tables.changed_later == {}


def test_later_moments_are_missing_before_anything_is_derived_from_them():
    """A ticket that is open at the cut has no resolution, no duration and no rating."""
    names = ("customer_id", "opened_time", "resolved_time", "rated_time", "satisfaction")
    rows = [
        ("a", at("2024-01-01"), at("2024-01-05"), None, 1.0),
        ("b", at("2024-01-01"), at("2024-01-04"), at("2024-01-06"), 2.0),
        ("c", at("2024-01-01"), at("2024-01-04"), None, 3.0),
    ]
    with opened("tickets", table(names, rows), options=CUT) as tables:
        assert events(tables, "tickets", "moment", "satisfaction", "hours_to_resolve") == [
            ("a", "opened", None, None),
            ("b", "opened", None, None),
            ("b", "resolved", None, 72.0),
            ("c", "opened", None, None),
            ("c", "rated", 3.0, None),
            ("c", "resolved", None, 72.0),
        ]
        assert tables.report["tickets"].ignored == {}


def test_a_double_that_arrives_later_does_not_exist_yet():
    """Nor may the ending of the later double show through the one that stays."""
    names = ("customer_id", "start_time", "end_time", "mrr", "event_id", "known_time")
    first = ("a", at("2024-01-01"), at("2024-01-20"), 1.0, "s1", at("2024-01-02"))
    rows = [first, ("a", at("2024-01-01"), at("2024-01-04"), 1.0, "s1", at("2024-01-07"))]
    for chosen, rejected in ((CUT, {}), ({}, {"duplicate event id": 1})):
        with opened("subscriptions", table(names, rows), options=chosen) as tables:
            assert events(tables, "subscriptions", "moment")[-1] == ("a", "started")
            assert tables.report["subscriptions"].rejected == rejected


def test_customers_lose_what_they_had_not_told_yet():
    """Sign-up, consent and timed attributes come later; the static ones were always there."""
    names = ("customer_id", "since", "consent", "consented", "country", "tier", "tier_since")
    rows = [("a", at("2024-01-05"), True, at("2024-01-09"), "DE", "gold", at("2024-01-06"))]
    with opened(
        "customers",
        table(names, rows),
        columns={
            "customer_id": "customer_id",
            "signup_time": "since",
            "consent": "consent",
            "consent_time": "consented",
        },
        attributes={
            "country": AttributeSettings(column="country", static=True),
            "tier": AttributeSettings(column="tier", known_time="tier_since"),
        },
        options=CUT,
    ) as tables:
        assert events(tables, "customers", "event_time", "moment", "country", "tier", "consent") == [
            ("a", BEGINNING, "attribute", "DE", None, None)
        ]


def test_a_cut_before_everything_is_empty_and_not_an_error():
    """The audit cuts anywhere."""
    frame = table(("customer_id", "event_time", "amount"), [("a", at("2024-02-01"), 1.0)])
    with opened("orders", frame, options=CUT) as tables:
        assert (tables.customer_count, tables.data_from, tables.data_until) == (0, BEGINNING, BEGINNING)
        assert events(tables, "orders", "amount") == []


def test_only_the_wanted_customers_are_read():
    """Doubles across customers are still found, so the sample equals its part of the whole."""
    names = ("customer_id", "event_time", "amount", "event_id")
    rows = [
        ("a", at("2024-01-01"), 1.0, "e1"),
        ("b", at("2024-01-02"), 2.0, "e1"),
        ("b", at("2024-01-02"), 3.0, "e2"),
        ("c", at("2024-01-02"), 4.0, "e3"),
        (None, at("2024-01-02"), 5.0, "e4"),
    ]
    with opened("orders", table(names, rows), options={"customers": ["b", "z"]}) as tables:
        assert events(tables, "orders", "amount") == [("b", 3.0)]
        assert tables.report["orders"].rejected == {"duplicate event id": 1}
        assert tables.customers.fetchall() == [(0, "b")]
    without = table(names[:3], [row[:3] for row in rows])
    with opened("orders", without, options={"customers": ["b"]}) as tables:
        assert events(tables, "orders", "amount") == [("b", 2.0), ("b", 3.0)]


def test_extra_rows_are_added_in_our_columns():
    """The audit plants events; they are judged and cut as if they had been in the file."""
    frame = table(("who", "when", "cents"), [("a", at("2024-01-01"), 100)])
    columns = {"customer_id": "who", "event_time": "when"}
    planted = pa.table(
        {
            "customer_id": ["a", "b", None, "a"],
            "event_time": [instant(f"2024-01-0{day}") for day in (2, 3, 4, 9)],
            "amount": [5.0, 6.0, 7.0, 8.0],
        }
    )
    with opened(
        "orders",
        frame,
        columns=columns,
        compute={"amount": "cents / 100"},
        where="cents > 0",
        options={**CUT, "extra": {"orders": planted}},
    ) as tables:
        assert events(tables, "orders", "amount") == [("a", 1.0), ("a", 5.0), ("b", 6.0)]
        assert tables.report["orders"].rejected == {"missing customer id": 1}


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"customer_id": ["a"], "event_time": [0], "margin": [1.0]}, "the source maps no 'margin'"),
        ({"customer_id": ["a"]}, "needs the column 'event_time'"),
    ],
)
def test_extra_rows_that_do_not_fit_are_refused(columns, message):
    """A planted column that nobody reads would prove nothing."""
    frame = table(("customer_id", "event_time", "amount"), [("a", at("2024-01-01"), 1.0)])
    with pytest.raises(ConfigError, match=message):
        opened("orders", frame, options={"extra": {"orders": pa.table(columns)}})


def test_extra_rows_may_carry_attributes():
    """Attributes go by their own names."""
    frame = table(("id", "land"), [("a", "DE")])
    with opened(
        "customers",
        frame,
        columns={"customer_id": "id"},
        attributes={"country": AttributeSettings(column="land", static=True)},
        options={"extra": {"customers": pa.table({"customer_id": ["b"], "country": ["AT"]})}},
    ) as tables:
        assert events(tables, "customers", "country") == [("a", "DE"), ("b", "AT")]
