"""Functions of Arrow batches over the partitions of a Spark frame."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import pyarrow as pa

from holdfast.spark.session import DataFrame, StructType

Task = Callable[[Iterator[pa.RecordBatch]], Iterable[pa.RecordBatch]]


def in_arrow(frame: DataFrame, task: Task, schema: StructType | str) -> DataFrame:
    """Whatever the task makes of each partition; it must be picklable and yields batches of the schema.

    Columns travel by place and get their names back there: Spark stumbles over a name with a dot on the way.
    """
    names = tuple(frame.columns)
    return frame.toDF(*map(str, range(len(names)))).mapInArrow(Named(names, task), schema)


@dataclass(frozen=True)
class Named:
    """A task whose batches get their names back."""

    names: tuple[str, ...]
    task: Task

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterable[pa.RecordBatch]:
        """Run the task; a model in it keeps to the task's cores, of which Spark says how many."""
        os.environ["OMP_THREAD_LIMIT"] = os.environ.get("OMP_NUM_THREADS", "1")
        return self.task(batch.rename_columns(list(self.names)) for batch in batches)
