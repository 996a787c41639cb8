"""What each kind of source becomes: events that carry only what was known at their moment."""

from __future__ import annotations

import math

import pytest

from holdfast.errors import ConfigError
from holdfast.sources import AttributeSettings
from holdfast.timeline import BEGINNING, instant
from tests.unit.sources.opened import at, events, opened, table

DAY = 86_400_000_000


def day(number: int) -> int:
    """Midnight of a day of January 2024."""
    return instant("2024-01-01") + (number - 1) * DAY


def test_lines_of_an_order_are_one_event_and_a_refund_is_its_own():
    """A purchase must not shrink because of money that was paid back later or in the same document."""
    lines = table(
        ("customer_id", "event_time", "order_id", "amount", "margin", "category"),
        [
            ("a", at("2024-01-01"), "o1", 10.0, 1.0, "tea"),
            ("a", at("2024-01-01"), "o1", 5.0, 2.0, "cups"),
            ("a", at("2024-01-01"), "o1", -4.0, -1.0, "tea"),
            ("a", at("2024-01-02"), "o1", -6.0, 0.0, "tea"),
            ("b", at("2024-01-01"), "o1", 7.0, 3.0, None),
        ],
    )
    with opened("orders", lines) as tables:
        assert events(tables, "orders", "event_time", "amount", "margin", "items") == [
            ("a", day(1), -4.0, -1.0, 1.0),
            ("a", day(1), 15.0, 3.0, 2.0),
            ("a", day(2), -6.0, 0.0, 1.0),
            ("b", day(1), 7.0, 3.0, 1.0),
        ]
        assert events(tables, "items", "category", "amount") == [
            ("a", "cups", 5.0),
            ("a", "tea", -6.0),
            ("a", "tea", -4.0),
            ("a", "tea", 10.0),
            ("b", None, 7.0),
        ]
        assert tables.streams["orders"].columns == {"amount": "number", "margin": "number", "items": "number"}
        assert tables.streams["items"].columns == {"category": "category", "amount": "number"}


def test_orders_without_an_order_id_are_one_event_a_row():
    """Nothing says which rows belong together, so none are joined; also rows whose order id is empty stay apart."""
    rows = [("a", at("2024-01-01"), 1.0), ("a", at("2024-01-01"), 1.0)]
    with opened("orders", table(("customer_id", "event_time", "amount"), rows)) as tables:
        assert events(tables, "orders", "amount", "items") == [("a", 1.0, 1.0), ("a", 1.0, 1.0)]
        assert "items" not in tables.streams
    rows = [(*row, None) for row in rows]
    with opened("orders", table(("customer_id", "event_time", "amount", "order_id"), rows)) as tables:
        assert len(events(tables, "orders", "amount")) == 2


def test_a_line_that_was_known_later_is_an_event_of_its_own():
    """Two lines of one order that our systems learnt of at different times are not known together."""
    lines = table(
        ("customer_id", "event_time", "order_id", "amount", "known_time"),
        [
            ("a", at("2024-01-01"), "o1", 10.0, at("2024-01-01")),
            ("a", at("2024-01-01"), "o1", 5.0, at("2024-01-05")),
        ],
    )
    with opened("orders", lines) as tables:
        assert events(tables, "orders", "known_time", "amount") == [("a", day(1), 10.0), ("a", day(5), 5.0)]


def test_known_time_is_never_before_the_event():
    """Clocks differ: a row recorded before it happened counts as known when it happened; without a record, then too."""
    rows = [("a", at("2024-01-03"), 1.0, at("2024-01-01")), ("a", at("2024-01-04"), 2.0, None)]
    with opened("orders", table(("customer_id", "event_time", "amount", "known_time"), rows)) as tables:
        assert events(tables, "orders", "event_time", "known_time") == [("a", day(3), day(3)), ("a", day(4), day(4))]


def test_codes_of_customers_follow_the_sorted_ids_over_all_sources():
    """Chunks of customers and results in the order of ids need one dense numbering."""
    rows = [("ü", at("2024-01-02"), 1.0), ("b", at("2024-01-01"), 2.0), ("Z", at("2024-01-03"), 3.0)]
    with opened("orders", table(("customer_id", "event_time", "amount"), rows)) as tables:
        assert tables.customers.order("customer").fetchall() == [(0, "Z"), (1, "b"), (2, "ü")]
        assert tables.customer_count == 3
        assert (tables.data_from, tables.data_until) == (day(1), day(3))


