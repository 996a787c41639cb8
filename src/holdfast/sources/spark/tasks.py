"""What runs on the executors: Arrow batches in, the SQL of the sources in DuckDB, Arrow batches out.

Everything here is pickled and sent; nothing here knows Spark.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain

import duckdb
import pyarrow as pa

from holdfast.errors import DataError
from holdfast.files import TemporaryFolder
from holdfast.sources.accounts import UNREADABLE, cells, unreadable
from holdfast.sources.connection import connect, connect_in_memory, discard, literal, quoted, reading, rows
from holdfast.sources.duck_tables import DuckTables
from holdfast.sources.duplicates import mark_duplicates
from holdfast.sources.mapping import SourceMapping
from holdfast.sources.reasons import Limits
from holdfast.sources.relation import registered
from holdfast.sources.report import SourcesReport
from holdfast.sources.spark.packing import Packing
from holdfast.sources.unfolding import unfold
from holdfast.sources.validation import cast, mapped, mapped_query, zone_checks

Batches = Iterator[pa.RecordBatch]
ROWS_PER_BATCH = 50_000
FACTS = pa.schema([("what", pa.string()), ("text", pa.string()), ("count", pa.int64()), ("customers", pa.int64())])
REJECTS = pa.schema(
    [("source", pa.string()), ("event_id", pa.string()), ("reason", pa.string()), ("values", pa.string())]
)
_INCOMING = "incoming rows"


@contextmanager
def _quietly(what: str) -> Iterator[None]:
    """DuckDB's messages may quote cells: a log of an executor is no place for them either."""
    try:
        with reading(what):
            yield
    except duckdb.Error as error:
        raise DataError(
            f"DuckDB could not work on {what} in a task of Spark ({type(error).__name__}). "
            "Run the same configuration with engine: duckdb on a part of the data to see more."
        ) from None


@contextmanager
def _spilling(memory: str) -> Iterator[tuple[duckdb.DuckDBPyConnection, TemporaryFolder]]:
    """A database that keeps to its memory and spills the rest into its folder, which goes with it."""
    connection, folder = connect(memory, 1)
    try:
        yield connection, folder
    finally:
        discard(connection, folder)


def _stream(batches: Batches) -> pa.RecordBatchReader | None:
    """The batches as one stream; None without any."""
    first = next(batches, None)
    return None if first is None else pa.RecordBatchReader.from_batches(first.schema, chain([first], batches))


def _answered(connection: duckdb.DuckDBPyConnection, query: str, schema: pa.Schema) -> Batches:
    for batch in connection.sql(query).to_arrow_reader(ROWS_PER_BATCH):
        yield batch.cast(schema)


def plain(schema: pa.Schema) -> pa.Schema:
    """The same with the one type of texts that Spark writes."""
    kinds = {pa.large_string(): pa.string(), pa.string_view(): pa.string(), pa.null(): pa.string()}
    return pa.schema([pa.field(field.name, kinds.get(field.type, field.type)) for field in schema])


@dataclass(frozen=True)
class Read:
    """Raw rows of one source to rows of its mapped table."""

    mapping: SourceMapping
    limits: Limits
    watch: dict[str, str]
    schema: pa.Schema

    def __call__(self, batches: Batches) -> Batches:
        """Map, read and judge; the rows stream through one query."""
        stream = _stream(batches)
        if stream is None:
            return
        with connect_in_memory() as connection, _quietly(f"source '{self.mapping.name}'"):
            try:
                relation = registered(connection, _INCOMING, stream).sql
                yield from _answered(
                    connection, mapped_query(self.mapping, relation, self.limits, self.watch), self.schema
                )
            except UNREADABLE:
                raise unreadable(self.mapping) from None


@dataclass(frozen=True)
class FindBareTimes:
    """Raw rows of one source to the places of columns in which a time carries no zone, once each."""

    mapping: SourceMapping
    schema = pa.schema([("key", pa.string())])

    def __call__(self, batches: Batches) -> Batches:
        """Look at every row."""
        stream, checks = _stream(batches), zone_checks(self.mapping)
        if stream is None:
            return
        with connect_in_memory() as connection, _quietly(f"source '{self.mapping.name}'"):
            relation = registered(connection, _INCOMING, stream).sql
            found = rows(connection, f"SELECT {', '.join(f'bool_or({bare})' for _, bare in checks)} FROM {relation}")[0]
            keys = [key for (key, _), bare in zip(checks, found, strict=True) if bare]
            yield pa.RecordBatch.from_pydict({"key": keys}, schema=self.schema)


