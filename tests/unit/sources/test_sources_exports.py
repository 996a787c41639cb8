"""What exports of shops, help desks and billing systems write, and other tools read wrong without a word."""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from holdfast.errors import ConfigError, DataError
from holdfast.sources import SourceSettings, open_sources
from holdfast.timeline import instant
from tests.unit.sources.opened import NOW, events, opened, table

ORDER = ("customer_id", "event_time", "amount")
COLUMNS = {name: name for name in ORDER}


def one_time(text: str, zone: str | None = None) -> int | None:
    """The instant of a text, or None where its row is rejected."""
    frame = table(ORDER, [("a", text, 1.0), ("b", "2024-01-01T00:00:00Z", 2.0)])
    with opened("orders", frame, timezone=zone) as tables:
        found = {row[0]: row[1] for row in events(tables, "orders", "event_time")}
        assert (tables.report["orders"].rejected == {"not a time": 1}) is ("a" not in found)
        return found.get("a")


def read(folder: Path, csv: dict[str, Any] | None = None, path: str = "orders") -> list[tuple[Any, ...]]:
    """Customers, instants and amounts of CSV files."""
    settings = SourceSettings(path=path, columns=COLUMNS, timezone="UTC", csv=csv or {})
    with open_sources({"orders": settings}, base=folder, now=NOW, threads=1) as tables:
        return events(tables, "orders", "event_time", "amount")


def written(folder: Path, name: str, rows: list[str], encoding: str = "utf-8", sign: str = ",") -> None:
    """A CSV file of orders."""
    (folder / "orders").mkdir(exist_ok=True)
    text = "\n".join([sign.join(ORDER), *rows, ""])
    (folder / "orders" / name).write_bytes(text.encode(encoding))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("2024-01-05 10:22:33 -0500", "2024-01-05T15:22:33"),
        ("2024-01-05 10:22:33 +01:00", "2024-01-05T09:22:33"),
        ("2024-01-05T10:22:33 Z", "2024-01-05T10:22:33"),
        ("2024-01-05 10:22 +0530", "2024-01-05T04:52:00"),
        ("2024-01-05 10:22:33 -05", "2024-01-05T15:22:33"),
        ("2024-01-05 10:22:33 EST", "2024-01-05T15:22:33"),
        ("2024-07-05 10:22:33 CEST", "2024-07-05T08:22:33"),
        ("2024-07-05 10:22:33 MESZ", "2024-07-05T08:22:33"),
        ("2024-01-05 10:22:33 PST", "2024-01-05T18:22:33"),
        ("2024-07-05 10:22:33 Europe/Berlin", "2024-07-05T08:22:33"),
        ("2024-07-05 10:22:33 America/New_York", "2024-07-05T14:22:33"),
    ],
)
def test_a_zone_in_the_text_counts_however_it_is_written(text: str, meant: str) -> None:
    """Ruby, git and PostgreSQL leave a blank before the offset; others write names. The declared zone has no say."""
    assert one_time(text, zone="Asia/Tokyo") == instant(meant)


@pytest.mark.parametrize("text", ["2024-01-05 10:22:33 CST", "2024-01-05 10:22:33 IST", "2024-01-05 10:22:33 XYZ"])
def test_a_zone_of_several_meanings_is_no_time(text: str) -> None:
    """To leave the word out would move the event by hours, silently."""
    assert one_time(text, zone="UTC") is None


@pytest.mark.parametrize(
    "nothing",
    ["0000-00-00 00:00:00", "0000-00-00", "1970-01-01 00:00:00", "1970-01-01", "1970-01-01T00:00:00Z", ""],
)
def test_a_moment_that_has_not_come_leaves_the_ticket_open(nothing: str) -> None:
    """Else exactly the open tickets would be lost."""
    names = ("customer_id", "ticket_id", "opened_time", "resolved_time")
    rows = [("a", "1", "2024-01-05 10:00:00", nothing), ("b", "2", "2024-01-05 10:00:00", "2024-01-06 10:00:00")]
    with opened("tickets", table(names, rows), timezone="UTC") as tables:
        assert [row[:2] for row in events(tables, "tickets", "moment")] == [
            ("a", "opened"),
            ("b", "opened"),
            ("b", "resolved"),
        ]
        told = {"resolved_time 0000-00-00 or 1970-01-01, read as not yet": 1}
        assert tables.report["tickets"].ignored == (told if nothing else {})


def test_the_first_of_1970_in_a_column_of_times_has_not_come_either() -> None:
    """Typed exports write it as a number of zero seconds."""
    names = ("customer_id", "opened_time", "resolved_time")
    instants = pa.timestamp("us", "UTC")
    columns = (["a"], pa.array([NOW - 10**12], instants), pa.array([0], instants))
    frame = pa.table(dict(zip(names, columns, strict=True)))
    with opened("tickets", frame) as tables:
        assert [row[1] for row in events(tables, "tickets", "moment")] == ["opened"]


