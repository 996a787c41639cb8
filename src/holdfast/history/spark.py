"""The Spark driver: each task gets some of the customers, and the DuckDB driver and the kernel work inside it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import pandas as pd
import pyarrow as pa

from holdfast.history.chunk import Chunk
from holdfast.history.duck import EVENTS_PER_CHUNK, worked
from holdfast.progress import SILENT, Progress
from holdfast.sources import DuckTables
from holdfast.sources.spark.tables import SparkTables
from holdfast.spark.pieces import pieces
from holdfast.spark.session import DataFrame

Work = Callable[[Chunk], pd.DataFrame]


def run(
    tables: SparkTables,
    wanted: Mapping[str, Collection[str]],
    work: Work,
    schema: pa.Schema,
    *,
    events_per_chunk: int = EVENTS_PER_CHUNK,
    customers_per_chunk: int | None = None,
) -> DataFrame:
    """Let ``work`` turn every chunk of customers into rows, on the executors; nothing runs before the rows are used.

    Parameters
    ----------
    wanted : mapping of stream name to column names
        As for :func:`holdfast.history.duck.worked`, like the bounds of a chunk.
    work : callable
        Picklable; gives a frame with the columns of ``schema`` for one chunk.
    schema : pyarrow.Schema
        Texts, whole and floating numbers, flags. A missing floating number stays NaN.

    Returns
    -------
    pyspark.sql.DataFrame
        The rows of all chunks, in no stated order.
    """
    columns = {stream: frozenset(names) for stream, names in wanted.items()}
    return tables.on_tables(_Chunks(columns, work, schema, events_per_chunk, customers_per_chunk), schema)


def collected(
    tables: SparkTables, rows: DataFrame, order: Sequence[str], *, label: str, progress: Progress = SILENT
) -> Iterator[pd.DataFrame]:
    """Rows on the driver, sorted, piece by piece: of one piece never more than ``spark.most_rows_on_driver``."""
    with progress(label) as advance:
        for piece in pieces(rows, tables.settings.most_rows_on_driver, order=order):
            advance(len(piece))
            yield piece.to_pandas()


@dataclass(frozen=True)
class _Chunks:
    """Works through the chunks of the tables of one task."""

    wanted: Mapping[str, Collection[str]]
    work: Work
    schema: pa.Schema
    events_per_chunk: int
    customers_per_chunk: int | None

    def __call__(self, tables: DuckTables) -> Iterator[pa.RecordBatch]:
        made = worked(
            tables,
            self.wanted,
            self.work,
            events_per_chunk=self.events_per_chunk,
            customers_per_chunk=self.customers_per_chunk,
            threads=1,
        )
        for rows in made:
            if len(rows):
                yield arrow(rows, self.schema)


def arrow(rows: pd.DataFrame, schema: pa.Schema) -> pa.RecordBatch:
    """The rows as Arrow; missing texts are null, missing floating numbers stay NaN, so that no bit changes."""
    columns = [
        pa.array(rows[field.name].to_numpy(dtype="float64"), field.type, from_pandas=False)
        if field.type == pa.float64()
        else pa.array(rows[field.name], field.type, from_pandas=True)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
