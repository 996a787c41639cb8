"""A table in parts on a cluster: functions travel to the rows, counts come back, rows come back in bounded pieces.

Nothing here imports Spark: a Spark table brings its session with it.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from holdfast import errors
from holdfast.parts.columns import ROWS_AT_ONCE, Columns, columns_of_spark, conform, ddl, rebatched, to_arrow
from holdfast.parts.local import count_keys
from holdfast.parts.protocol import Keys, RowWise

MOST_ROWS = 200_000
_SLACK = 4  # Spark finds the bounds of ranges on a sample; a range of four times its share does not happen


class SparkParts:
    """A Spark DataFrame as parts.

    Parameters
    ----------
    frame : pyspark.sql.DataFrame
        Columns of type string, double and bigint, ``customer_id`` among them.
    most_rows : int
        So many rows come to the driver at once, at least twice ``ROWS_AT_ONCE``.

    Raises
    ------
    ConfigError
        ``most_rows`` is too small.
    DataError
        A column has another type; it is named.
    """

    def __init__(self, frame: Any, *, most_rows: int = MOST_ROWS) -> None:
        if most_rows < 2 * ROWS_AT_ONCE:
            raise errors.ConfigError(
                f"Wanted at least {2 * ROWS_AT_ONCE:,} rows as the most that may be on the driver, found "
                f"{most_rows:,}. Files are written in pieces of {ROWS_AT_ONCE:,} rows; allow more."
            )
        self.most_rows: int | None = most_rows
        self._rows_of_a_range = (most_rows - ROWS_AT_ONCE) // _SLACK
        self._frame = frame
        self._columns = columns_of_spark(frame.dtypes)

    def map(self, function: RowWise, columns: Columns, *, reads: Sequence[str] | None = None) -> SparkParts:
        """See :class:`holdfast.parts.Parts`."""
        made = self._applied(_Mapping(self._names(reads), function, dict(columns)), ddl(columns), reads)
        return SparkParts(made, most_rows=self.most_rows or MOST_ROWS)

    def tally(self, function: Keys, *, reads: Sequence[str]) -> dict[int, int]:
        """See :class:`holdfast.parts.Parts`."""
        counted = self._applied(_Tally(self._names(reads), function), "key bigint, n bigint", reads)
        with _our_errors():
            rows = counted.groupBy("key").agg({"n": "sum"}).collect()
        return dict(sorted((int(key), int(n)) for key, n in rows))

    def count(self) -> int:
        """See :class:`holdfast.parts.Parts`."""
        return self._count

    @cached_property
    def _count(self) -> int:
        with _our_errors():
            return int(self._frame.count())

    def frames(self) -> Iterator[pd.DataFrame]:
        """See :class:`holdfast.parts.Parts`.

        The executors sort ranges of customers; one range after the other comes to the driver.
        """
        ranges = SparkParts(self._ranges(), most_rows=self.most_rows or MOST_ROWS)
        return rebatched(self._arriving(ranges._applied(_packed, "arrow binary", None)))

    def _ranges(self) -> Any:
        """The rows in order, each partition so small that the driver can hold it beside a piece in the making."""
        ranges = max(1, -(-self._count // self._rows_of_a_range))
        return self._frame.repartitionByRange(ranges, "customer_id").sortWithinPartitions("customer_id")

    def _arriving(self, packed: Any) -> Iterator[pd.DataFrame]:
        with _our_errors():
            for (content,) in packed.toLocalIterator():
                with pa.ipc.open_stream(io.BytesIO(content)) as stream:
                    rows = stream.read_all().rename_columns(list(self._columns))
                    yield conform(rows.to_pandas(), self._columns)

    def keep(self) -> SparkParts:
        """See :class:`holdfast.parts.Parts`; the executors keep them in memory and, where it is full, on disk."""
        self._frame.persist()
        return self

    def close(self) -> None:
        """See :class:`holdfast.parts.Parts`."""
        self._frame.unpersist()

    def _selected(self, reads: Sequence[str] | None) -> Any:
        """Some columns, or all; a name is quoted, because a dot in it would be read as a path."""
        if reads is None:
            return self._frame
        return self._frame.select(*(f"`{name}`" for name in reads))

    def _names(self, reads: Sequence[str] | None) -> list[str]:
        return list(self._columns if reads is None else reads)

    def _applied(self, task: Any, made: str, reads: Sequence[str] | None) -> Any:
        """The task over all partitions; it gets its columns by place, because Spark stumbles over a name with a dot."""
        return self._selected(reads).toDF(*map(str, range(len(self._names(reads))))).mapInArrow(task, made)


@dataclass(frozen=True)
class _Mapping:
    """Applies a row-wise function to the batches of a partition."""

    names: list[str]
    function: RowWise
    columns: Columns

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            rows = batch.rename_columns(self.names).to_pandas()
            yield from to_arrow(self.function(rows), self.columns).to_batches()


@dataclass(frozen=True)
class _Tally:
    """Counts the keys of a partition."""

    names: list[str]
    function: Keys

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counts: Counter[int] = Counter()
        for batch in batches:
            count_keys(self.function(batch.rename_columns(self.names).to_pandas()), counts)
        columns = {"key": list(counts.keys()), "n": list(counts.values())}
        yield pa.RecordBatch.from_pydict(columns, schema=pa.schema([("key", pa.int64()), ("n", pa.int64())]))


def _packed(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Each batch as one cell of bytes, so that the driver unpacks columns and not rows."""
    for batch in batches:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, batch.schema) as writer:
            writer.write_batch(batch)
        yield pa.RecordBatch.from_pydict({"arrow": pa.array([sink.getvalue().to_pybytes()], type=pa.binary())})


_OURS = re.compile(r"^holdfast\.[\w.]*?(\w+Error): (.+)$", re.MULTILINE)


@contextmanager
def _our_errors() -> Iterator[None]:
    """An error of ours that happened on an executor keeps its class and message; Spark buries both in a trace."""
    try:
        yield
    except Exception as error:
        found = _OURS.search(str(error))
        if found is None:
            raise
        kind: type[errors.HoldfastError] = getattr(errors, found[1], errors.HoldfastError)
        raise kind(found[2].strip()) from None