@pytest.mark.parametrize("sign", ["/", "-", "."])
@pytest.mark.parametrize("clock", ["", " 10:20", " 10:20:30", " 10:20:30 PM"])
@pytest.mark.parametrize(("order", "file_of_days"), [("{m}{s}{d}{s}2024", 12), ("{d}{s}{m}{s}2024", 9)])
def test_one_order_of_day_and_month_holds_for_all_files(
    tmp_path: Path, sign: str, clock: str, order: str, file_of_days: int
) -> None:
    """A file of the current month has days up to the twelfth alone, and would be read the other way round."""
    days = {1: range(1, 29), 2: range(1, file_of_days + 1)}
    for month, each in days.items():
        rows = [f"c{day},{order.format(m=f'{month:02d}', d=f'{day:02d}', s=sign)}{clock},{day}" for day in each]
        written(tmp_path, f"{month}.csv", rows)
    found = {(row[1], row[2]) for row in read(tmp_path)}
    at = {"": "00:00:00", " 10:20": "10:20:00", " 10:20:30": "10:20:30", " 10:20:30 PM": "22:20:30"}[clock]
    assert found == {
        (instant(f"2024-{month:02d}-{day:02d}T{at}"), float(day)) for month, each in days.items() for day in each
    }


def test_an_order_that_nothing_decides_is_asked_for(tmp_path: Path) -> None:
    """Twelve days of one month say nothing; the message shows a cell without what follows its day and month."""
    written(tmp_path, "1.csv", [f"a,{day:02d}/03/2024,1" for day in range(1, 13)])
    with pytest.raises(ConfigError) as caught:
        read(tmp_path)
    message = str(caught.value)
    assert "sources.orders.columns.event_time: 12 of 12 cells read day first as well as month first" in message
    assert "Write sources.orders.csv.date_format, for example %d/%m/%Y or %m/%d/%Y" in message
    assert "2024" not in message
    assert {row[1] for row in read(tmp_path, {"date_format": "%d/%m/%Y"})} == {
        instant(f"2024-03-{day:02d}") for day in range(1, 13)
    }


def test_files_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """No order reads both."""
    written(tmp_path, "1.csv", [f"a,{day:02d}/03/2024,1" for day in range(1, 29)])
    written(tmp_path, "2.csv", [f"a,03/{day:02d}/2024,1" for day in range(1, 29)])
    with pytest.raises(
        ConfigError, match=r"40 of 56 cells read day first, 40 month first: the files or rows contradict each other"
    ):
        read(tmp_path)


@pytest.mark.parametrize(
    ("csv", "good", "bad"),
    [
        ({"decimal": ",", "delimiter": ";"}, "a;2024-01-05;1.234,50", "b;2024-01-05;storniert"),
        ({"date_format": "%d.%m.%Y", "delimiter": ";"}, "a;05.01.2024;1234.5", "b;offen;1"),
        ({"time_format": "%d.%m.%Y %H:%M", "delimiter": ";"}, "a;05.01.2024 00:00;1234.5", "b;05.01.2024 25:00;1"),
        ({"date_format": "%m/%d/%Y", "delimiter": ";"}, "a;01/05/2024;1234.5", "b;00/00/0000;1"),
    ],
)
def test_a_bad_cell_costs_its_row_alone_where_a_format_is_declared(
    tmp_path: Path, csv: dict[str, str], good: str, bad: str
) -> None:
    """And not every row of the column."""
    written(tmp_path, "1.csv", [good, good.replace("a", "c", 1), bad], sign=";")
    assert read(tmp_path, csv) == [(name, instant("2024-01-05"), 1234.5) for name in ("a", "c")]


@pytest.mark.parametrize("encoding", ["cp1252", "windows-1252", "latin-1", "utf-16", "mac-roman", "cp850"])
def test_a_file_is_read_in_the_encoding_that_is_named(tmp_path: Path, encoding: str) -> None:
    """Excel on Windows saves in the code page 1252."""
    written(tmp_path, "1.csv", ["Köln,2024-01-05,1.5", "ß,2024-01-06,2"], encoding)
    assert [row[0] for row in read(tmp_path, {"encoding": encoding})] == ["Köln", "ß"]


def test_signs_that_latin_1_lacks_are_read_from_packed_files_too(tmp_path: Path) -> None:
    """The euro sign is a byte of the code page."""
    written(tmp_path, "1.csv", ["5 €,2024-01-05,1"], "cp1252")
    place = tmp_path / "orders" / "1.csv"
    (tmp_path / "orders" / "1.csv.gz").write_bytes(gzip.compress(place.read_bytes()))
    place.unlink()
    assert [row[0] for row in read(tmp_path, {"encoding": "cp1252"})] == ["5 €"]


