"""The valid tables of a business on Spark: packed rows, all of a customer together; streams unfold inside the tasks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from holdfast.files import TemporaryFolder
from holdfast.partitioned import Columns, SparkParts
from holdfast.partitioned.columns import schema, to_arrow
from holdfast.progress import SILENT, Progress
from holdfast.sources.connection import discard
from holdfast.sources.duck_tables import DuckTables
from holdfast.sources.facts import INDEX, Facts, TableFacts
from holdfast.sources.opening import open_sources
from holdfast.sources.protocol import Engine, Make
from holdfast.sources.reasons import Limits
from holdfast.sources.report import SourcesReport
from holdfast.sources.settings import SourceSettings
from holdfast.sources.spark.opened import OpenedSource
from holdfast.sources.spark.packing import Packing
from holdfast.sources.spark.settings import SparkSettings
from holdfast.sources.spark.tasks import FACTS, REJECTS, Batches, Choose, OnTables, Reject, tell_facts
from holdfast.sources.streams import StreamInfo
from holdfast.sources.unfolding import unfold
from holdfast.spark.batches import in_arrow
from holdfast.spark.pieces import pieces
from holdfast.spark.session import DataFrame, SparkSession, functions, running, schema_of, struct


class SparkTables(Engine):
    """Tables on Spark; what they hold on executors and disks goes when they close.

    Attributes
    ----------
    spark : pyspark.sql.SparkSession
    settings : SparkSettings
    """

    def __init__(
        self,
        spark: SparkSession,
        settings: SparkSettings,
        connection: duckdb.DuckDBPyConnection,
        folder: TemporaryFolder,
    ) -> None:
        self.streams: Mapping[str, StreamInfo] = {}
        self.report = SourcesReport(())
        self.unknown_time_attributes: Sequence[str] = ()
        self.changed_later: Mapping[str, float] = {}
        self.spark = spark
        self.settings = settings
        self._connection = connection
        self._folders = [folder]
        self._held: list[DataFrame] = []

    def hold(self, *frames: DataFrame) -> None:
        """Let go of these persisted frames at the end."""
        self._held += [frame for frame in frames if all(frame is not held for held in self._held)]

    def keep_until_closed(self, folder: TemporaryFolder) -> None:
        """Remove this folder at the end."""
        self._folders.append(folder)

    def take(self, opened: Sequence[OpenedSource], packing: Packing, grouped: DataFrame, limits: Limits) -> None:
        """Take what the opening found; the packed rows are kept where they are, what led to them is let go."""
        self._opened, self._packing, self._limits = list(opened), packing, limits
        self._grouped = grouped.persist()
        self._told = self.on_tables(tell_facts, FACTS).persist()
        self.streams = self._streams()
        self.facts = self._facts()
        kept = [self._told, self._grouped, *(source.repeated for source in opened if source.repeated is not None)]
        for frame in self._held:
            if all(frame is not other for other in kept):
                frame.unpersist()
        self._held = kept

    def close(self) -> None:
        """Let go of everything; a second call does nothing."""
        for frame in self._held:
            frame.unpersist()
        self._held = []
        for folder in self._folders:
            discard(self._connection, folder)
        self._folders = []

    def on_tables(self, function: Callable[[DuckTables], Batches], schema: pa.Schema) -> DataFrame:
        """Whatever the function makes of each part of the customers, whose tables it gets open in DuckDB.

        Parameters
        ----------
        function : callable
            Runs on the executors, so it must be picklable; yields Arrow batches of this schema.
        schema : pyarrow.Schema
            Texts, whole numbers of 32 or 64 bits, floating numbers, flags, bytes.
        """
        task = OnTables(self._packing, self.settings.task_memory, function)
        return in_arrow(self._grouped, task, struct(schema))

    def parts(self, make: Make, columns: Columns, *, progress: Progress = SILENT) -> SparkParts:
        """See :class:`holdfast.sources.Engine`; the rows stay on the executors, in no stated order."""
        rows = self.on_tables(_Frames(make, dict(columns)), schema(columns))
        return SparkParts(rows, most_rows=self.settings.most_rows_on_driver, progress=progress)

    def reopened(self, *, as_of: int | None, customers: Sequence[str]) -> DuckTables:
        """These customers alone, from their raw rows and in DuckDB, cut at an instant: for looking closely at a few."""
        sources: dict[str, SourceSettings] = {}
        frames: dict[str, pa.Table] = {}
        for source in self._opened:
            name = source.mapping.name
            with running(f"collecting some customers of source '{name}'"):
                chosen = Choose(source.mapping, tuple(customers), self._shared(source, customers))
                rows = in_arrow(source.raw, chosen, source.raw.schema)
                found = list(pieces(rows, self.settings.most_rows_on_driver))
                frames[name] = pa.concat_tables(found) if found else schema_of(rows).empty_table()
            nowhere = {"path": None, "table": None, "duckdb": None, "postgres": None, "frame": name}
            sources[name] = source.settings.model_copy(update=nowhere)
        return open_sources(
            sources,
            base=Path(),
            currency=self._limits.currency,
            frames=frames,
            as_of=as_of,
            customers=customers,
            now=self._limits.now,
            memory_limit=self.settings.task_memory,
        )

    def _shared(self, source: OpenedSource, customers: Sequence[str]) -> tuple[str, ...]:
        """The repeated ids of these customers: whoever shares one decides with them which row stays."""
        if source.repeated is None:
            return ()
        unique = str(source.mapping.kind.unique)
        found = source.repeated.where(functions().col("customer_id").isin(list(customers))).select(unique).distinct()
        return tuple(sorted(row[0] for row in found.collect()))

    def _streams(self) -> dict[str, StreamInfo]:
        """The streams that any part has, found on a part without rows."""
        for number in range(len(self._packing.mappings)):
            self._connection.register("packed", self._packing.schema.empty_table())
            self._connection.execute(self._packing.unpacked(number, "packed"))
            self._connection.unregister("packed")
        return unfold(self._connection, self._packing.mappings)

    def _facts(self) -> Facts:
        with running("adding up what the sources hold"):
            told = self._told.where("what = 'facts'").select("text").collect()
        parts = [Facts({name: TableFacts(**fact) for name, fact in json.loads(row.text).items()}) for row in told] or [
            Facts({name: TableFacts(0) for name in (INDEX, *self.streams)})
        ]
        return Facts.merged(parts)

    @property
    def customer_count(self) -> int:
        """How many customers there are, in whatever source."""
        return self.facts.tables[INDEX].rows

    @property
    def span(self) -> tuple[int | None, int | None]:
        """The first instant of any event and the last instant of any event or record; None without events."""
        return self.facts.span

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 over the valid rows of all streams, whatever their order and the engine."""
        return self.facts.fingerprint(self.streams)

    def until(self, stream: str) -> int | None:
        """The last instant at which an event of the stream happened; None without events."""
        return self.facts.tables[stream].last

    def commonest(self, stream: str, column: str, most: int, *, customers: int = 1) -> tuple[str, ...]:
        """See :class:`holdfast.sources.Engine`; no customer is in two parts, so their numbers add up."""
        F = functions()
        with running(f"counting the texts of {stream}.{column}"):
            found = (
                self._told.where(F.col("what") == f"{stream}.{column}")
                .groupBy("text")
                .agg(F.sum("count").alias("count"), F.sum("customers").alias("customers"))
                .where(F.col("customers") >= customers)
                .orderBy(F.desc("count"), "text")
                .limit(most)
                .collect()
            )
        return tuple(sorted(row.text for row in found))

    def sample(self, most: int, seed: int) -> list[str]:
        """Ids of at most so many customers, sorted; the seed alone chooses them, on every engine the same."""
        F = functions()
        with running("choosing some customers"):
            ids = self._grouped.select("customer_id").distinct()
            found = ids.orderBy(F.md5(F.concat(F.lit(f"{seed} "), "customer_id")), "customer_id").limit(most).collect()
        return sorted(row.customer_id for row in found)

    def _write_rejects(self, file: Path) -> int:
        schema = pa.schema([REJECTS.field(0), pa.field("row_number", pa.int64()), *list(REJECTS)[1:]])
        whole = None
        for source in self._opened:
            bad = in_arrow(source.mapped.where("reason IS NOT NULL"), Reject(source.mapping), struct(REJECTS))
            whole = bad if whole is None else whole.unionByName(bad)
        count = 0
        with running("collecting the rejected rows"), pq.ParquetWriter(file, schema, compression="zstd") as writer:
            for piece in pieces(whole, self.settings.most_rows_on_driver, order=REJECTS.names):
                count += len(piece)
                numbers = pa.nulls(len(piece), pa.int64())
                writer.write_table(piece.add_column(1, "row_number", numbers).cast(schema))
        return count


@dataclass(frozen=True)
class _Frames:
    """What a function makes of the tables of one task, as Arrow."""

    make: Make
    columns: Columns

    def __call__(self, tables: DuckTables) -> Iterator[pa.RecordBatch]:
        for frame in self.make(tables, SILENT):
            yield from to_arrow(frame, self.columns).to_batches()
