"""The DuckDB driver: valid events come out of the database in chunks of customers, sorted, as flat arrays.

The database sorts (and spills to disk when it must); a chunk holds whole customers, so chunks are independent and
memory depends on the chunk, not on the data.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pyarrow as pa

from holdfast.history.arrays import Numbers
from holdfast.history.stream import Stream
from holdfast.sources import Tables
from holdfast.sources.engine import quoted, reading

EVENTS_PER_CHUNK = 4_000_000


@dataclass(frozen=True)
class Chunk:
    """Consecutive customers, ``first`` up to but without ``stop``, with all their events."""

    first: int
    stop: int
    streams: Mapping[str, Stream]

    @property
    def customers(self) -> int:
        """How many customers the chunk holds."""
        return self.stop - self.first


def chunks(
    tables: Tables, wanted: Mapping[str, Collection[str]], *, events_per_chunk: int = EVENTS_PER_CHUNK
) -> Iterator[Chunk]:
    """Read the wanted columns of the wanted streams, chunk by chunk in the order of customers.

    Parameters
    ----------
    wanted : mapping of stream name to column names
        Streams or columns that the tables do not have are an error of the caller.
    events_per_chunk : int
        A chunk ends with the first customer at which this many events are reached.
    """
    with reading("the events"):
        levels = {name: _encode(tables, name, columns) for name, columns in wanted.items()}
        edges = _edges(tables, wanted, events_per_chunk)
    for first, stop in pairwise(edges):
        with reading("the events"):
            streams = {
                name: _read(tables, name, sorted(columns), levels[name], first, stop)
                for name, columns in wanted.items()
            }
        yield Chunk(first, stop, streams)


def _edges(tables: Tables, wanted: Collection[str], events_per_chunk: int) -> list[int]:
    """Customers at which chunks begin, and the end behind the last."""
    if not wanted or tables.customer_count == 0:
        return [0, tables.customer_count]
    counted = " UNION ALL ".join(f"SELECT customer FROM {name}" for name in wanted)
    rows = tables.connection.execute(
        f"""
        SELECT min(customer) FROM (
            SELECT customer, (sum(events) OVER (ORDER BY customer) - events) // {events_per_chunk} AS chunk
            FROM (SELECT customer, count(*) AS events FROM ({counted}) GROUP BY customer)
        ) GROUP BY chunk ORDER BY 1
        """
    ).fetchall()
    return [0, *(int(row[0]) for row in rows[1:]), tables.customer_count]


def _encode(tables: Tables, stream: str, columns: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The sorted levels of each category column; an ENUM type of the same name lets the database code them."""
    levels = {}
    for column in columns:
        if tables.streams[stream].columns[column] != "category":
            continue
        texts = f"SELECT DISTINCT {quoted(column)} FROM {stream} WHERE {quoted(column)} IS NOT NULL ORDER BY 1"
        rows = tables.connection.execute(texts).fetchall()
        levels[column] = tuple(row[0] for row in rows)
        kind = _enum(stream, column)
        tables.connection.execute(f"DROP TYPE IF EXISTS {kind}")
        if levels[column]:
            tables.connection.execute(f"CREATE TYPE {kind} AS ENUM ({texts})")
    return levels


def _enum(stream: str, column: str) -> str:
    return f"levels_of_{stream}_{column}"


def _read(
    tables: Tables, stream: str, columns: list[str], levels: dict[str, tuple[str, ...]], first: int, stop: int
) -> Stream:
    """One sorted stream of one chunk.

    Ties in time are broken by every column, also those that nobody wants now: so neither the order of input rows nor
    the choice of columns shows in sums and last values, and training and scoring agree.
    """

    def number(column: str) -> str:
        if column not in levels:
            return f"{quoted(column)}::DOUBLE"
        return f"enum_code({quoted(column)}::{_enum(stream, column)})::DOUBLE" if levels[column] else "NULL::DOUBLE"

    numbers = [f"{number(column)} AS {quoted(column)}" for column in columns]
    order = ["customer", "event_time", "known_time", *map(quoted, sorted(tables.streams[stream].columns))]
    table = (
        tables.connection.sql(
            f"SELECT {', '.join(['customer', 'event_time', 'known_time', *numbers])} FROM {stream} "
            f"WHERE customer >= {first} AND customer < {stop} ORDER BY {', '.join(order)}"
        )
        .to_arrow_table()
        .combine_chunks()
    )
    arrays = {name: table.column(name).to_numpy() for name in ("customer", "event_time", "known_time")}
    return Stream(
        starts=np.searchsorted(arrays["customer"], np.arange(first, stop + 1)),
        times=arrays["event_time"].astype(np.int64),
        known=arrays["known_time"].astype(np.int64),
        columns={name: _floats(table.column(name)) for name in columns},
        levels=levels,
    )


def _floats(column: pa.ChunkedArray) -> Numbers:
    return np.ascontiguousarray(column.to_numpy(zero_copy_only=False), dtype=np.float64)