def test_a_file_that_is_not_utf_8_says_what_it_looks_like(tmp_path: Path) -> None:
    """And where to write it; nothing of its cells is shown."""
    written(tmp_path, "1.csv", ["5 € – Köln,2024-01-05,1"], "cp1252")
    with pytest.raises(ConfigError) as caught:
        read(tmp_path)
    assert "is not UTF-8. Name its encoding as sources.orders.csv.encoding; its bytes look like cp1252" in str(
        caught.value
    )
    assert "Köln" not in str(caught.value)
    with pytest.raises(ConfigError, match="wanted an encoding such as utf-8"):
        read(tmp_path, {"encoding": "klingon"})
    with pytest.raises(ConfigError, match="has bytes that ascii does not know"):
        read(tmp_path, {"encoding": "ascii"})


@pytest.mark.parametrize("rounded", [1.2345678901234e18, 2.0**53 + 2, -(2.0**60)])
def test_ids_that_a_floating_number_does_not_tell_apart_are_rejected(rounded: float) -> None:
    """Several customers would become one."""
    frame = pa.table({"customer_id": [rounded, 7.0], "event_time": ["2024-01-01T00:00:00Z"] * 2, "amount": [1.0, 2.0]})
    with opened("orders", frame) as tables:
        assert [row[0] for row in events(tables, "orders", "amount")] == ["7"]
        reason = "customer_id rounded: more digits than a floating number holds"
        assert tables.report["orders"].rejected == {reason: 1}


@pytest.mark.parametrize("text", ["1.23457E+18", "1,23457E+18", "1E+05"])
def test_ids_that_a_spreadsheet_has_shortened_are_rejected(text: str) -> None:
    """What it left out cannot be had back."""
    frame = table(ORDER, [(text, "2024-01-01T00:00:00Z", 1.0), ("E+18", "2024-01-01T00:00:00Z", 2.0)])
    with opened("orders", frame) as tables:
        assert [row[0] for row in events(tables, "orders", "amount")] == ["E+18"]


def test_a_source_of_rounded_ids_alone_is_refused() -> None:
    """With the reason."""
    frame = pa.table({"customer_id": [1e18, 2e18], "event_time": ["2024-01-01T00:00:00Z"] * 2, "amount": [1.0, 2.0]})
    with pytest.raises(DataError, match="more digits than a floating number holds: 2"):
        opened("orders", frame)


def test_words_translate_to_numbers() -> None:
    """Help desks rate in words; an empty translation is no rating."""
    names = ("customer_id", "opened_time", "rated_time", "satisfaction")
    rows = [
        (who, "2024-01-01T00:00:00Z", "2024-01-02T00:00:00Z", word)
        for who, word in (("a", "Good"), ("b", "Bad"), ("c", "Offered"), ("d", "3"))
    ]
    values = {"satisfaction": {"Good": "5", "Bad": "1", "Offered": ""}}
    with opened("tickets", table(names, rows), values=values) as tables:
        found = [row for row in events(tables, "tickets", "satisfaction", "moment") if row[2] == "rated"]
        assert [row[:2] for row in found] == [("a", 5.0), ("b", 1.0), ("d", 3.0)]
        assert tables.report["tickets"].rejected == {}


@pytest.mark.parametrize(("own", "what"), [("customer_id", "an id"), ("event_time", "a time")])
def test_a_translation_that_would_be_ignored_is_refused(own: str, what: str) -> None:
    """It would be believed to work."""
    frame = table(ORDER, [("a", "2024-01-01T00:00:00Z", 1.0)])
    with pytest.raises(ConfigError, match=f"sources.orders.values.{own}: wanted a column of words.*holds {what}"):
        opened("orders", frame, values={own: {"a": "b"}})


@pytest.mark.parametrize(
    ("rows", "level"),
    [
        ([("a", 5, 5)], 0.0),
        ([("a", 5, 5), ("a", 5, None)], 1.0),
        ([("a", 5, None), ("a", 7, 7)], 1.0),
        ([("a", 1, 5), ("a", 5, 5)], 0.0),
        ([("a", 1, 5), ("a", 5, 9), ("a", 5, 5)], 0.0),
        ([("a", 1, 5), ("a", 5, None), ("a", 5, 5)], 1.0),
    ],
)
@pytest.mark.parametrize("named", [False, True])
def test_a_contract_of_no_duration_has_come_and_gone(
    rows: list[tuple[str, int, int | None]], level: float, named: bool
) -> None:
    """Bought and cancelled at once; it must neither run for ever nor end another."""

    def day(number: int | None) -> str | None:
        return None if number is None else f"2024-01-{number:02d}T00:00:00Z"

    columns = {
        "customer_id": [who for who, _, _ in rows],
        "start_time": [day(start) for _, start, _ in rows],
        "end_time": pa.array([day(end) for _, _, end in rows], pa.string()),
        "mrr": [10.0] * len(rows),
    }
    if named:
        columns["subscription_id"] = ["s"] * len(rows)
    with opened("subscriptions", pa.table(columns)) as tables:
        active = [row[1] for row in events(tables, "subscriptions", "active_delta")]
        revenue = [row[1] for row in events(tables, "subscriptions", "mrr_delta")]
    assert (sum(active), sum(revenue)) == (level, 10.0 * level)
