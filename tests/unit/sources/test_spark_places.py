"""Where tables may lie with ``engine: spark``; their types arrive as DuckDB itself would have read them."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdfast.errors import ConfigError, DataError
from holdfast.sources import SourceSettings
from holdfast.sources.connection import connect
from holdfast.sources.readers import open_relation
from holdfast.sources.relation import registered
from holdfast.sources.spark import SparkSettings, open_on_spark
from holdfast.sources.spark.places import Places
from holdfast.spark.pieces import pieces
from holdfast.spark.session import schema_of
from tests.unit.sources.opened import NOW

NAIVE = dt.datetime(2024, 3, 1, 10, 0, 0, 5)
ROWS = {
    "customer_id": pa.array([1, 2], pa.int64()),
    "event_time": pa.array([NAIVE.replace(tzinfo=dt.UTC)] * 2),
    "amount": pa.array([Decimal("1.50"), Decimal("-2.25")], pa.decimal128(10, 2)),
    "day": pa.array([NAIVE.date()] * 2),
    "clock": pa.array([NAIVE] * 2),
    "weight": pa.array([1.5, None], pa.float32()),
    "flag": pa.array([True, None]),
    "note": pa.array(["plain", None]),
}
ORDERS = {"customer_id": "customer_id", "event_time": "event_time", "amount": "amount"}


@pytest.fixture
def places(spark: Any, tmp_path: Path) -> Iterator[Places]:
    """Places below a temporary folder, with frames of every sort at hand."""
    connection, folder = connect("1GB", 1)
    table = pa.table(ROWS)
    pq.write_table(table, tmp_path / "orders.parquet")
    frames = {
        "arrow": table,
        "pandas": table.to_pandas(),
        "spark": spark.read.parquet(f"file://{tmp_path}/orders.parquet"),
    }
    yield Places(spark, connection, tmp_path, frames, folder.path, shared=False)
    connection.close()
    folder.close()


def kinds(places: Places, frame: Any) -> dict[str, str]:
    """The types that DuckDB sees in a task."""
    relation = registered(places.connection, "seen in a task", schema_of(frame).empty_table())
    relation.release()
    return relation.columns


def source(**place: Any) -> SourceSettings:
    """Orders at this place."""
    return SourceSettings(**place, columns=ORDERS)


@pytest.mark.parametrize("place", [{"path": "orders.parquet"}, {"frame": "spark"}, {"frame": "arrow"}])
def test_types_arrive_as_duckdb_reads_them(places: Places, place: dict[str, str]) -> None:
    """A naive time that turns into an instant, or a date into a time, would be another time on the other engine."""
    frame = places.open("orders", source(**place))
    own = open_relation(
        places.connection, "orders", source(path="orders.parquet"), base=places.base, frames=places.frames
    )
    assert kinds(places, frame) == own.columns
    assert frame.toArrow().sort_by("customer_id").column("clock").to_pylist() == [NAIVE] * 2


def test_files_that_spark_cannot_read_itself_go_through_duckdb(places: Places, tmp_path: Path) -> None:
    """CSV files, whose types DuckDB detects, and times in nanoseconds, as pandas used to write them."""
    (tmp_path / "orders.csv").write_text("customer_id,event_time,amount\n007,2024-03-01T10:00:00Z,1.5\n")
    read = places.open("orders", source(path="orders.csv"))
    assert read.toArrow().column("customer_id").to_pylist() == ["007"]
    fine = pa.table({**ROWS, "event_time": pa.array([1_709_287_200_000_000_001] * 2, pa.timestamp("ns", "UTC"))})
    pq.write_table(fine, tmp_path / "fine.parquet")
    assert kinds(places, places.open("orders", source(path="fine.parquet")))["event_time"] == "TIMESTAMP WITH TIME ZONE"


def test_folders_whose_names_are_columns_give_these_columns(places: Places, tmp_path: Path) -> None:
    """As lakes write them: one folder per shop and month."""
    for shop in ("north", "south"):
        (tmp_path / "lake" / f"shop={shop}").mkdir(parents=True)
        pq.write_table(pa.table(ROWS), tmp_path / "lake" / f"shop={shop}" / "part.parquet")
    frame = places.open("orders", source(path="lake"))
    assert sorted(frame.toArrow().column("shop").to_pylist()) == ["north"] * 2 + ["south"] * 2


def test_a_table_of_the_catalogue_is_read_by_name(places: Places, spark: Any, tmp_path: Path) -> None:
    """Where the warehouse is Spark's own; DuckDB says that it knows no such place."""
    spark.read.parquet(f"file://{tmp_path}/orders.parquet").createOrReplaceTempView("sold")
    assert places.open("orders", source(table="sold")).count() == 2
    with pytest.raises(ConfigError, match=r"sources\.orders\.table: the catalogue of Spark has no table 'sole'"):
        places.open("orders", source(table="sole"))
    with pytest.raises(ConfigError, match="engine: duckdb does not know"):
        open_relation(places.connection, "orders", source(table="sold"), base=tmp_path, frames={})


