"""PostgreSQL, read through its ADBC driver from a real server that these tests start for themselves."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from holdfast.errors import ConfigError, DataError
from holdfast.sources import SourceSettings, open_sources
from holdfast.sources.settings import PostgresTable
from holdfast.timeline import instant
from tests.unit.sources.opened import NOW, events

COLUMNS = {"customer_id": "id", "event_time": "at", "amount": "value"}


def _binary(name: str) -> str | None:
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    return shutil.which(name) or (str(versions[-1]) if versions else None)


@pytest.fixture(scope="module")
def postgres():
    """A private server on a unix socket, with a few orders; its URI."""
    initdb, pg_ctl = _binary("initdb"), _binary("pg_ctl")
    if initdb is None or pg_ctl is None:
        pytest.skip("no PostgreSQL server is installed on this machine (Debian: postgresql)")
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", reason="the extra 'postgres' is not installed")
    folder = Path(tempfile.mkdtemp(prefix="hf-pg-", dir="/tmp"))  # a socket's path must be short
    as_user: list[str] = []
    if os.getuid() == 0:  # the server refuses to run as root
        shutil.chown(folder, "nobody")
        as_user = ["runuser", "-u", "nobody", "--"]

    def run(*command: str) -> None:
        subprocess.run([*as_user, *command], check=True, capture_output=True, timeout=60, cwd=folder)

    data = str(folder / "data")
    run(initdb, "-D", data, "-U", "holdfast", "-A", "trust", "-E", "UTF8", "--no-locale", "--no-sync")
    options = f"-c listen_addresses='' -c fsync=off -k {folder}"
    run(pg_ctl, "-D", data, "-o", options, "-l", str(folder / "log"), "-w", "start")
    uri = f"postgresql://holdfast@/postgres?host={folder}"
    try:
        with dbapi.connect(uri) as connection, connection.cursor() as cursor:
            for statement in (
                "CREATE SCHEMA shop",
                "CREATE TYPE color AS ENUM ('red')",
                "CREATE TABLE shop.orders (id uuid, at timestamptz, local timestamp, day date, value numeric(12, 2), "
                "paid money, tags text[], doc jsonb, hue color, ok boolean)",
                "INSERT INTO shop.orders VALUES ('00000000-0000-0000-0000-00000000000a', '2024-05-01 12:00+02', "
                "'2024-05-01 12:00', '2024-05-01', 12.50, 3.5, '{a}', '{\"x\": 1}', 'red', true)",
                "INSERT INTO shop.orders VALUES ('00000000-0000-0000-0000-00000000000b', 'infinity', "
                "'infinity', 'infinity', 1, 1, null, null, null, false)",
                "INSERT INTO shop.orders VALUES (null, '-infinity')",
                "CREATE SEQUENCE s",
                'CREATE TABLE public."Odd Name" AS '
                "SELECT 'ü' AS id, timestamptz '2024-05-01' AS at, 'NaN'::float8 AS value",
                "CREATE VIEW bad AS "
                "SELECT 'a' AS id, timestamptz '2024-05-01' AS at, (1 / (random()::int * 0)) AS value",
            ):
                cursor.execute(statement)
            connection.commit()
        yield uri
    finally:
        run(pg_ctl, "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)


def opened(uri: str, *, settings=None, **place):
    """The orders of one table or query of the server."""
    source = SourceSettings(postgres=PostgresTable(uri=uri, **place), **{"columns": COLUMNS, **(settings or {})})
    return open_sources({"orders": source}, base=Path(), now=NOW, threads=1)


def test_a_table_with_the_types_of_a_real_server(postgres):
    """Numeric, uuid, zones and infinity arrive as what they mean."""
    with opened(postgres, table="shop.orders") as tables:
        assert events(tables, "orders", "event_time", "amount") == [
            ("00000000-0000-0000-0000-00000000000a", instant("2024-05-01T10:00:00"), 12.5)
        ]
        assert tables.report["orders"].rejected == {"impossible time": 1, "missing customer id": 1}


def test_a_query_with_filter_and_computed_columns(postgres):
    """The query runs on the server, filter and expressions in DuckDB as everywhere."""
    with opened(
        postgres,
        query="SELECT id, local, day, paid, value FROM shop.orders WHERE value > 0;",
        settings={
            "columns": {"customer_id": "id", "event_time": "local"},
            "compute": {"amount": "value + paid"},
            "where": "value > 5",
            "timezone": "Europe/Berlin",
        },
    ) as tables:
        assert [row[1:] for row in events(tables, "orders", "event_time", "amount")] == [
            (instant("2024-05-01T10:00:00"), 16.0)
        ]
        assert tables.report["orders"].filtered == 1


def test_the_uri_comes_from_the_environment(postgres, monkeypatch):
    """Passwords belong there, not into a file."""
    monkeypatch.setenv("HOLDFAST_TEST_URI", postgres)
    with opened("${HOLDFAST_TEST_URI}", table="shop.orders") as tables:
        assert tables.customer_count == 1


def test_names_are_identifiers(postgres):
    """Capital letters and blanks, and no way to smuggle a statement in."""
    with pytest.raises(DataError, match="not a finite number: 1"):
        opened(postgres, table="Odd Name")
    with pytest.raises(ConfigError, match=r"sources.orders.postgres: .*does not exist"):
        opened(postgres, table='orders"; DROP TABLE shop.orders; --')
    with opened(postgres, table="shop.orders") as tables:
        assert tables.customer_count == 1


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM nowhere",
        "SELECT 1; DROP TABLE shop.orders",
        "DELETE FROM shop.orders RETURNING *",
        "SELECT 1) AS a; DROP TABLE shop.orders; --",
    ],
)
def test_a_query_that_is_no_select_is_refused(postgres, query):
    """The server says why; the URI is not told."""
    with pytest.raises(ConfigError, match=r"sources.orders.postgres: the table or query cannot be read: .+") as stopped:
        opened(postgres, query=query)
    assert postgres not in str(stopped.value)


def test_a_query_cannot_write(postgres):
    """Functions may write; the transaction may not."""
    query = "SELECT nextval('s')::text AS id, timestamptz '2024-05-01' AS at, 1 AS value"
    with pytest.raises((ConfigError, DataError), match=r"sources.orders.postgres"):
        opened(postgres, query=query)


def test_a_query_that_fails_halfway_says_so(postgres):
    """The message of the server may quote a cell, so ours does not."""
    with pytest.raises(DataError, match="the server or the driver stopped"):
        opened(postgres, table="bad")


def test_an_unreachable_server_is_named_without_its_uri():
    """A URI holds a password."""
    pytest.importorskip("adbc_driver_postgresql.dbapi", reason="the extra 'postgres' is not installed")
    with pytest.raises(
        ConfigError, match=r"sources.orders.postgres.uri: the PostgreSQL server cannot be used"
    ) as stopped:
        opened("postgresql://me:secret@127.0.0.1:1/shop", table="orders")
    assert "secret" not in str(stopped.value)


@pytest.mark.parametrize(
    "uri",
    [
        "postgresql://me:hun/ter2@127.0.0.1:1/shop",
        "postgresql://me:hun%ter2@127.0.0.1:1/shop",
        "postgresql://me:hun@ter2@127.0.0.1:1/shop",
        "postgresql://me:hunter2/shop",
        "postgresql://127.0.0.1:1/shop?password=hun ter2",
        "host=127.0.0.1 port=1 password=hun ter2",
        "me:hunter2@127.0.0.1",
        "postgresql://me:hun\udce4ter2@127.0.0.1:1/shop",
    ],
)
def test_a_uri_that_cannot_be_read_is_not_quoted(uri):
    """The driver names the piece that it stumbled over, which is a piece of the password."""
    pytest.importorskip("adbc_driver_postgresql.dbapi", reason="the extra 'postgres' is not installed")
    with pytest.raises(ConfigError, match=r"sources\.orders\.postgres\.uri.*%2F") as stopped:
        opened(uri, table="orders")
    assert not re.search(r"\bhun|ter2\b", str(stopped.value))


def test_without_the_driver_the_message_says_what_to_install(monkeypatch):
    """The driver is an extra, for those who need it."""
    monkeypatch.setitem(sys.modules, "adbc_driver_postgresql", None)
    with pytest.raises(ConfigError, match=r"pip install 'holdfast\[postgres\]'"):
        opened("postgresql:///shop", table="orders")
