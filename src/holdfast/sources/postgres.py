"""PostgreSQL through its ADBC driver: the only file that imports it, and says how to install it.

One read-only transaction copies the table or query into the temporary database, in Arrow batches.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import pyarrow as pa

from holdfast.credentials import PERCENT_ENCODED, hide_credentials
from holdfast.errors import ConfigError, DataError
from holdfast.settings import expanded
from holdfast.sources.connection import literal, quoted
from holdfast.sources.relation import Relation, described
from holdfast.sources.settings import PostgresTable

CONNECT_TIMEOUT_SECONDS = 10
_FLOATING = ("numeric", "money")
_UNBOUNDED = ("timestamp", "timestamptz", "date")
_AS_THEY_ARE = ("int2", "int4", "int8", "float4", "float8", "bool", "text", "varchar", "bpchar", "name", "time")


def read_postgres(connection: duckdb.DuckDBPyConnection, name: str, settings: PostgresTable) -> Relation:
    """Copy the table or query into DuckDB.

    Numbers of type ``numeric`` become floating numbers; ``infinity`` becomes a time far outside of every history;
    what DuckDB has no type for (uuid, json, arrays, enums) becomes text.

    Raises
    ------
    ConfigError
        The driver is not installed, the server cannot be reached, the table or query cannot be right.
    DataError
        The server stopped while it read.
    """
    key = f"sources.{name}.postgres"
    driver = _driver(key)
    uri = _patient(expanded(settings.uri, f"{key}.uri"))
    table = ".".join(quoted(part) for part in (settings.table or "").split("."))  # with its schema, if it has one
    whole = f"({settings.query.strip().rstrip(';')}) AS query" if settings.query else table
    staged = quoted(f"postgres {name}")
    with _worded(driver, key, uri), driver.connect(uri) as server, server.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        schema: pa.Schema = cursor.adbc_execute_schema(f"SELECT * FROM {whole}")
        columns = ", ".join(_column(field) for field in schema)
        cursor.execute(f"SELECT {columns} FROM {whole}")
        batches = cursor.fetch_record_batch()
        connection.register("postgres batches", batches)
        try:
            connection.execute(f'CREATE TABLE {staged} AS SELECT * FROM "postgres batches"')
        finally:
            connection.unregister("postgres batches")

    def release() -> None:
        connection.execute(f"DROP TABLE IF EXISTS {staged}")

    return Relation(staged, described(connection, staged), release)


def _driver(key: str) -> Any:
    try:
        from adbc_driver_postgresql import dbapi
    except ImportError:
        raise ConfigError(
            f"{key} needs the PostgreSQL driver, which is not installed. "
            "Install it with: pip install 'holdfast[postgres]'"
        ) from None
    return dbapi


def _patient(uri: str) -> str:
    """The URI with a bound on the time to connect, unless it has one."""
    if "://" not in uri or "connect_timeout" in uri:
        return uri
    return f"{uri}{'&' if '?' in uri else '?'}connect_timeout={CONNECT_TIMEOUT_SECONDS}"


def _column(field: pa.Field) -> str:
    """How to select a column so that DuckDB can hold it."""
    kind = (field.metadata or {}).get(b"POSTGRESQL:type", b"").decode()
    own = quoted(field.name)
    if kind in _FLOATING:
        return f"{own}::numeric::float8 AS {own}"
    if kind in _UNBOUNDED:
        far = f"CASE WHEN {own} > {kind} 'epoch' THEN {kind} '2299-12-31' ELSE {kind} '1800-01-01' END"
        return f"CASE WHEN isfinite({own}) OR {own} IS NULL THEN {own} ELSE {far} END AS {own}"
    return own if kind in _AS_THEY_ARE else f"{own}::text AS {own}"


@contextmanager
def _worded(driver: Any, key: str, uri: str) -> Iterator[None]:
    """Our errors for the driver's; the server's first line is told only where it cannot quote a cell."""
    try:
        yield
    except driver.ProgrammingError as error:
        reason = str(error).partition("ERROR:")[2].partition("\n")[0].strip() or "the server refused it"
        raise ConfigError(
            f"{key}: the table or query cannot be read: {hide_credentials(reason, uri)}. Check its name and columns."
        ) from None
    except driver.OperationalError as error:
        reason = str(error).partition("\n")[0].partition("Failed to connect: ")[2] or "the connection broke"
        raise ConfigError(
            f"{key}.uri: the PostgreSQL server cannot be used: {hide_credentials(reason, uri)}. "
            f"Check that it runs, and the address. {PERCENT_ENCODED}"
        ) from None
    except UnicodeError:
        raise ConfigError(f"{key}.uri holds bytes that are no UTF-8 text. {PERCENT_ENCODED}") from None
    except (driver.Error, duckdb.InvalidInputException, OverflowError):
        raise DataError(
            f"{key}: the server or the driver stopped while reading {literal(key.split('.')[1])}. "
            "Run the query in the database itself to see which row it cannot read."
        ) from None
