"""A table as SQL can name it after FROM, wherever it lies."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import duckdb

from holdfast.sources.connection import one, quoted, rows


@dataclass(frozen=True)
class Relation:
    """What stands after FROM, its columns with their DuckDB types, and how to let go of it."""

    sql: str
    columns: dict[str, str]
    release: Callable[[], None] = lambda: None


def described(connection: duckdb.DuckDBPyConnection, sql: str) -> dict[str, str]:
    """Names and types of the columns of whatever stands after FROM."""
    return {row[0]: row[1] for row in rows(connection, f"DESCRIBE SELECT * FROM {sql}")}


def count(connection: duckdb.DuckDBPyConnection, sql: str) -> int:
    """The number of rows of whatever stands after FROM."""
    return int(one(connection, f"SELECT count(*) FROM {sql}")[0])


def registered(connection: duckdb.DuckDBPyConnection, alias: str, table: Any) -> Relation:
    """A pandas or Arrow table as a relation; it is read where it lies."""
    connection.register(alias, table)
    sql = quoted(alias)

    def release() -> None:
        with suppress(duckdb.Error):  # a connection that is closed already has let go
            connection.unregister(alias)

    return Relation(sql, described(connection, sql), release)