def test_engagement_keeps_kind_and_quantity():
    """Events of use are rows as they stand, their kinds translated where the settings say so."""
    rows = [("a", at("2024-01-01"), "login", 2), ("a", at("2024-01-02"), "mail_open", None)]
    frame = table(("customer_id", "event_time", "kind", "quantity"), rows)
    with opened("engagement", frame, values={"kind": {"login": "visit"}}) as tables:
        assert events(tables, "engagement", "kind", "quantity") == [("a", "mail_open", None), ("a", "visit", 2.0)]
        assert tables.streams["engagement"].columns == {"kind": "category", "quantity": "number"}


def test_a_ticket_unfolds_into_its_moments():
    """How long it took and how it was rated must not be visible while the ticket is still open."""
    rows = [("a", at("2024-01-01"), at("2024-01-03"), at("2024-01-04"), at("2024-01-05"), "high", 2.0)]
    names = ("customer_id", "opened_time", "resolved_time", "reopened_time", "rated_time", "severity", "satisfaction")
    with opened("tickets", table(names, rows)) as tables:
        found = events(
            tables, "tickets", "event_time", "moment", "severity", "open_delta", "hours_to_resolve", "satisfaction"
        )
    assert found == [
        ("a", day(1), "opened", "high", 1.0, None, None),
        ("a", day(3), "resolved", "high", -1.0, 48.0, None),
        ("a", day(4), "reopened", "high", 1.0, None, None),
        ("a", day(5), "rated", "high", 0.0, None, 2.0),
    ]


def test_a_rating_without_its_time_was_given_when_the_ticket_was_resolved():
    """Help desks ask on closing; a rating with neither time is left out and counted."""
    rows = [("a", at("2024-01-01"), at("2024-01-03"), 4.0), ("b", at("2024-01-01"), None, 1.0)]
    with opened("tickets", table(("customer_id", "event_time", "resolved_time", "satisfaction"), rows)) as tables:
        assert events(tables, "tickets", "moment", "event_time", "satisfaction")[1:3] == [
            ("a", "rated", day(3), 4.0),
            ("a", "resolved", day(3), None),
        ]
        assert tables.report["tickets"].rows_valid == 2
        assert tables.report["tickets"].ignored == {"satisfaction without the time it was given": 1}


@pytest.mark.parametrize("rating", [math.inf, -1e300])
def test_a_rating_that_cannot_be_is_left_out_and_the_ticket_stays(rating: float):
    """The ticket was known before it was rated, so what the rating turns out to be must not take it back."""
    rows = [("a", at("2024-01-01"), at("2024-01-03"), rating), ("b", at("2024-01-01"), None, None)]
    names = ("customer_id", "event_time", "resolved_time", "satisfaction")
    with opened("tickets", table(names, rows)) as tables:
        assert [row[1] for row in events(tables, "tickets", "moment")] == ["opened", "resolved", "opened"]
        assert tables.report["tickets"].ignored == {"impossible satisfaction": 1}


def test_a_reopening_that_precedes_the_resolution_does_not_open_it_twice():
    """Desks that keep only the last resolution would otherwise leave tickets open for ever."""
    rows = [("a", at("2024-01-01"), at("2024-01-05"), at("2024-01-03"))]
    with opened("tickets", table(("customer_id", "opened_time", "resolved_time", "reopened_time"), rows)) as tables:
        assert [row[1] for row in events(tables, "tickets", "open_delta")] == [-1.0, 1.0]
        assert tables.report["tickets"].ignored == {"reopened without an earlier resolution": 1}


def test_a_log_of_subscriptions_becomes_changes_of_monthly_revenue():
    """The sum of the deltas up to any cutoff is the level at it."""
    names = ("customer_id", "subscription_id", "event_time", "kind", "mrr", "plan", "term_end")
    rows = [
        ("a", "s1", at("2024-01-01"), "start", 10.0, "basic", at("2025-01-01")),
        ("a", "s1", at("2024-01-02"), "plan_changed", 30.0, "pro", at("2025-01-01")),
        ("a", "s2", at("2024-01-02"), "start", 5.0, "extra", None),
        ("a", "s1", at("2024-01-03"), "payment_failed", None, "pro", None),
        ("a", "s1", at("2024-01-04"), "ended", None, "pro", None),
    ]
    with opened("subscriptions", table(names, rows), values={"kind": {"start": "started"}}) as tables:
        found = events(tables, "subscriptions", "event_time", "moment", "plan", "mrr", "mrr_delta", "active_delta")
        assert found == [
            ("a", day(1), "started", "basic", 10.0, 10.0, 1.0),
            ("a", day(2), "plan_changed", "pro", 30.0, 20.0, 0.0),
            ("a", day(2), "started", "extra", 5.0, 5.0, 1.0),
            ("a", day(3), "payment_failed", "pro", 30.0, 0.0, 0.0),
            ("a", day(4), "ended", "pro", 0.0, -30.0, -1.0),
        ]
        days = {row[1] for row in events(tables, "subscriptions", "term_end_day")}
        assert {None if value is None or math.isnan(value) else value for value in days} == {None, 20089.0}


