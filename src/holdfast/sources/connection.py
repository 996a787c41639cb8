"""The DuckDB connection that the sources live in: on a temporary file, bounded in memory, without a network."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb

from holdfast.errors import ConfigError, StorageError
from holdfast.files import TemporaryFolder
from holdfast.interrupt import stoppable


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
            connection = stoppable(duckdb.connect(str(folder.path / "tables.duckdb"), config={**_CONFINED, **spill}))
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
    connection = stoppable(duckdb.connect(":memory:", config={**_CONFINED, "threads": 1}))
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def connect_to(file: Path, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """A connection on somebody's database, for reading only, within the bounds of ours."""
    bounds = {
        name: one(connection, f"SELECT current_setting('{name}')")[0]
        for name in ("memory_limit", "threads", "temp_directory")
    }
    other = stoppable(duckdb.connect(str(file), read_only=True, config=bounds))
    other.execute("SET TimeZone = 'UTC'")
    return other


@contextmanager
def cursor(connection: duckdb.DuckDBPyConnection) -> Iterator[duckdb.DuckDBPyConnection]:
    """A cursor of its own, for a query beside others."""
    with stoppable(connection.cursor()) as own:
        yield own


@contextmanager
def reading(what: str) -> Iterator[None]:
    """Translate DuckDB's errors into ours; its messages may quote cells, so only their kind is told.

    Raises
    ------
    StorageError
        Memory or disk did not suffice.
    ConfigError
        A file cannot be read.
    KeyboardInterrupt
        Control-C, which DuckDB reports as an error of its own.
    """
    try:
        yield
    except (duckdb.OutOfMemoryException, MemoryError):
        raise StorageError(
            f"Memory did not suffice for {what}, nor the disk for what DuckDB puts aside in {tempfile.gettempdir()}. "
            "Raise engine.memory (on Spark spark.task_memory) as far as this machine bears it, lower engine.threads, "
            "or free some disk space."
        ) from None
    except duckdb.InterruptException:
        raise KeyboardInterrupt from None
    except RuntimeError as error:
        if str(error) == "Query interrupted":
            raise KeyboardInterrupt from None
        raise
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