def test_csv_on_remote_storage_is_refused_with_a_way_out(places: Places) -> None:
    """Spark would guess other types than DuckDB does."""
    with pytest.raises(ConfigError, match="must hold Parquet files, found CSV"):
        places.open("orders", source(path="s3a://shop/orders.csv"))


def test_an_error_in_a_task_keeps_its_words_and_quotes_no_cell(spark: Any) -> None:
    """The trace of an executor would show the cell on which a filter fails."""
    rows = pa.table({**{name: ROWS[name] for name in ORDERS}, "note": pa.array(["7", "secret"])})
    settings = SourceSettings(frame="rows", columns=ORDERS, where="CAST(note AS INTEGER) > 1")
    with pytest.raises(DataError, match=r"on which sources\.orders\.where fails") as told:
        open_on_spark({"orders": settings}, SparkSettings(), base=Path(), frames={"rows": rows}, now=NOW)
    assert "secret" not in str(told.value)
    assert told.value.__cause__ is None


def test_texts_of_times_without_a_zone_are_found_in_the_tasks(spark: Any) -> None:
    """Only the rows tell; the message is that of DuckDB."""
    rows = pa.table({**{name: ROWS[name] for name in ORDERS}, "event_time": pa.array(["2024-03-01 10:00"] * 2)})
    settings = SourceSettings(frame="rows", columns=ORDERS)
    with pytest.raises(ConfigError, match="holds times without a zone, and the source declares none"):
        open_on_spark({"orders": settings}, SparkSettings(), base=Path(), frames={"rows": rows}, now=NOW)


def test_results_come_sorted_and_in_pieces(spark: Any) -> None:
    """The driver never holds more rows than one piece, and nobody sees where partitions ended."""
    frame = spark.range(0, 10_000, 1, 5).selectExpr("(id * 7919) % 10000 AS n", "cast(id AS string) AS text")
    found = list(pieces(frame, 900, order=["n"]))
    assert max(map(len, found)) <= 900
    assert pa.concat_tables(found).column("n").to_pylist() == list(range(10_000))
    assert list(pieces(frame.where("n < 0"), 900, order=["n"])) == []


@pytest.mark.parametrize(
    ("spoil", "found"),
    [("import sys; sys.modules['pyspark'] = None", "not installed"), ("pass", "does not begin")],
)
def test_a_missing_spark_or_java_says_what_to_install(spoil: str, found: str, tmp_path: Path) -> None:
    """The first thing that whoever sets the engine on a new machine sees."""
    script = f"""{spoil}
from holdfast.errors import ConfigError
from holdfast.spark.session import start
try:
    start({{}})
except ConfigError as error:
    print(error)
"""
    bare = {"PATH": "/nowhere", "PYTHONPATH": ":".join(sys.path), "JAVA_HOME": str(tmp_path), "HOME": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", script], env=bare, capture_output=True, text=True, check=False)
    assert found in told.stdout
    assert "pip install 'holdfast[spark]'" in told.stdout
