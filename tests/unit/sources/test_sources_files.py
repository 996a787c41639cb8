"""Where tables lie: files, folders, globs, CSV of several dialects, tables of a DuckDB file."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from holdfast.errors import ConfigError
from holdfast.sources import SourceSettings, open_sources
from holdfast.sources.settings import CsvSettings, DuckDBTable
from tests.unit.sources.opened import NOW, events

COLUMNS = {"customer_id": "id", "event_time": "at", "amount": "value"}
CSV = "id,at,value\n007,2024-01-01 10:00:00,1.5\n8,2024-01-02 10:00:00,2\n"


def amounts(base: Path, **settings):
    """Customers and amounts of the orders that the settings name."""
    source = SourceSettings(**{"columns": COLUMNS, "timezone": "UTC", **settings})
    with open_sources({"orders": source}, base=base, now=NOW, threads=1) as tables:
        return [(row[0], row[1]) for row in events(tables, "orders", "amount")]


def parquet(path: Path, customer: str, value: float, **more) -> None:
    """A Parquet file with one order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"id": [customer], "at": ["2024-01-01"], "value": [value], **more}), path)


def test_a_file_a_folder_and_a_glob(tmp_path):
    """Exports come as one file, or as one a day, and later ones may have more columns in another order."""
    parquet(tmp_path / "day" / "1.parquet", "a", 1.0)
    parquet(tmp_path / "day" / "sub" / "2.PARQUET", "b", 2.0, extra=["x"])
    parquet(tmp_path / "day" / "_started.parquet", "c", 3.0)
    assert amounts(tmp_path, path="day/1.parquet") == [("a", 1.0)]
    assert amounts(tmp_path, path=str(tmp_path / "day" / "1.parquet")) == [("a", 1.0)]
    assert amounts(tmp_path, path="day") == [("a", 1.0), ("b", 2.0)]
    assert amounts(tmp_path, path="day/**/*.P*T") == [("b", 2.0)]


def test_a_name_with_the_signs_of_a_glob_is_a_name(tmp_path):
    """'export [final].parquet' is one file, not a pattern."""
    parquet(tmp_path / "it's [a-c]*?.parquet", "a", 1.0)
    parquet(tmp_path / "it's axx.parquet", "b", 1.0)
    assert amounts(tmp_path, path="it's [a-c]*?.parquet") == [("a", 1.0)]


def test_environment_variables_expand(tmp_path, monkeypatch):
    """The same configuration runs on a laptop and on a server."""
    parquet(tmp_path / "in" / "1.parquet", "a", 1.0)
    monkeypatch.setenv("HOLDFAST_TEST_DATA", str(tmp_path / "in"))
    assert amounts(Path("/"), path="${HOLDFAST_TEST_DATA}/1.parquet") == [("a", 1.0)]
    monkeypatch.delenv("HOLDFAST_TEST_DATA")
    with pytest.raises(ConfigError, match=r"sources.orders.path needs the environment variable HOLDFAST_TEST_DATA"):
        amounts(Path("/"), path="${HOLDFAST_TEST_DATA}/1.parquet")


def test_csv_keeps_ids_as_they_are_written(tmp_path):
    """Leading zeros belong to an id, also if all ids look like numbers."""
    (tmp_path / "orders.csv").write_text(CSV)
    assert amounts(tmp_path, path="orders.csv") == [("007", 1.5), ("8", 2.0)]
    with gzip.open(tmp_path / "orders.csv.gz", "wt") as file:
        file.write(CSV)
    assert amounts(tmp_path, path="orders.csv.gz") == [("007", 1.5), ("8", 2.0)]


def test_csv_computes_with_the_detected_types(tmp_path):
    """Computed columns need numbers, not texts."""
    (tmp_path / "orders.csv").write_text(CSV)
    columns = {"customer_id": "id", "event_time": "at"}
    assert amounts(tmp_path, path="orders.csv", columns=columns, compute={"amount": "value * 2"})[0] == ("007", 3.0)


def test_one_dirty_cell_far_down_rejects_one_row(tmp_path):
    """A detection from the first rows only would fail on it, or drop the column."""
    lines = "".join(f"{i},2024-01-01 10:00:00,{i}.25\n" for i in range(30_000))
    (tmp_path / "orders.csv").write_text(f"id,at,value\n{lines}x,2024-01-01 10:00:00,n/a\n")
    source = SourceSettings(path="orders.csv", columns=COLUMNS, timezone="UTC")
    with open_sources({"orders": source}, base=tmp_path, now=NOW) as tables:
        assert tables.report["orders"].rejected == {"not a number": 1}
        assert tables.report["orders"].rows_valid == 30_000


