"""The snapshots table as a file: whole or absent, whatever happens to the job."""

from __future__ import annotations

import os
import random
import resource
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdfast.errors import DataError, LockedError, StorageError
from holdfast.features.catalogue import Vocabulary, catalogue
from holdfast.files import locked
from holdfast.labels import ChurnSettings, LabelSettings, ValueSettings
from holdfast.snapshots import PopulationSettings, Snapshots, build_snapshots, write_snapshots
from holdfast.sources import DuckTables
from tests.raw_business import CUTOFF, DAY, opened, raw_business

BOUGHT = PopulationSettings(bought_within_days=180)
CUTOFFS = [CUTOFF - 60 * DAY, CUTOFF - 30 * DAY, CUTOFF]
LABELS = LabelSettings(
    churn=ChurnSettings(kind="no_order", horizon_days=30), value=ValueSettings(of="revenue", horizon_days=30)
)


@pytest.fixture(scope="module")
def tables() -> Iterator[DuckTables]:
    """A business with all sources."""
    with opened(raw_business(5)) as opened_tables:
        yield opened_tables


@pytest.fixture(scope="module")
def declared(tables: DuckTables) -> Snapshots:
    """Every feature at three cutoffs, with labels."""
    return Snapshots.of(catalogue(Vocabulary.of(tables)), BOUGHT, CUTOFFS, LABELS)


def test_the_file_holds_the_table(tables: DuckTables, declared: Snapshots, tmp_path: Path) -> None:
    """Piece by piece or all at once, it is the same table; the file is in order of customers."""
    written = write_snapshots(tables, declared, tmp_path / "new" / "snapshots.parquet")
    found = pd.read_parquet(tmp_path / "new" / "snapshots.parquet")
    assert found["customer_id"].is_monotonic_increasing
    wanted = build_snapshots(tables, declared.features, population=BOUGHT, cutoffs=CUTOFFS, labels=LABELS)
    assert written.rows == len(wanted) > 0
    assert written.left_in_gap == wanted.attrs["left_in_gap"]
    wanted.attrs.clear()
    again = found.sort_values(["cutoff", "customer_id"], ignore_index=True)
    pd.testing.assert_frame_equal(again, wanted, check_exact=True)
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["snapshots.parquet"]


def build(path: Path) -> None:
    """What a job does, from opening the sources to the file."""
    with opened(raw_business(5)) as tables:
        write_snapshots(tables, Snapshots.of(catalogue(Vocabulary.of(tables)), BOUGHT, CUTOFFS, LABELS), path)


def partials(folder: Path) -> list[Path]:
    """Tables in the making."""
    return list(folder.glob(".holdfast-*/snapshots.parquet"))


def test_a_job_that_is_killed_leaves_no_readable_half(tmp_path: Path) -> None:
    """Thirty times, half of them while it writes: under the name stands the whole table or nothing."""
    path = tmp_path / "snapshots.parquet"
    begun = time.monotonic()
    build(path)
    usual, chance, whole = time.monotonic() - begun, random.Random(3), path.read_bytes()
    halves = finished = 0
    for trial in range(30):
        path.unlink(missing_ok=True)
        child = os.fork()
        if child == 0:
            build(path)
            os._exit(0)
        until = time.monotonic() + 20
        while trial % 2 and not partials(tmp_path) and not path.exists() and time.monotonic() < until:
            time.sleep(0.0005)
        time.sleep(chance.uniform(0, usual / 5 if trial % 2 else 1.5 * usual))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        finished += path.exists()
        assert not path.exists() or path.read_bytes() == whole
        halves += bool(left := partials(tmp_path))
        if halves == 1 and left:
            with pytest.raises(pa.ArrowInvalid):
                pq.ParquetFile(left[0])
    assert halves > 0
    build(path)
    assert path.read_bytes() == whole
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_named_with_the_need_and_what_was_there_stays(
    tables: DuckTables, declared: Snapshots, tmp_path: Path
) -> None:
    """The limit on a file's size makes the system refuse as a full disk does."""
    path = tmp_path / "snapshots.parquet"
    path.write_text("the table of yesterday")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (8_000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"Wanted to write the snapshots to .*snapshots\.parquet.*bytes.*Free"):
            write_snapshots(tables, declared, path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "the table of yesterday"
    assert [found.name for found in tmp_path.iterdir()] == ["snapshots.parquet"]


def test_two_jobs_do_not_write_into_one_file(tables: DuckTables, declared: Snapshots, tmp_path: Path) -> None:
    """The second leaves at once and changes nothing; when the first is gone, the way is free."""
    path = tmp_path / "snapshots.parquet"
    with locked(tmp_path / ".snapshots.parquet.lock", "test"), pytest.raises(LockedError, match="another job holds"):
        write_snapshots(tables, declared, path)
    assert write_snapshots(tables, declared, path).rows > 0


def test_a_population_without_customers_leaves_no_file(tables: DuckTables, tmp_path: Path) -> None:
    """An empty table would look like a business without customers."""
    nobody = Snapshots.of((), PopulationSettings(bought_within_days=1), [CUTOFF - 3000 * DAY])
    with pytest.raises(DataError, match="Nobody belongs to the population"):
        write_snapshots(tables, nobody, tmp_path / "snapshots.parquet")
    assert list(tmp_path.iterdir()) == []