def test_a_change_that_is_learnt_late_does_not_undo_a_later_one():
    """Deltas follow what was known: else a cutoff between the two would see the effect of a row it cannot see."""
    names = ("customer_id", "event_time", "known_time", "kind", "mrr")
    rows = [
        ("a", at("2024-01-01"), at("2024-01-01"), "started", 10.0),
        ("a", at("2024-01-02"), at("2024-01-09"), "price_changed", 12.0),
        ("a", at("2024-01-05"), at("2024-01-05"), "price_changed", 15.0),
    ]
    with opened("subscriptions", table(names, rows)) as tables:
        assert events(tables, "subscriptions", "known_time", "mrr_delta") == [
            ("a", day(1), 10.0),
            ("a", day(5), 5.0),
            ("a", day(9), 0.0),
        ]


def test_intervals_of_subscriptions_start_and_end():
    """A running subscription has no end; an end that lies in the future has not happened."""
    names = ("customer_id", "start_time", "end_time", "mrr")
    rows = [
        ("a", at("2024-01-01"), at("2024-01-10"), 10.0),
        ("a", at("2024-01-05"), None, 20.0),
        ("b", at("2024-01-05"), at("2199-01-01"), 7.0),
        ("b", at("2024-01-05"), at("9999-12-31"), 8.0),
    ]
    with opened("subscriptions", table(names, rows)) as tables:
        assert events(tables, "subscriptions", "event_time", "moment", "mrr", "mrr_delta", "active_delta") == [
            ("a", day(1), "started", 10.0, 10.0, 1.0),
            ("a", day(5), "started", 20.0, 20.0, 1.0),
            ("a", day(10), "ended", 0.0, -10.0, -1.0),
            ("b", day(5), "started", 7.0, 7.0, 1.0),
            ("b", day(5), "started", 8.0, 8.0, 1.0),
        ]
        assert tables.report["subscriptions"].ignored == {"end_time in the future": 2}
        assert tables.data_until == day(10)


def test_a_survey_is_its_score():
    """Scores run from 0 to 10; others are another scale."""
    rows = [("a", at("2024-01-01"), 9), ("a", at("2024-01-02"), 11)]
    with opened("surveys", table(("customer_id", "event_time", "score"), rows)) as tables:
        assert events(tables, "surveys", "score") == [("a", 9.0)]
        assert tables.report["surveys"].rejected == {"score outside 0 to 10": 1}


def test_a_contact_is_sent_and_perhaps_answered():
    """Whether somebody answered is known when they did."""
    names = ("customer_id", "event_time", "kind", "offer", "responded_time")
    rows = [("a", at("2024-01-01"), "mail", True, at("2024-01-03")), ("b", at("2024-01-01"), "call", False, None)]
    with opened("contacts", table(names, rows)) as tables:
        assert events(tables, "contacts", "event_time", "moment", "channel", "offer") == [
            ("a", day(1), "sent", "mail", 1.0),
            ("a", day(3), "responded", "mail", 1.0),
            ("b", day(1), "sent", "call", 0.0),
        ]
        assert tables.streams["contacts"].columns["offer"] == "flag"


def test_customers_join_consent_and_have_attributes():
    """A static attribute was always known, a timed one from its time; one with neither is named for the audit."""
    names = ("customer_id", "signup_time", "consent", "country", "tier", "tier_since", "status")
    rows = [("a", at("2024-01-02"), "yes", "DE", "gold", at("2024-01-05"), "lost")]
    with opened(
        "customers",
        table(names, rows),
        columns={"customer_id": "customer_id", "signup_time": "signup_time", "consent": "consent"},
        attributes={
            "country": AttributeSettings(column="country", static=True),
            "tier": AttributeSettings(column="tier", known_time="tier_since"),
            "status": AttributeSettings(column="status"),
        },
    ) as tables:
        found = events(tables, "customers", "event_time", "moment", "country", "tier", "status", "consent")
        assert found == [
            ("a", BEGINNING, "attribute", "DE", None, None, None),
            ("a", BEGINNING, "attribute", None, None, "lost", None),
            ("a", BEGINNING, "attribute", None, None, None, 1.0),
            ("a", day(2), "joined", None, None, None, None),
            ("a", day(5), "attribute", None, "gold", None, None),
        ]
        assert tables.unknown_time_attributes == ["status"]
        assert tables.data_from == day(2)


