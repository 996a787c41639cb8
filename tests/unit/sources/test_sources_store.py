"""Rows kept from one opening to the next."""

from __future__ import annotations

import fcntl
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdfast.errors import StorageError
from holdfast.sources import DuckTables, SourceSettings, open_sources
from tests.unit.sources.opened import NOW, at, events, table

NAMES = ("customer_id", "event_time", "amount")
OLD = [("a", at("2024-01-01"), 1.0), ("b", at("2024-02-01"), 2.0), ("a", at("2024-03-01"), 3.0)]
NEW = [("c", at("2024-06-01"), 4.0), ("a", at("2024-06-02"), 5.0)]


def opened(folder: Path, **more: Any) -> DuckTables:
    """The orders of the folder, with what is kept beside them."""
    settings = SourceSettings(path="orders", columns={name: name for name in NAMES}, **more)
    return open_sources({"orders": settings}, base=folder, now=NOW, keep=folder / "kept")


def write(folder: Path, name: str, rows: list[tuple[Any, ...]], stamps: pa.DataType | None = None) -> None:
    """One file of the folder of orders."""
    (folder / "orders").mkdir(exist_ok=True)
    content = table(NAMES, rows)
    if stamps is not None:
        content = content.set_column(1, "event_time", content.column("event_time").cast(stamps))
    pq.write_table(content, folder / "orders" / f"{name}.parquet")


def amounts(tables: DuckTables) -> list[float]:
    """All amounts, in order of customer and time."""
    return [row[-1] for row in events(tables, "orders", "event_time", "amount")]


def test_what_is_kept_is_not_read_again(tmp_path: Path) -> None:
    """The old file now says something else, with the same times: nobody looks."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    write(tmp_path, "old", [(customer, time, amount * 100) for customer, time, amount in OLD])
    write(tmp_path, "new", NEW)
    with opened(tmp_path) as tables:
        assert amounts(tables) == [1.0, 300.0, 5.0, 2.0, 4.0]  # the last of the old rows was at the edge, and is read
        assert tables.report["orders"].rows_in == 5


def test_a_past_that_has_grown_is_read_again(tmp_path: Path) -> None:
    """A row that arrives late and says nothing of it shows by the number of older rows."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    write(tmp_path, "late", [("b", at("2024-01-15"), 7.0)])
    with opened(tmp_path) as tables:
        assert amounts(tables) == [1.0, 3.0, 7.0, 2.0]


def test_other_settings_read_everything(tmp_path: Path) -> None:
    """A filter that keeps other rows makes other rows good."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    with opened(tmp_path, where="amount > 1") as tables:
        assert amounts(tables) == [3.0, 2.0]
        assert tables.report["orders"].filtered == 1


@pytest.mark.parametrize(
    ("stamps", "zone"),
    [
        *((pa.timestamp(unit), "Pacific/Auckland") for unit in ("s", "ms", "us", "ns")),
        *((pa.timestamp(unit, "Asia/Tokyo"), None) for unit in ("ms", "us", "ns")),
        (pa.date32(), "America/Adak"),
    ],
)
def test_clocks_far_from_ours_lose_no_row(tmp_path: Path, stamps: pa.DataType, zone: str | None) -> None:
    """A raw time without a zone tells only roughly when it was; what lies at the edge is read and counted once."""
    for night in range(1, 5):
        rows = [("a", at(f"2024-03-{day:02}T12:00:00").replace(tzinfo=None), float(day)) for day in range(1, 5 * night)]
        write(tmp_path, "orders", rows, stamps)
        with opened(tmp_path, timezone=zone) as tables:
            assert amounts(tables) == [row[-1] for row in rows]
            assert tables.report["orders"].rows_in == len(rows)


@pytest.mark.parametrize("damage", ["", "{", '{"format": "another"}', '{"format": "holdfast-rows/1", "sources": 3}'])
def test_a_manifest_that_makes_no_sense_is_passed_over(tmp_path: Path, damage: str) -> None:
    """What is kept is a convenience: without it everything is read, and kept anew."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    (tmp_path / "kept" / "kept.json").write_text(damage)
    with opened(tmp_path) as tables:
        assert amounts(tables) == [1.0, 3.0, 2.0]
    assert json.loads((tmp_path / "kept" / "kept.json").read_text())["sources"]["orders"]["until"]


def test_a_kept_file_that_is_gone_is_read_again(tmp_path: Path) -> None:
    """Somebody tidied up."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    for file in (tmp_path / "kept").glob("*.parquet"):
        file.unlink()
    with opened(tmp_path) as tables:
        assert amounts(tables) == [1.0, 3.0, 2.0]


def test_files_that_nothing_leads_to_are_removed(tmp_path: Path) -> None:
    """What a killed job wrote, and what other settings had kept, does not pile up."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    (tmp_path / "kept" / "orders.half.parquet").write_bytes(b"half")
    write(tmp_path, "new", NEW)
    opened(tmp_path, where="amount > 1").close()
    named = json.loads((tmp_path / "kept" / "kept.json").read_text())["sources"]["orders"]["files"]
    assert sorted(file.name for file in (tmp_path / "kept").glob("*.parquet")) == sorted(named)


def test_while_another_job_holds_the_folder_everything_is_read(tmp_path: Path) -> None:
    """Two scores at once must not remove each other's files; both are right."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    with (tmp_path / "kept" / ".lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        before = sorted((tmp_path / "kept").iterdir())
        with opened(tmp_path) as tables:
            assert amounts(tables) == [1.0, 3.0, 2.0]
        assert sorted((tmp_path / "kept").iterdir()) == before


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    """With what to do: the score itself does not need it."""
    write(tmp_path, "old", OLD)
    (tmp_path / "kept").write_text("a file")
    with pytest.raises(StorageError, match=r"Wanted to keep validated rows in .*kept.*leave store out"):
        opened(tmp_path)
