"""Rows kept from one opening to the next."""

from __future__ import annotations

import fcntl
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdfast.sources import DuckTables, SourceSettings, open_sources
from tests.unit.sources.opened import NOW, at, events, table

HOUR = timedelta(hours=1)
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


def kept_rows(folder: Path) -> list[int]:
    """How many rows each kept file holds, oldest first."""
    named = json.loads((folder / "kept" / "kept.json").read_text())["sources"]["orders"]["files"]
    return [pq.read_metadata(folder / "kept" / file).num_rows for file in named]


def test_old_rows_are_judged_once(tmp_path: Path) -> None:
    """The last row is too new to be kept; the next night keeps it, and the two that it kept before stay as they are."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    assert kept_rows(tmp_path) == [2]
    write(tmp_path, "new", NEW)
    with opened(tmp_path) as tables:
        assert amounts(tables) == [1.0, 3.0, 5.0, 2.0, 4.0]
        assert tables.report["orders"].rows_in == 5
    assert kept_rows(tmp_path) == [2, 1]


@pytest.mark.parametrize(
    "tonight",
    [
        [*OLD, ("b", at("2024-01-15"), 7.0)],
        [*OLD, ("c", at("2024-02-29T23:00:00"), 7.0)],
        OLD[1:],
        [OLD[0], OLD[2]],
        [("anonymous", *OLD[0][1:]), *OLD[1:]],
        [(*OLD[0][:2], 100.0), *OLD[1:]],
        [*OLD[1:], ("b", at("2024-01-15"), 7.0)],
    ],
    ids=["late", "late by an hour", "erased", "erased lately", "anonymised", "rewritten", "one for another"],
)
def test_whatever_happens_to_the_export_is_seen(tmp_path: Path, tonight: list[tuple[Any, ...]]) -> None:
    """A customer who was erased must not be scored; an order that came late must count. Tonight and a month later."""
    write(tmp_path, "orders", OLD)
    opened(tmp_path).close()
    for more in ([], [("a", at("2024-04-01"), 9.0)]):
        write(tmp_path, "orders", [*tonight, *more])
        settings = SourceSettings(path="orders", columns={name: name for name in NAMES})
        with opened(tmp_path) as kept, open_sources({"orders": settings}, base=tmp_path, now=NOW) as whole:
            assert kept.fingerprint == whole.fingerprint
            assert kept.report == whole.report


def test_a_time_ahead_does_not_make_today_old(tmp_path: Path) -> None:
    """A till with a wrong zone sends tonight's time; tomorrow's orders before it must count."""
    ahead = ("a", at("2024-03-03"), 1.0)
    hours = [("b", at(f"2024-03-02T{hour:02}:00:00"), float(hour)) for hour in range(24)]
    settings = SourceSettings(path="orders", columns={name: name for name in NAMES})
    for rows, now in (([*OLD, ahead], at("2024-03-02T12:00:00")), ([*OLD, ahead, *hours], at("2024-03-03T12:00:00"))):
        write(tmp_path, "orders", rows)
        given = {"base": tmp_path, "now": int(now.timestamp() * 1e6)}
        with open_sources({"orders": settings}, **given, keep=tmp_path / "kept") as kept:
            assert kept.report["orders"].rows_valid == len(rows)


def test_other_types_read_everything(tmp_path: Path) -> None:
    """An export that turns cents into euros changes its type, and old rows with it."""
    write(tmp_path, "orders", OLD)
    opened(tmp_path).close()
    content = pq.read_table(tmp_path / "orders" / "orders.parquet")
    content = content.set_column(2, "amount", content.column("amount").cast(pa.int64()))
    pq.write_table(content, tmp_path / "orders" / "orders.parquet")
    opened(tmp_path).close()
    assert kept_rows(tmp_path) == [2]


def test_many_nights_become_one_file(tmp_path: Path) -> None:
    """One file a night would be hundreds within a year."""
    rows = [("a", at("2024-01-01") + day * 24 * HOUR, float(day)) for day in range(45)]
    for night in range(5, 45):
        write(tmp_path, "orders", rows[:night])
        with opened(tmp_path) as tables:
            assert amounts(tables) == [row[-1] for row in rows[:night]]
    assert len(kept_rows(tmp_path)) <= 31
    assert sum(kept_rows(tmp_path)) == 41


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    """They are customers' events, and the folder lies beside a configuration that may be in a repository."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    assert (tmp_path / "kept").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "kept" / ".gitignore").read_text() == "*\n"


def test_other_people_s_files_stay(tmp_path: Path) -> None:
    """Whoever names a folder of his own as store must not lose what is in it."""
    write(tmp_path, "old", OLD)
    (tmp_path / "kept").mkdir()
    mine = tmp_path / "kept" / "orders.parquet"
    mine.write_bytes(b"mine")
    opened(tmp_path).close()
    write(tmp_path, "new", NEW)
    opened(tmp_path).close()
    assert mine.read_bytes() == b"mine"


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


@pytest.mark.parametrize(
    "damage",
    ["", "{", "[]", '{"format": "another"}', '{"format": "holdfast-rows/2", "sources": 3}'],
)
def test_a_manifest_that_makes_no_sense_is_passed_over(tmp_path: Path, damage: str) -> None:
    """What is kept is a convenience: without it everything is read, and kept anew."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    (tmp_path / "kept" / "kept.json").write_text(damage)
    with opened(tmp_path) as tables:
        assert amounts(tables) == [1.0, 3.0, 2.0]
    assert kept_rows(tmp_path) == [2]


@pytest.mark.parametrize("damage", [b"", b"half", None])
def test_a_damaged_file_is_read_again(tmp_path: Path, damage: bytes | None) -> None:
    """A power cut, a bad sector: a list must not differ by it, and not fail every night."""
    write(tmp_path, "old", OLD)
    opened(tmp_path).close()
    (file,) = (tmp_path / "kept").glob("rows-*.parquet")
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(whole if damage is None else damage)
    with opened(tmp_path) as tables:
        assert amounts(tables) == [1.0, 3.0, 2.0]


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
    (tmp_path / "kept" / f"rows-orders-{'0' * 32}.parquet").write_bytes(b"half")
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


def test_a_folder_that_cannot_be_made_is_named_and_the_score_goes_on(tmp_path: Path) -> None:
    """The list does not need it."""
    write(tmp_path, "old", OLD)
    (tmp_path / "kept").write_text("a file")
    with pytest.warns(UserWarning, match=r"Wanted to keep validated rows in .*kept.*another folder under store"):
        tables = opened(tmp_path)
    with tables:
        assert amounts(tables) == [1.0, 3.0, 2.0]