def test_repeated_customers_agree_on_one_static_value():
    """Master data with doubles must give the same customer whatever the order of its rows."""
    names = ("customer_id", "country", "since")
    rows = [("a", "DE", at("2024-01-02")), ("a", "AT", at("2024-01-02")), ("a", "AT", at("2024-01-02"))]
    for order in (rows, rows[::-1]):
        with opened(
            "customers",
            table(names, order),
            columns={"customer_id": "customer_id", "signup_time": "since"},
            attributes={"country": AttributeSettings(column="country", static=True)},
        ) as tables:
            assert events(tables, "customers", "moment", "country") == [("a", "attribute", "AT"), ("a", "joined", None)]


def test_a_history_of_customers_dates_its_attributes():
    """When every row says since when it is known, attributes without a time of their own are known since then."""
    names = ("customer_id", "tier", "from")
    rows = [("a", "silver", at("2024-01-02")), ("a", "gold", at("2024-01-05"))]
    with opened(
        "customers",
        table(names, rows),
        columns={"customer_id": "customer_id", "known_time": "from"},
        attributes={"tier": AttributeSettings(column="tier")},
    ) as tables:
        assert events(tables, "customers", "event_time", "tier") == [("a", day(2), "silver"), ("a", day(5), "gold")]
        assert tables.unknown_time_attributes == []


def test_consent_counts_from_its_own_time():
    """Consent given in March says nothing about January."""
    rows = [("a", False, at("2024-03-01"))]
    with opened("customers", table(("customer_id", "consent", "consent_time"), rows)) as tables:
        assert events(tables, "customers", "event_time", "consent") == [("a", day(61), 0.0)]


def test_a_list_of_ids_is_a_source_too():
    """Customers without any event still exist."""
    with opened("customers", table(("customer_id",), [("a",), ("b",)])) as tables:
        assert tables.customer_count == 2
        assert tables.streams == {}
        assert tables.data_until == BEGINNING


@pytest.mark.parametrize("name", ["customer_id", "moment", "drop table", "consent"])
def test_an_attribute_cannot_take_a_name_of_ours(name):
    """The stream has columns of its own, and names go into SQL."""
    with pytest.raises(ConfigError, match=f"attributes.{name}: wanted a name"):
        opened(
            "customers",
            table(("customer_id", "x"), [("a", "1")]),
            columns={"customer_id": "customer_id"},
            attributes={name: AttributeSettings(column="x", static=True)},
        )


def test_times_that_nobody_mapped_betray_a_later_change():
    """A row with a time after it counts as known was written again: its amount may be today's."""
    names = ("customer_id", "event_time", "amount", "updated_at", "created_at")
    rows = [
        ("a", at("2024-01-01"), 1.0, at("2024-02-01"), at("2024-01-01")),
        ("b", at("2024-01-01"), 1.0, None, at("2024-01-01")),
    ]
    ours = {"customer_id": "customer_id", "event_time": "event_time", "amount": "amount"}
    with opened("orders", table(names, rows), columns=ours) as tables:
        assert tables.changed_later == {"orders.updated_at": 0.5}
    with opened("orders", table(names, rows), columns={**ours, "known_time": "updated_at"}) as tables:
        assert tables.changed_later == {}


def test_sums_do_not_depend_on_the_order_of_lines():
    """Floating sums do; equal data must give equal bits, or the audit cries wolf."""
    rows = [("a", at("2024-01-01"), "o", amount) for amount in (1e16, 0.3, 0.1, 0.7, 1.0, 1.0, 1e16, 0.2)]
    totals = set()
    for order in (rows, rows[::-1], rows[3:] + rows[:3]):
        with opened("orders", table(("customer_id", "event_time", "order_id", "amount"), order)) as tables:
            totals.add(events(tables, "orders", "amount")[0][1])
            fingerprint = tables.fingerprint
        with opened("orders", table(("customer_id", "event_time", "order_id", "amount"), rows)) as tables:
            assert tables.fingerprint == fingerprint
    assert len(totals) == 1
