"""A table in parts on a cluster: functions travel to the rows, counts come back, rows come back in bounded pieces."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pandas as pd
import pyarrow as pa

from holdfast import errors
from holdfast.partitioned.columns import ROWS_AT_ONCE, Columns, columns_of_spark, ddl, rebatched, to_arrow
from holdfast.partitioned.local import count_keys
from holdfast.partitioned.protocol import Keys, RowWise
from holdfast.progress import SILENT, Progress
from holdfast.spark.batches import in_arrow
from holdfast.spark.pieces import pieces
from holdfast.spark.session import named, running

MOST_ROWS = 200_000


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

    def __init__(self, frame: Any, *, most_rows: int = MOST_ROWS, progress: Progress = SILENT) -> None:
        if most_rows < 2 * ROWS_AT_ONCE:
            raise errors.ConfigError(
                f"Wanted at least {2 * ROWS_AT_ONCE:,} rows as the most that may be on the driver, found "
                f"{most_rows:,}. Files are written in pieces of {ROWS_AT_ONCE:,} rows; allow more."
            )
        self.most_rows = most_rows
        self._progress = progress
        self._most_arriving = most_rows - ROWS_AT_ONCE  # beside a piece in the making
        self._frame = frame
        self._columns = columns_of_spark(frame.dtypes)

    def map(self, function: RowWise, columns: Columns, *, reads: Sequence[str] | None = None) -> SparkParts:
        """See :class:`holdfast.partitioned.Parts`."""
        made = in_arrow(self._selected(reads), _Mapping(function, dict(columns)), ddl(columns))
        return SparkParts(made, most_rows=self.most_rows, progress=self._progress)

    def tally(self, function: Keys, *, reads: Sequence[str]) -> dict[int, int]:
        """See :class:`holdfast.partitioned.Parts`."""
        counted = in_arrow(self._selected(reads), _Tally(function), "key bigint, n bigint")
        with running("counting rows by a key"):
            rows = counted.groupBy("key").agg({"n": "sum"}).collect()
        return dict(sorted((int(key), int(n)) for key, n in rows))

    def count(self) -> int:
        """See :class:`holdfast.partitioned.Parts`."""
        return self._count

    @cached_property
    def _count(self) -> int:
        with running("counting rows"):
            return int(self._frame.count())

    def frames(self, rows: int | None = ROWS_AT_ONCE) -> Iterator[pd.DataFrame]:
        """See :class:`holdfast.partitioned.Parts`."""
        return self._arriving(self.most_rows) if rows is None else rebatched(self._arriving(self._most_arriving), rows)

    def _arriving(self, most_rows: int) -> Iterator[pd.DataFrame]:
        order = [name for name in ("customer_id", "cutoff") if name in self._columns]
        with self._progress("Bringing rows to this machine") as advance:
            for piece in pieces(self._frame, most_rows, order=order):
                advance(len(piece))
                yield piece.to_pandas().astype(self._columns)

    def keep(self) -> SparkParts:
        """See :class:`holdfast.partitioned.Parts`; the executors keep them in memory and, where it is full, on disk."""
        self._frame.persist()
        return self

    def close(self) -> None:
        """See :class:`holdfast.partitioned.Parts`."""
        self._frame.unpersist()

    def _selected(self, reads: Sequence[str] | None) -> Any:
        """Some columns, or all; a name is quoted, because a dot in it would be read as a path."""
        if reads is None:
            return self._frame
        return self._frame.select(*(named(name) for name in reads))


@dataclass(frozen=True)
class _Mapping:
    """Applies a row-wise function to the batches of a partition."""

    function: RowWise
    columns: Columns

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from to_arrow(self.function(batch.to_pandas()), self.columns).to_batches()


@dataclass(frozen=True)
class _Tally:
    """Counts the keys of a partition."""

    function: Keys

    def __call__(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        counts: Counter[int] = Counter()
        for batch in batches:
            count_keys(self.function(batch.to_pandas()), counts)
        columns = {"key": list(counts.keys()), "n": list(counts.values())}
        yield pa.RecordBatch.from_pydict(columns, schema=pa.schema([("key", pa.int64()), ("n", pa.int64())]))
