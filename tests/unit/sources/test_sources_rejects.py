"""Each row is valid or rejected with one reason; nothing gets lost, and nothing of a customer is told in an error."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdfast.errors import DataError, StorageError
from holdfast.sources import SourceSettings, open_sources
from tests.unit.sources.opened import NOW, at, events, opened, table

ORDER = ("customer_id", "event_time", "amount", "event_id")
GOOD = ("good", at("2024-01-01"), 1.0, "e0")


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ((None, at("2024-01-01"), 1.0, "e1"), "missing customer id"),
        ((" ", at("2024-01-01"), 1.0, "e1"), "missing customer id"),
        (("NaN", at("2024-01-01"), 1.0, "e1"), "missing customer id"),
        (("a", None, 1.0, "e1"), "missing time"),
        (("a", at("1899-12-31"), 1.0, "e1"), "impossible time"),
        (("a", at("2200-01-01"), 1.0, "e1"), "impossible time"),
        (("a", at("2025-01-02"), 1.0, "e1"), "time in the future"),
        (("a", at("2024-01-01"), None, "e1"), "missing amount"),
        (("a", at("2024-01-01"), math.inf, "e1"), "not a finite number"),
        (("a", at("2024-01-01"), -math.inf, "e1"), "not a finite number"),
        (("a", at("2024-01-01"), math.nan, "e1"), "not a finite number"),
        (("a", at("2024-01-01"), 1.1e15, "e1"), "impossible number"),
        (("a", at("2024-01-01"), -1e300, "e1"), "impossible number"),
        (("a", at("2024-01-01"), 1.0, "e0"), "duplicate event id"),
        ((None, None, math.inf, "e0"), "missing customer id"),
    ],
)
def test_a_bad_row_is_rejected_with_its_first_reason(row, reason):
    """The account must add up, so a row that is wrong in several ways counts once."""
    with opened("orders", table(ORDER, [GOOD, row])) as tables:
        report = tables.report["orders"]
        assert (report.rows_in, report.rows_valid, report.rejected) == (2, 1, {reason: 1})
        assert report.share_rejected == 0.5


@pytest.mark.parametrize(
    ("kind", "names", "good", "bad", "reason"),
    [
        ("orders", (*ORDER[:3], "margin"), (*GOOD[:3], math.nan), (*GOOD[:3], math.inf), "not a finite number"),
        ("orders", ORDER[:3], ("a", at("2024-01-01"), "1.5"), ("a", at("2024-01-01"), "1,50"), "not a number"),
        (
            "orders",
            ORDER[:3],
            ("a", "2024-01-01T10:00:00Z", 1.0),
            ("a", "yesterday", 1.0),
            "not a time",
        ),
        (
            "tickets",
            ("customer_id", "opened_time", "resolved_time"),
            ("a", at("2024-01-02"), at("2024-01-02")),
            ("a", at("2024-01-02"), at("2024-01-01")),
            "resolved before it was opened",
        ),
        (
            "tickets",
            ("customer_id", "opened_time", "ticket_id"),
            ("a", at("2024-01-02"), 17),
            ("a", at("2024-01-02"), 17),
            "duplicate ticket id",
        ),
        (
            "subscriptions",
            ("customer_id", "start_time", "end_time", "mrr"),
            ("a", at("2024-01-02"), None, 1.0),
            ("a", at("2024-01-02"), at("2024-01-01"), 1.0),
            "ended before it started",
        ),
        (
            "subscriptions",
            ("customer_id", "event_time", "kind", "mrr"),
            ("a", at("2024-01-02"), "started", 1.0),
            ("a", at("2024-01-02"), "paused", 1.0),
            "unknown kind",
        ),
        (
            "subscriptions",
            ("customer_id", "event_time", "kind", "mrr"),
            ("a", at("2024-01-02"), "ended", None),
            ("a", at("2024-01-02"), "renewed", None),
            "missing mrr",
        ),
        (
            "engagement",
            ("customer_id", "event_time", "kind"),
            ("a", at("2024-01-02"), "visit"),
            ("a", at("2024-01-02"), ""),
            "missing kind",
        ),
        (
            "contacts",
            ("customer_id", "event_time", "offer", "responded_time"),
            ("a", at("2024-01-02"), "Yes", None),
            ("a", at("2024-01-02"), "maybe", None),
            "neither yes nor no",
        ),
        (
            "contacts",
            ("customer_id", "event_time", "responded_time"),
            ("a", at("2024-01-02"), None),
            ("a", at("2024-01-02"), at("2024-01-01")),
            "answered before it was sent",
        ),
        (
            "customers",
            ("customer_id", "consent"),
            ("a", 1),
            ("b", 2),
            "neither yes nor no",
        ),
    ],
)
def test_each_kind_has_its_own_reasons(kind, names, good, bad, reason):
    """What cannot be depends on what the rows tell."""
    with opened(kind, table(names, [good, bad])) as tables:
        assert tables.report[kind].rejected == {reason: 1}


def test_of_duplicates_the_one_that_was_known_first_stays():
    """A copy that arrives later must not change what was known before it."""
    names = (*ORDER, "known_time")
    rows = [
        ("a", at("2024-01-01"), 3.0, "e1", at("2024-01-09")),
        ("a", at("2024-01-02"), 2.0, "e1", at("2024-01-05")),
        ("a", at("2024-01-01"), 1.0, "e1", at("2024-01-05")),
        ("a", at("2024-01-01"), 7.0, None, at("2024-01-05")),
        ("a", at("2024-01-01"), 7.0, None, at("2024-01-05")),
    ]
    for order in (rows, rows[::-1]):
        with opened("orders", table(names, order)) as tables:
            assert [row[1] for row in events(tables, "orders", "amount")] == [1.0, 7.0, 7.0]
            assert tables.report["orders"].rejected == {"duplicate event id": 2}


def test_a_rejected_row_does_not_reject_its_double():
    """If the first copy has lost its customer, the second one counts."""
    rows = [(None, at("2024-01-01"), 1.0, "e1"), ("a", at("2024-01-02"), 1.0, "e1")]
    with opened("orders", table(ORDER, rows)) as tables:
        assert tables.report["orders"].rejected == {"missing customer id": 1}


def test_currencies_other_than_the_configured_one_are_rejected():
    """Sums over currencies mean nothing; none is not the configured one either."""
    rows = [(*GOOD[:3], "eur "), (*GOOD[:3], "USD"), (*GOOD[:3], None)]
    frame = table((*ORDER[:3], "currency"), rows)
    with opened("orders", frame, options={"currency": "EUR"}) as tables:
        assert tables.report["orders"].rejected == {"unknown currency": 2}
    with pytest.raises(DataError, match=r"mixed currencies .2 of them.*Write 'currency'"):
        opened("orders", frame)
    with opened("orders", frame.slice(0, 1)) as tables:
        assert tables.report["orders"].rows_valid == 1


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ([13085.0, None], ["13085"]),
        ([13085, None], ["13085"]),
        ([1.5, math.nan], ["1.5"]),
        (["13085.0", " 13085", "13085\u00a0", "None", "null", "<NA>"], ["13085"]),
        (["007", "7"], ["007", "7"]),
        (["ä", "Ä", "王", "a\u0301"], ["a\u0301", "Ä", "ä", "王"]),
        (["10", "100", "0"], ["0", "10", "100"]),
    ],
)
def test_customer_ids_are_texts_whatever_their_type(raw, text):
    """The same customer comes as 13085, 13085.0 and ' 13085' from different systems; other texts stay as they are."""
    frame = table(ORDER[:3], [(value, at("2024-01-01"), 1.0) for value in raw])
    with opened("orders", frame) as tables:
        assert [
            row[0] for row in tables.connection.execute("SELECT customer_id FROM customers_index").fetchall()
        ] == text


def test_rejects_are_written_with_their_raw_values(tmp_path):
    """Whoever mends the source needs the row, its place and the reason."""
    rows = [GOOD, ("a", at("2024-01-02"), math.inf, "e1"), ("ü", at("2024-01-03"), 5.0, "e0")]
    target = tmp_path / "new" / "rejects.parquet"
    with opened("orders", table(ORDER, rows)) as tables:
        assert tables.write_rejects(target) == 2
    found = pq.read_table(target).to_pylist()
    assert [(row["source"], row["row_number"], row["event_id"], row["reason"]) for row in found] == [
        ("orders", 1, "e1", "not a finite number"),
        ("orders", 2, "e0", "duplicate event id"),
    ]
    assert json.loads(found[1]["values"])["customer_id"] == "ü"
    assert [file.name for file in target.parent.iterdir()] == ["rejects.parquet"]


@pytest.mark.parametrize("place", ["file/rejects.parquet", "rejects.parquet"])
def test_rejects_that_cannot_be_written_say_so(tmp_path, place):
    """A run must not go on as if the rows had been kept."""
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "rejects.parquet").mkdir()
    with opened("orders", table(ORDER, [GOOD])) as tables, pytest.raises(StorageError, match="could not be written"):
        tables.write_rejects(tmp_path / place)


def test_no_valid_row_stops_with_the_reasons():
    """An empty result would train on nothing; the usual cause is a wrong column."""
    frame = table(ORDER, [(None, at("2024-01-01"), 1.0, "e0")] * 3)
    with pytest.raises(DataError, match=r"'orders' has no valid row among 3 .missing customer id: 3"):
        opened("orders", frame)


def test_an_empty_table_stops():
    """A source without rows is a failed export, not a business without orders."""
    frame = table(ORDER, [GOOD])
    with pytest.raises(DataError, match="Source 'orders' has no rows"):
        opened("orders", frame.slice(0, 0))
    with pytest.raises(DataError, match="its filter keeps none of 1"):
        opened("orders", frame, where="amount > 5")


def test_rows_left_out_by_the_filter_are_told_but_not_rejected():
    """Leaving out is the user's wish, rejecting is ours."""
    frame = table(ORDER, [GOOD, ("b", at("2024-01-01"), 9.0, "e1"), (None, None, None, "e2")])
    with opened("orders", frame, where="amount < 5") as tables:
        report = tables.report["orders"]
        assert (report.filtered, report.rows_in, report.rows_valid) == (2, 1, 1)


