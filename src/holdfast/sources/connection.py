"""The DuckDB connection that the sources live in: on a temporary file, bounded in memory, without a network."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb

from holdfast.errors import ConfigError, DataError, StorageError
from holdfast.files import TemporaryFolder


def quoted(name: str) -> str:
    """The name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """The text as an SQL string."""
    return "'" + text.replace("'", "''") + "'"


_CONFINED: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "python_enable_replacements": False,
}
_NO_SPACE = re.compile(r"no space left|disk.{0,12}full|(could not|failed to) write|file too large", re.IGNORECASE)


def connect(memory_limit: str, threads: int) -> tuple[duckdb.DuckDBPyConnection, TemporaryFolder]:
    """A connection on a new temporary database file, and the folder that holds it and its spilled pages."""
    folder = TemporaryFolder.make()
    try:
        with reading("the temporary database"):
            spill = {"memory_limit": memory_limit, "threads": threads, "temp_directory": str(folder.path / "spill")}
            connection = duckdb.connect(str(folder.path / "tables.duckdb"), config={**_CONFINED, **spill})
            connection.execute("SET TimeZone = 'UTC'")
    except BaseException:
        folder.close()
        raise
    return connection, folder


def discard(connection: duckdb.DuckDBPyConnection, folder: TemporaryFolder) -> None:
    """Close the connection and remove its folder."""
    connection.close()
    folder.close()


def connect_in_memory() -> duckdb.DuckDBPyConnection:
    """A connection that keeps nothing: for rows that stream through one query, on one thread."""
    connection = duckdb.connect(":memory:", config={**_CONFINED, "threads": 1})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Translate DuckDB's errors into ours; its messages may quote cells, so only their kind is told."""
    try:
        yield
    except duckdb.OutOfMemoryException:
        raise DataError(
            f"DuckDB ran out of memory or spill space while reading {what}. "
            "Free some disk space, or raise the memory limit."
        ) from None
    except duckdb.Error as error:
        if _NO_SPACE.search(str(error)):
            raise StorageError(
                f"The disk is full or refuses to write while reading {what}. "
                f"Free some space in {tempfile.gettempdir()}, or point TMPDIR at a larger disk."
            ) from None
        if isinstance(error, duckdb.IOException):
            raise ConfigError(
                f"{what} cannot be read; check that the file exists, is whole and is not locked."
            ) from None
        raise


def rows(
    connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | None = None
) -> list[tuple[Any, ...]]:
    """All rows of a query."""
    found: list[tuple[Any, ...]] = connection.execute(query, parameters or []).fetchall()
    return found


def one(connection: duckdb.DuckDBPyConnection, query: str, parameters: list[Any] | None = None) -> tuple[Any, ...]:
    """The only row of a query."""
    return rows(connection, query, parameters)[0]
