"""Valid events come out of DuckDB in chunks of whole customers, sorted, as flat arrays.

The database maps, validates and reads; one pass spreads its rows over chunks of customers; each chunk is put in order
and worked on by itself. So memory depends on the chunk, not on the data, and chunks keep every core busy.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import TypeVar

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa

from holdfast.history.arrays import Indices, Numbers
from holdfast.history.chunk import EVENTS_PER_CHUNK, Chunk
from holdfast.history.sorting import by_customer_and_time, tally, ties
from holdfast.history.spill import Shelf
from holdfast.history.stream import Stream
from holdfast.history.threads import in_order
from holdfast.machine import cores
from holdfast.progress import SILENT, Advance, Progress
from holdfast.sources import DuckTables
from holdfast.sources.connection import cursor, quoted, reading

_ROWS_AT_ONCE = 1_000_000
_KEYS = ("customer", "event_time", "known_time")

Result = TypeVar("Result")


def worked(
    tables: DuckTables,
    wanted: Mapping[str, Collection[str]],
    work: Callable[[Chunk], Result],
    *,
    label: str = "Reading events",
    events_per_chunk: int = EVENTS_PER_CHUNK,
    customers_per_chunk: int | None = None,
    threads: int | None = None,
    progress: Progress = SILENT,
) -> Iterator[Result]:
    """What ``work`` makes of each chunk, in the order of customers.

    Parameters
    ----------
    wanted : mapping of stream name to column names
        Streams or columns that the tables do not have are an error of the caller.
    work : callable
        Runs on several threads at once, each with a chunk of its own.
    events_per_chunk : int
        A chunk ends with the first customer at which this many events are reached.
    customers_per_chunk : int, optional
        It holds no more customers than this either.
    threads : int, optional
        As many as there are cores for this process, if not given.

    Raises
    ------
    StorageError
        The disk has no room for rows that do not fit into memory.
    """
    threads = threads or cores()
    readers = [_Reader(tables, name, sorted(columns)) for name, columns in wanted.items()]
    with reading("the events"):
        events = np.zeros(tables.customer_count, dtype=np.int64)
        for reader in readers:
            reader.count(events)
        ids = pd.array(tables.ids(), dtype="str")
    edges = _edges(events, events_per_chunk, customers_per_chunk or max(events.size, 1))
    places = np.repeat(np.arange(edges.size - 1), np.diff(edges))
    shelves = {reader.name: Shelf(tables.folder, edges.size - 1) for reader in readers}
    try:
        with progress("Reading events", total=int(events.sum())) as advance:
            for reader in readers:
                with reading("the events"):
                    reader.spread(places, shelves[reader.name], threads, advance)

        def one(place: int) -> tuple[Result, int]:
            first, stop = int(edges[place]), int(edges[place + 1])
            with reading("the events"):
                streams = {
                    reader.name: reader.ordered(shelves[reader.name].take(place), first, stop) for reader in readers
                }
            chunk = Chunk(first, stop, ids[first:stop], streams)
            return work(chunk), chunk.events

        with progress(label, total=int(events.sum())) as advance:
            for result, done in in_order(one, range(edges.size - 1), threads):
                advance(done)
                yield result
    finally:
        for shelf in shelves.values():
            shelf.close()


def _edges(events: Indices, events_per_chunk: int, customers_per_chunk: int) -> Indices:
    """Customers at which chunks begin, and the end behind the last; who has no event closes no chunk."""
    behind, edges = np.cumsum(events), [0]
    while edges[-1] < events.size:
        first = edges[-1]
        before = int(behind[first - 1]) if first else 0
        stop = min(int(np.searchsorted(behind, before + events_per_chunk)) + 1, first + customers_per_chunk)
        rest = events.size - first <= customers_per_chunk
        edges.append(events.size if stop >= events.size or (rest and behind[stop - 1] == behind[-1]) else stop)
    return np.array(edges if events.size else [0, 0], dtype=np.int64)


class _Reader:
    """Reads one stream: some of its columns, as numbers."""

    def __init__(self, tables: DuckTables, name: str, columns: list[str]) -> None:
        self.tables, self.name, self.columns = tables, name, columns
        self.connection: duckdb.DuckDBPyConnection = tables.connection
        with reading("the events"):
            self.levels = {column: self._encode(column) for column in columns if self._kind(column) == "category"}

    def _kind(self, column: str) -> str:
        return self.tables.streams[self.name].columns[column]

    def _encode(self, column: str) -> tuple[str, ...]:
        """The sorted levels of a category column; an ENUM type of the same name lets the database code them."""
        texts = f"SELECT DISTINCT {quoted(column)} FROM {self.name} WHERE {quoted(column)} IS NOT NULL ORDER BY 1"
        levels = tuple(row[0] for row in self.connection.execute(texts).fetchall())
        self.connection.execute(f"DROP TYPE IF EXISTS {self._enum(column)}")
        if levels:
            self.connection.execute(f"CREATE TYPE {self._enum(column)} AS ENUM ({texts})")
        return levels

    def _enum(self, column: str) -> str:
        return f"levels_of_{self.name}_{column}"

    def _select(self, source: str) -> str:
        """The columns as numbers; 0.0 stands for -0.0, so that equal values have equal bits."""

        def number(column: str) -> str:
            if column not in self.levels:
                return f"{quoted(column)}::DOUBLE"
            return f"enum_code({quoted(column)}::{self._enum(column)})" if self.levels[column] else "NULL::DOUBLE"

        numbers = [f"coalesce({number(column)} + 0.0::DOUBLE, 'NaN'::DOUBLE)" for column in self.columns]
        return f"SELECT {', '.join([*_KEYS, *numbers])} FROM {source}"

    def count(self, events: Indices) -> None:
        """Add to each customer's number of events those of this stream."""
        with cursor(self.connection) as own:
            for batch in own.sql(f"SELECT customer FROM {self.name}").to_arrow_reader(_ROWS_AT_ONCE):
                tally(_numpy(batch.column(0)), events)

    def spread(self, places: Indices, shelf: Shelf, threads: int, advance: Advance) -> None:
        """Put every row of the stream on the shelf, at the place of its customer."""

        def put(batches: list[pa.RecordBatch]) -> int:
            table = pa.Table.from_batches(batches).combine_chunks()
            rows = [_numpy(column.chunk(0)) for column in table.columns]
            shelf.put(rows, places[rows[0]])
            return len(rows[0])

        with cursor(self.connection) as own:
            batches = own.sql(self._select(self.name)).to_arrow_reader(_ROWS_AT_ONCE)
            for done in in_order(put, _gathered(batches), threads):
                advance(done)

    def ordered(self, rows: list[Indices], first: int, stop: int) -> Stream:
        """The rows of a chunk in the order that all else relies on."""
        customers, times, known, *columns = rows or [np.empty(0, dtype=np.int64)] * (3 + len(self.columns))
        order, times, starts = by_customer_and_time(customers, times, known, first, stop)
        known = known[order]
        found = {name: column.view(np.float64)[order] for name, column in zip(self.columns, columns, strict=True)}
        self._settle(first, times, known, starts, found)
        return Stream(starts, times, known, found, self.levels)

    def _settle(self, first: int, times: Indices, known: Indices, starts: Indices, found: dict[str, Numbers]) -> None:
        """Put rows that agree in customer and both times in the order of every column of the table.

        Also of those that nobody wants now: so neither the order of input rows nor the choice of columns shows in first
        and last values, and training and scoring agree. Few rows are such, so they are read again.
        """
        group = ties(times, known, starts)
        tied = np.flatnonzero(group >= 0)
        firsts = np.flatnonzero(np.diff(group[tied], prepend=-1))
        sizes = np.diff(firsts, append=tied.size)
        differs = np.zeros(firsts.size, dtype=bool)
        for values in found.values():
            of_row = values[tied]
            as_first = np.repeat(of_row[firsts], sizes)
            unlike = (of_row != as_first) & ~(np.isnan(of_row) & np.isnan(as_first))
            differs |= np.logical_or.reduceat(unlike, firsts) if firsts.size else False
        tied = tied[np.repeat(differs, sizes)]
        if not tied.size:
            return
        customers = first + np.searchsorted(starts, tied, side="right") - 1
        keys = pa.table(dict(zip(_KEYS, (customers, times[tied], known[tied]), strict=True)))
        every = ", ".join(map(quoted, sorted(self.tables.streams[self.name].columns)))
        with cursor(self.connection) as own:
            own.register("tied_keys", keys)
            source = f"{self.name} SEMI JOIN tied_keys USING ({', '.join(_KEYS)}) ORDER BY {', '.join(_KEYS)}, {every}"
            again = own.sql(self._select(source)).to_arrow_table().combine_chunks()
        for name, column in zip(self.columns, again.columns[3:], strict=True):
            found[name][tied] = column.to_numpy()


def _gathered(batches: Iterable[pa.RecordBatch]) -> Iterator[list[pa.RecordBatch]]:
    """Batches in lots of many rows, so that the piece for each chunk is worth a write; DuckDB's are small."""
    lot: list[pa.RecordBatch] = []
    for batch in batches:
        lot.append(batch)
        if sum(len(each) for each in lot) >= _ROWS_AT_ONCE:
            yield lot
            lot = []
    if any(len(each) for each in lot):
        yield lot


def _numpy(column: pa.Array) -> Indices:
    """The bits of a column of 64-bit numbers without missing ones, as they lie."""
    bits: Indices = column.to_numpy(zero_copy_only=True).view(np.int64)
    return bits
