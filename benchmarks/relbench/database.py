"""From a RelBench database to our validated tables, and from its seed times to our cutoffs.

The public leaderboard allows what lies strictly before a seed time, as our cutoffs do, so a seed time is its own
cutoff. Seen with the rows at the seed time, which RelBench's own ``upto`` keeps, the cutoff lies one microsecond behind
it. RelBench's outcome windows begin behind the seed time, so labels of ours always take that later cutoff:
``(t, t + h]`` is ``[t + 1 µs, t + h + 1 µs)``.

Every time is a whole number of microseconds. A row's time with a fraction counts as the next whole one and a seed
time's fraction is cut off: what the clock cannot tell apart from the seed time is not seen.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from benchmarks.relbench.declaration import Mapped
from benchmarks.relbench.interface import Database
from holdfast.errors import ConfigError, DataError
from holdfast.progress import SILENT, Progress
from holdfast.sources import DuckTables, SourceSettings, open_sources
from holdfast.sources.kinds import kind_of
from holdfast.timeline import Instants

_ONE = 1  # microsecond
_OF_THE_QUERY = (duckdb.ParserException, duckdb.BinderException, duckdb.CatalogException)  # these quote no rows


def seeds_of(times: pd.Series[Any]) -> Instants:
    """Seed times in microseconds, fractions cut off."""
    return np.asarray(times.dt.floor("us").dt.as_unit("us").astype("int64"), dtype=np.int64)


def cutoffs_of(seeds: Instants, *, rows_at_seed: bool) -> Instants:
    """The cutoff that sees what lies before each seed time, or what lies at it as well."""
    return seeds + _ONE if rows_at_seed else seeds


def last_seen(cutoff: int) -> pd.Timestamp:
    """The latest time that lies before a cutoff."""
    return pd.Timestamp(cutoff - _ONE, unit="us")


def customer_ids(entities: Iterable[int]) -> list[str]:
    """Entities as our sources name them."""
    return [str(int(entity)) for entity in entities]


def open_database(
    database: Database, mapped: Mapped, entities: Iterable[int] = (), *, progress: Progress = SILENT
) -> DuckTables:
    """Make our tables of a RelBench database that is already cut at the latest time that anyone may see.

    Parameters
    ----------
    mapped : Mapped
        With a query for ``customers``.
    entities : iterable of int
        Customers even if no table of the database has them.

    Raises
    ------
    ConfigError
        The database lacks a table or column that the declaration reads, or a query fails.
    DataError
        As :func:`holdfast.sources.open_sources`.
    """
    frames = _frames(database, mapped)
    frames["customers"] = _with_customers(frames["customers"], customer_ids(entities))
    settings = {name: _settings(name, frame) for name, frame in frames.items()}
    return open_sources(settings, base=Path.cwd(), frames=frames, progress=progress)


def _frames(database: Database, mapped: Mapped) -> dict[str, pa.Table]:
    """What each query of the declaration gives."""
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder, duckdb.connect() as connection:
        connection.execute("SET temp_directory = $1", [folder])
        for name, columns in mapped.reads.items():
            connection.register(name, _table(database, name, columns))
        return {name: _selected(connection, name, query) for name, query in mapped.sources.items()}


def _selected(connection: duckdb.DuckDBPyConnection, name: str, query: str) -> pa.Table:
    entity = "CAST(CAST(customer_id AS BIGINT) AS VARCHAR) AS customer_id"
    try:
        return connection.sql(
            f"SELECT * REPLACE ({entity}) FROM ({query}) WHERE customer_id IS NOT NULL"
        ).to_arrow_table()
    except duckdb.Error as error:
        said = str(error).splitlines()[0] if isinstance(error, _OF_THE_QUERY) else type(error).__name__
        raise ConfigError(
            f"Wanted the source {name} from a RelBench database, found that its query fails: {said}. "
            "Check the query against the columns that the declaration reads."
        ) from error


def _table(database: Database, name: str, columns: Iterable[str]) -> pd.DataFrame:
    """The listed columns of one table, times in whole microseconds."""
    if name not in database.table_dict:
        raise ConfigError(
            f"Wanted a table {name} in the RelBench database, found {', '.join(sorted(database.table_dict))}. "
            "The declaration was made for another version of this database; adapt what it reads."
        )
    frame: pd.DataFrame = database.table_dict[name].df
    found = {str(column).lower(): column for column in frame.columns}  # to DuckDB they are the same
    absent = [column for column in columns if column.lower() not in found]
    if absent:
        raise ConfigError(
            f"Wanted the columns {', '.join(absent)} in table {name} of the RelBench database, found "
            f"{', '.join(map(str, frame.columns))}. "
            "The declaration was made for another version of this database; adapt what it reads."
        )
    return pd.DataFrame({column: _whole_microseconds(frame[found[column.lower()]]) for column in columns})


def _whole_microseconds(column: pd.Series[Any]) -> pd.Series[Any]:
    if not pd.api.types.is_datetime64_any_dtype(column):
        return column.astype(object) if isinstance(column.dtype, pd.StringDtype) else column
    if column.dt.tz is not None:
        raise DataError(
            f"Wanted times without a zone, as RelBench has them, found a zone in column {column.name}. "
            "Convert the column to UTC and take the zone off."
        )
    rounded: pd.Series[Any] = column.dt.ceil("us").dt.as_unit("us")
    return rounded


def _with_customers(customers: pa.Table, ids: Iterable[str]) -> pa.Table:
    """The table with a row for each of these customers."""
    known = set(customers["customer_id"].to_pylist())
    new = pa.table({"customer_id": pa.array(sorted(set(ids) - known), pa.string())})
    return pa.concat_tables([customers, new], promote_options="default")


def _settings(name: str, frame: pa.Table) -> SourceSettings:
    """A source whose columns have our names already; what else a table of customers has are attributes."""
    ours = set(kind_of(name, frame.column_names).names)
    columns = {column: column for column in frame.column_names if column in ours}
    attributes = {
        column: {"column": column, "static": True}
        for column in frame.column_names
        if name == "customers" and column not in ours
    }
    return SourceSettings.model_validate(
        {"frame": name, "columns": columns, "timezone": "UTC", "attributes": attributes}
    )