def test_too_many_rejects_stop_with_share_and_reasons():
    """A run on what is left of a broken export would mislead."""
    rows = [GOOD, *[(None, at("2024-01-01"), 1.0, f"x{i}") for i in range(2)]]
    with opened("orders", table(ORDER, rows)) as tables:
        tables.report.require(0.7)
        with pytest.raises(DataError) as stopped:
            tables.report.require(0.4)
    message = str(stopped.value)
    for part in ("'orders'", "66.7%", "at most 40.0%", "missing customer id: 2", "rejects.parquet"):
        assert part in message


def test_the_report_is_plain_data():
    """It goes into JSON and into the tracking store."""
    with opened("orders", table(ORDER, [GOOD, (None, None, None, None)])) as tables:
        assert json.loads(json.dumps(tables.report.to_dict())) == {
            "orders": {
                "name": "orders",
                "rows_in": 2,
                "rows_valid": 1,
                "rows_filtered": 0,
                "rejected": {"missing customer id": 1},
                "ignored": {},
                "share_rejected": 0.5,
                "first": "2024-01-01",
                "last": "2024-01-01",
            }
        }
        assert [report.name for report in tables.report] == ["orders"]


def test_nan_in_a_parquet_file_is_no_number(tmp_path: Path) -> None:
    """Statistics of such files leave NaN out, and DuckDB concludes that there is none: one would spoil every sum."""
    rows = {"customer_id": ["a", "b", "c"], "event_time": [at("2024-01-01")] * 3, "amount": [1.0, float("nan"), 2.0]}
    pq.write_table(pa.table({**rows, "margin": [float("nan"), 1.0, 2.0]}), tmp_path / "orders.parquet")
    columns = {name: name for name in (*rows, "margin")}
    settings = SourceSettings(path="orders.parquet", columns=columns)
    with open_sources({"orders": settings}, base=tmp_path, now=NOW, threads=1) as tables:
        assert tables.report["orders"].rejected == {"not a finite number": 1}
        assert events(tables, "orders", "amount", "margin") == [("a", 1.0, None), ("c", 2.0, 2.0)]