def test_csv_of_another_country(tmp_path):
    """Semicolons, decimal commas, days first, Latin letters."""
    text = "Kunde;Datum;Betrag\nMüller;03.01.2024 10:00;1,5\nk.A.;04.01.2024 10:00;2,5\n"
    (tmp_path / "orders.txt").write_bytes(text.encode("latin-1"))
    found = amounts(
        tmp_path,
        path="orders.txt",
        columns={"customer_id": "Kunde", "event_time": "Datum", "amount": "Betrag"},
        csv=CsvSettings(
            delimiter=";", decimal=",", time_format="%d.%m.%Y %H:%M", encoding="latin-1", missing="k.A.", header=True
        ),
    )
    assert found == [("Müller", 1.5)]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("nowhere.parquet", "found nothing at .*nowhere.parquet. Paths are relative to"),
        ("*.nothing", "no file matches"),
        ("empty", "holds no Parquet or CSV file"),
        ("mixed", "all of one format; found .csv, .parquet"),
        ("mixed/notes.xlsx", "found .xlsx"),
        ("broken.parquet", "broken.parquet"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path, path, message):
    """With their place in the configuration."""
    (tmp_path / "empty").mkdir()
    parquet(tmp_path / "mixed" / "1.parquet", "a", 1.0)
    (tmp_path / "mixed" / "2.csv").write_text(CSV)
    (tmp_path / "mixed" / "notes.xlsx").write_text("")
    (tmp_path / "broken.parquet").write_text("PAR1 is not all it takes")
    with pytest.raises(ConfigError, match=f"sources.orders.path.*{message}"):
        amounts(tmp_path, path=path)


def test_csv_with_torn_lines_stops_without_quoting_them(tmp_path):
    """Rows that the reader cannot even split would be lost without a count."""
    (tmp_path / "orders.csv").write_text(CSV + 'secret name,"2024-01-02,2\n3,4,5,6,7,8\n')
    with pytest.raises(Exception, match="orders") as stopped:
        amounts(tmp_path, path="orders.csv", csv=CsvSettings(delimiter=",", quote='"', header=True))
    assert "secret" not in str(stopped.value)


def test_a_table_of_a_duckdb_file(tmp_path):
    """Tables, views and schemas; the file itself stays as it is."""
    file = tmp_path / "shop.duckdb"
    with duckdb.connect(str(file)) as shop:
        shop.execute("CREATE TABLE orders AS SELECT 'a' AS id, DATE '2024-01-01' AS at, 1.5 AS value")
        shop.execute("CREATE SCHEMA sales")
        shop.execute('CREATE VIEW sales."my orders" AS SELECT * REPLACE (value * 2 AS value) FROM orders')
    before = file.read_bytes()
    assert amounts(tmp_path, duckdb=DuckDBTable(file="shop.duckdb", table="orders")) == [("a", 1.5)]
    assert amounts(tmp_path, duckdb=DuckDBTable(file="shop.duckdb", table="sales.my orders")) == [("a", 3.0)]
    assert file.read_bytes() == before
    with pytest.raises(ConfigError, match=r"has no table 'order' \(did you mean 'orders'\?\). It has orders, sales.my"):
        amounts(tmp_path, duckdb=DuckDBTable(file="shop.duckdb", table="order"))
    with pytest.raises(ConfigError, match="found nothing at"):
        amounts(tmp_path, duckdb=DuckDBTable(file="shop2.duckdb", table="orders"))
    (tmp_path / "text.duckdb").write_text("x" * 5000)
    with pytest.raises(ConfigError, match=r"text\.duckdb"):
        amounts(tmp_path, duckdb=DuckDBTable(file="text.duckdb", table="orders"))


def test_nothing_stays_behind(tmp_path, monkeypatch):
    """The temporary database goes, whether opening ends well or not."""
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "tmp").mkdir()
    parquet(tmp_path / "1.parquet", "a", 1.0)
    amounts(tmp_path, path="1.parquet")
    with pytest.raises(ConfigError):
        amounts(tmp_path, path="1.parquet", where="nope")
    source = SourceSettings(path="1.parquet", columns=COLUMNS, timezone="UTC")
    tables = open_sources({"orders": source}, base=tmp_path, now=NOW)
    assert list((tmp_path / "tmp").iterdir())
    tables.close()
    tables.close()
    assert list((tmp_path / "tmp").iterdir()) == []
