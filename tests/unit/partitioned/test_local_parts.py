"""A table in parts on one machine."""

from __future__ import annotations

import resource
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from holdfast.errors import StorageError
from holdfast.partitioned import LocalParts, Spool, conform, no_rows
from holdfast.partitioned.columns import rebatched
from holdfast.partitioned.spool import BYTES_IN_MEMORY

COLUMNS = {"customer_id": "str", "amount": "float64", "n": "int64"}


def table(rows: int) -> pd.DataFrame:
    """Customers in order, with a missing amount now and then."""
    amount = np.where(np.arange(rows) % 7 == 3, np.nan, np.arange(rows) / 3)
    ids = [f"c{i:05d}" for i in range(rows)]
    return conform(pd.DataFrame({"customer_id": ids, "amount": amount, "n": np.arange(rows)}), COLUMNS)


def doubled(rows: pd.DataFrame) -> pd.DataFrame:
    """A row-wise function that also drops rows."""
    return rows.assign(amount=rows["amount"] * 2)[rows["n"] % 2 == 0]


def test_pieces_are_equal_whatever_the_parts_were() -> None:
    """A file is written piece by piece; its bytes must not tell how the work was divided."""
    whole = table(100)
    for rows in (1, 7, 30, 31, 100, 200):
        pieces = list(rebatched((whole.iloc[i : i + rows] for i in range(0, 100, rows)), 30))
        assert [len(piece) for piece in pieces] == [30, 30, 30, 10]
        pd.testing.assert_frame_equal(pd.concat(pieces, ignore_index=True), whole)
    assert list(rebatched([whole[:0], whole[:0]], 30)) == []


def test_a_table_is_sorted_by_customer_and_mapped_part_by_part() -> None:
    """Whoever reads parts may rely on their order; what a function drops is gone."""
    parts = LocalParts.of(table(100).sample(frac=1, random_state=0), rows=9).map(doubled, COLUMNS)
    (found,) = parts.frames()
    pd.testing.assert_frame_equal(found, conform(doubled(table(100)), COLUMNS))
    assert parts.count() == 50


def test_what_is_kept_is_computed_once_and_read_as_it_was() -> None:
    """Scoring is what costs; a selection goes over its result a dozen times."""
    calls: list[int] = []

    def counting(rows: pd.DataFrame) -> pd.DataFrame:
        calls.append(len(rows))
        return doubled(rows)

    parts = LocalParts.of(table(100), rows=40).map(counting, COLUMNS)
    assert calls == []
    kept = parts.keep()
    for _ in range(3):
        (found,) = kept.frames()
        pd.testing.assert_frame_equal(found, conform(doubled(table(100)), COLUMNS))
        assert kept.count() == 50
        assert kept.tally(lambda rows: rows["n"].to_numpy() % 4, reads=["n"]) == {0: 25, 2: 25}
    assert calls == [40, 40, 20]
    kept.close()


def test_a_spooled_table_is_a_parquet_file_that_depends_on_its_rows_alone(tmp_path: Path) -> None:
    """It is published as it is, so it must say the same on every machine, and be whole also without rows."""
    spools = [Spool(COLUMNS) for _ in range(2)]
    for spool in spools:
        for part in (table(30), table(30)[:0], table(50)[30:]):
            spool.append(part)
        spool.finish()
    assert spools[0].sha256 == spools[1].sha256
    path = tmp_path / "table.parquet"
    path.write_bytes(b"".join(spools[0].blocks()))
    assert path.stat().st_size == spools[0].size
    assert pq.read_metadata(path).num_row_groups == 2
    pd.testing.assert_frame_equal(pd.read_parquet(path), table(50))
    pd.testing.assert_frame_equal(spools[0].frame(), table(50))
    pd.testing.assert_frame_equal(Spool(COLUMNS).finish().frame(), no_rows(COLUMNS))


WIDE = {"customer_id": "str", **{f"n{i:03d}": "float64" for i in range(500)}}


def noise() -> Iterator[pd.DataFrame]:
    """Four megabytes a part, and they do not compress."""
    draw = np.random.default_rng(0)
    while True:
        numbers = pd.DataFrame(draw.random((1_000, 500)), columns=list(WIDE)[1:])
        yield numbers.assign(customer_id=table(1_000)["customer_id"])


def test_a_large_table_leaves_memory_and_leaves_no_file_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is killed cannot clean up; a file without a name needs no cleaning."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    spool = Spool(WIDE)
    for part in islice(noise(), 20):
        spool.append(part)
    assert spool.finish().size > BYTES_IN_MEMORY
    assert list(tmp_path.iterdir()) == []
    assert sum(len(frame) for frame in spool.frames(["n000"])) == spool.rows == 20_000


def test_a_full_temporary_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A real refusal of the system, by a limit on the size of files; the message says where room is missing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    spool = Spool(WIDE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (BYTES_IN_MEMORY, limits[1]))
    try:
        with pytest.raises(StorageError, match=rf"temporary folder {tmp_path}.*set TMPDIR"):
            any(map(spool.append, islice(noise(), 40)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