@dataclass(frozen=True)
class MarkDuplicates:
    """Mapped rows, all that share an id together, to the same rows with the duplicates rejected."""

    mapping: SourceMapping
    memory: str
    schema: pa.Schema

    def __call__(self, batches: Batches) -> Batches:
        """Keep one row of each id, the one that the same SQL keeps on one machine."""
        stream = _stream(batches)
        if stream is None:
            return
        with _spilling(self.memory) as (connection, _), _quietly(f"source '{self.mapping.name}'"):
            relation = registered(connection, _INCOMING, stream).sql
            connection.execute(f"CREATE TABLE {mapped(self.mapping.name)} AS SELECT * FROM {relation}")
            mark_duplicates(connection, self.mapping)
            yield from _answered(connection, f"SELECT * FROM {mapped(self.mapping.name)}", self.schema)


@dataclass(frozen=True)
class Reject:
    """Mapped rows that were rejected, to rows of the rejects."""

    mapping: SourceMapping
    schema = REJECTS

    def __call__(self, batches: Batches) -> Batches:
        """Show what was read."""
        stream = _stream(batches)
        if stream is None:
            return
        unique = quoted(self.mapping.kind.unique) if self.mapping.kind.unique else "NULL"
        with connect_in_memory() as connection, _quietly(f"source '{self.mapping.name}'"):
            relation = registered(connection, _INCOMING, stream).sql
            query = (
                f"SELECT {literal(self.mapping.name)} AS source, {unique} AS event_id, reason, "
                f'{cells(self.mapping)} AS "values" FROM {relation}'
            )
            yield from _answered(connection, query, self.schema)


@dataclass(frozen=True)
class Choose:
    """Raw rows of one source to those of some customers, and of others that share the id of an event with them."""

    mapping: SourceMapping
    customers: tuple[str, ...]
    events: tuple[str, ...]

    def __call__(self, batches: Batches) -> Batches:
        """Filter; the rows that stay are as they were."""
        conditions = [f"{self._read('customer_id')} IN (SELECT unnest($customers))"]
        unique = self.mapping.kind.unique
        if unique is not None and self.mapping.has(unique):
            conditions.append(f"{self._read(unique)} IN (SELECT unnest($events))")
        wanted = {"customers": list(self.customers)} | ({"events": list(self.events)} if len(conditions) > 1 else {})
        with connect_in_memory() as connection, _quietly(f"source '{self.mapping.name}'"):
            for batch in batches:
                relation = registered(connection, _INCOMING, pa.Table.from_batches([batch]))
                query = f"SELECT coalesce({' OR '.join(conditions)}, FALSE) AS wanted FROM {relation.sql}"
                mask = connection.sql(query, params=wanted).to_arrow_table().column("wanted").combine_chunks()
                relation.release()
                yield batch.filter(mask)

    def _read(self, own: str) -> str:
        picked = self.mapping.picked[own]
        column = next(column for column in self.mapping.kind.columns if column.name == own)
        return cast(self.mapping, column, picked, f"({picked.expression})").value


@dataclass(frozen=True)
class OnTables:
    """Packed rows, all of a customer together, to whatever a function makes of the tables that they unfold to."""

    packing: Packing
    memory: str
    function: Callable[[DuckTables], Batches]

    def __call__(self, batches: Batches) -> Batches:
        """Open the tables of this part of the customers, and close them when the function is done."""
        stream = _stream(batches)
        if stream is None:
            return
        with _spilling(self.memory) as (connection, folder), _quietly("the events"):
            relation = registered(connection, _INCOMING, stream)
            connection.execute(f"CREATE TABLE packed AS SELECT * FROM {relation.sql}")
            relation.release()
            for source in range(len(self.packing.mappings)):
                connection.execute(self.packing.unpacked(source, "packed"))
            connection.execute("DROP TABLE packed")
            streams = unfold(connection, self.packing.mappings)
            yield from self.function(DuckTables(connection, folder, streams, SourcesReport(())))


def tell_facts(tables: DuckTables) -> Batches:
    """The facts of the tables as one row of JSON, and one row for each text of each category."""
    found = {name: asdict(table) for name, table in tables.facts().tables.items()}
    yield pa.RecordBatch.from_pylist([{"what": "facts", "text": json.dumps(found)}], schema=FACTS)
    for stream in tables.streams.values():
        for column in (name for name, kind in stream.columns.items() if kind == "category"):
            levels = tables.levels(stream.name, column)
            columns = zip(*((f"{stream.name}.{column}", *level) for level in levels), strict=True)
            if levels:
                yield pa.RecordBatch.from_pydict(dict(zip(FACTS.names, columns, strict=True)), schema=FACTS)
