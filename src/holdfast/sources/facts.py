"""What tables say of themselves, in numbers that add up: the facts of parts, merged, are those of the whole."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Self

import duckdb

from holdfast.sources.connection import one, quoted
from holdfast.sources.streams import StreamInfo
from holdfast.timeline import BEGINNING

INDEX = "customers_index"
Merge = Callable[[list[int]], int]


@dataclass(frozen=True)
class TableFacts:
    """One table: its rows, the sums of two halves of a hash of each, and its times; None without rows.

    ``first`` and ``recorded`` leave out what stands at the beginning of time; ``last`` is the last event of all.
    """

    rows: int
    lower: int | None = None
    upper: int | None = None
    first: int | None = None
    last: int | None = None
    recorded: int | None = None

    def __add__(self, other: Self) -> Self:
        return type(self)(
            self.rows + other.rows,
            _merged(self.lower, other.lower, sum),
            _merged(self.upper, other.upper, sum),
            _merged(self.first, other.first, min),
            _merged(self.last, other.last, max),
            _merged(self.recorded, other.recorded, max),
        )


def _merged(one: int | None, other: int | None, how: Merge) -> int | None:
    found = [number for number in (one, other) if number is not None]
    return how(found) if found else None


@dataclass(frozen=True)
class Facts:
    """The facts of the index of customers and of every stream, by name."""

    tables: Mapping[str, TableFacts]

    @classmethod
    def merged(cls, parts: Iterable[Self]) -> Self:
        """The facts of parts that share no customer, as those of the whole; at least one part is needed."""

        def both(one: Self, other: Self) -> Self:
            return cls({name: one.tables[name] + other.tables[name] for name in one.tables})

        return reduce(both, parts)

    @property
    def span(self) -> tuple[int | None, int | None]:
        """The first instant of any event and the last instant of any event or record; None without events."""
        first = [table.first for table in self.tables.values() if table.first is not None]
        last = [table.recorded for table in self.tables.values() if table.recorded is not None]
        return (min(first, default=None), max(last, default=None))

    def fingerprint(self, streams: Mapping[str, StreamInfo]) -> str:
        """SHA-256 of the contents of all tables."""
        whole = hashlib.sha256()
        for name in (INDEX, *sorted(streams)):
            columns, table = sorted(streams[name].columns.items()) if name in streams else [], self.tables[name]
            whole.update(repr((name, columns, (table.rows, table.lower, table.upper))).encode())
        return whole.hexdigest()


def facts(
    connection: duckdb.DuckDBPyConnection, streams: Mapping[str, StreamInfo], *, fingerprints: bool = True
) -> Facts:
    """Read the facts off open tables; without ``fingerprints`` only what is quickly found."""
    found = {}
    for name in (INDEX, *sorted(streams)):
        columns = ["event_time", "known_time", *sorted(streams[name].columns)] if name in streams else []
        times = "NULL, NULL, NULL"
        if name in streams:
            real = f"FILTER (WHERE event_time > {BEGINNING})"
            times = f"min(event_time) {real}, max(event_time), max(greatest(event_time, known_time)) {real}"
        hashes, relation = "NULL, NULL", quoted(name)
        if fingerprints:
            cells = "".join(f", coalesce(CAST({quoted(column)} AS VARCHAR), chr(1))" for column in columns)
            row = f"concat_ws(chr(31), customer_id{cells})"
            hashes = f"sum(md5_number_lower({row})), sum(md5_number_upper({row}))"
            relation += f" JOIN {INDEX} USING (customer)" if name in streams else ""
        found[name] = TableFacts(*one(connection, f"SELECT count(*), {hashes}, {times} FROM {relation}"))
    return Facts(found)
