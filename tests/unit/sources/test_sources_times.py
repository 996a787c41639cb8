"""Times of all shapes become microseconds in UTC; those without a zone need one."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pandas as pd
import pyarrow as pa
import pytest

from holdfast.errors import ConfigError
from holdfast.timeline import instant
from tests.unit.sources.opened import NOW, events, opened, table

ORDER = ("customer_id", "event_time", "amount")


def stamped(stamps, zone=None):
    """Event times after opening, in the order of the given stamps."""
    frame = pa.table({"customer_id": ["a"] * len(stamps), "event_time": stamps, "amount": range(len(stamps))})
    with opened("orders", frame, timezone=zone) as tables:
        return [row[2] for row in events(tables, "orders", "amount", "event_time")]


def test_a_zone_holds_through_summer_and_winter():
    """An hour's error at a cutoff moves events across it; Python's own zones are the judge."""
    zone = ZoneInfo("Europe/London")
    first = datetime(2011, 1, 1)
    local = [first + timedelta(hours=37 * i) for i in range(200)]
    gaps = [t for t in local if t.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != t]
    assert not gaps
    expected = [instant(t.replace(tzinfo=zone)) for t in local]
    assert stamped(pa.array(local, pa.timestamp("us")), "Europe/London") == expected


def test_the_hour_that_comes_twice_is_the_later_one():
    """A row is never visible before it happened."""
    assert stamped(pa.array([datetime(2011, 10, 30, 1, 30)]), "Europe/London") == [instant("2011-10-30T01:30:00+00:00")]


def test_the_hour_that_is_left_out_runs_on():
    """Such a stamp comes from a clock that nobody put forward."""
    assert stamped(pa.array([datetime(2011, 3, 27, 1, 30)]), "Europe/London") == [instant("2011-03-27T02:30:00+01:00")]


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_every_unit_of_time_is_read(unit):
    """Tools write seconds to nanoseconds."""
    stamp = datetime(2024, 5, 1, 12)
    expected = instant("2024-05-01T12:00:00")
    assert stamped(pa.array([stamp], pa.timestamp(unit)), "UTC") == [expected]
    assert stamped(pa.array([stamp], pa.timestamp(unit, "UTC"))) == [expected]


def test_a_date_is_its_midnight_in_the_declared_zone():
    """A day begins where the business is."""
    assert stamped(pa.array([date(2024, 5, 1)]), "Europe/Berlin") == [instant("2024-05-01T00:00:00+02:00")]


def test_texts_with_and_without_a_zone():
    """A text that says its zone keeps it; the others stand on the declared clocks."""
    texts = [
        "2024-05-01T12:00:00Z",
        "2024-05-01 12:00:00+02:00",
        "2024-05-01 12:00",
        "2024-05-01",
        "2024-05-01 12:00+02",
    ]
    assert stamped(texts, "America/New_York") == [
        instant("2024-05-01T12:00:00+00:00"),
        instant("2024-05-01T10:00:00+00:00"),
        instant("2024-05-01T16:00:00+00:00"),
        instant("2024-05-01T04:00:00+00:00"),
        instant("2024-05-01T10:00:00+00:00"),
    ]
    assert stamped(texts[:2]) == [instant("2024-05-01T12:00:00+00:00"), instant("2024-05-01T10:00:00+00:00")]


@pytest.mark.parametrize("stamp", [datetime(2024, 5, 1), date(2024, 5, 1), "2024-05-01 12:00:00", "2024-05-01"])
def test_times_without_a_zone_need_one(stamp):
    """Guessing a zone would move events by hours without a word."""
    with pytest.raises(
        ConfigError, match=r"sources.orders.columns.event_time .*without a zone.*sources.orders.timezone"
    ):
        opened("orders", table(ORDER, [("a", stamp, 1.0)]))


def test_an_unknown_zone_is_named():
    """The nearest name helps more than a list of six hundred."""
    with pytest.raises(ConfigError, match=r"sources.orders.timezone: 'Europe/Berlyn' .*did you mean 'Europe/Berlin'"):
        opened("orders", table(ORDER, [("a", date(2024, 5, 1), 1.0)]), timezone="Europe/Berlyn")


def test_numbers_are_no_times_but_can_be_computed():
    """Seconds, milliseconds and microseconds look alike; the user knows which they are."""
    frame = table(ORDER, [("a", 1_714_564_800, 1.0)])
    with pytest.raises(ConfigError, match=r"columns.event_time must hold times; its type is BIGINT.*to_timestamp"):
        opened("orders", frame)
    columns = {"customer_id": "customer_id", "amount": "amount"}
    with opened("orders", frame, columns=columns, compute={"event_time": "to_timestamp(event_time)"}) as tables:
        assert events(tables, "orders", "event_time") == [("a", instant("2024-05-01T12:00:00"))]


def test_times_beyond_every_calendar_are_rejected_or_open():
    """Exports write 9999-12-31 for 'never'; a pandas NaT is no time."""
    frame = pa.table(
        {
            "customer_id": ["a", "b"],
            "opened_time": pa.array([datetime(2024, 1, 1), datetime(9999, 12, 31)]),
            "resolved_time": pa.array([datetime(9999, 12, 31), None]),
        }
    )
    with opened("tickets", frame, timezone="Europe/London") as tables:
        assert tables.report["tickets"].rejected == {"impossible time": 1}
        assert [row[1] for row in events(tables, "tickets", "moment")] == ["opened"]


def test_pandas_frames_are_read():
    """A notebook hands over what it has: categories, strings, NaT, objects."""
    frame = pd.DataFrame(
        {
            "customer_id": pd.Categorical(["x", "y", "x"]),
            "event_time": pd.to_datetime(["2024-01-01", None, "2024-01-03"]).tz_localize("Europe/Berlin"),
            "amount": pd.array([1, 2, None], dtype="Int64"),
        }
    )
    with opened("orders", frame) as tables:
        assert tables.report["orders"].rejected == {"missing amount": 1, "missing time": 1}
        assert events(tables, "orders", "event_time", "amount") == [("x", instant("2023-12-31T23:00:00"), 1.0)]


def test_the_present_comes_from_the_clock_unless_given():
    """Rows of tomorrow are mistakes, whenever the run is."""
    with opened(
        "orders", table(ORDER, [("a", datetime(2024, 5, 1, tzinfo=UTC), 1.0)]), options={"now": None}
    ) as tables:
        assert tables.data_until < NOW
