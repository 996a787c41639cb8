"""A Spark frame on the driver, never more than so many rows at once, however small its limit on results is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pyarrow as pa

from holdfast.spark.batches import in_arrow
from holdfast.spark.session import DataFrame, functions, is_kept, named, running, struct

_CUT = pa.schema([("part", pa.int32()), ("place", pa.int32()), ("data", pa.binary())])


def pieces(frame: DataFrame, most_rows: int, *, order: Sequence[str] = ()) -> Iterator[pa.Table]:
    """The rows of a frame as Arrow tables of at most ``most_rows`` rows, one after the other.

    The executors cut and compress; each piece then is a partition of its own, which the driver fetches when it is
    asked for the next one. What the frame computes is computed once.

    Parameters
    ----------
    order : sequence of column names
        Rows come sorted by them, over all pieces; without them in no stated order.
    """
    F = functions()
    held = []
    if order:
        if not is_kept(frame):  # Spark looks at all rows once to find the ranges, and again to sort
            held.append(frame.persist())
        frame = frame.orderBy(*(F.col(named(name)).asc_nulls_last() for name in order))
    numbered = frame.select("*", F.spark_partition_id().alias("part of the whole"))
    cut = in_arrow(numbered, Cut(most_rows), struct(_CUT)).persist()
    held.append(cut)
    try:
        with running("cutting results for the driver"):
            found = sorted((row.part, row.place) for row in cut.select("part", "place").collect())
        if not found:
            return
        first = {part: number for number, (part, place) in reversed(list(enumerate(found))) if place == 0}
        firsts = F.create_map(*(F.lit(number) for pair in first.items() for number in pair))
        number = (firsts[F.col("part")] + F.col("place")).cast("int")
        alone = cut.select("data", number.alias("number")).repartitionById(len(found), "number").select("data")
        with running("bringing results to the driver"):
            for row in alone.toLocalIterator():
                yield pa.ipc.open_stream(row.data).read_all()
    finally:
        for one in held:
            one.unpersist()


@dataclass(frozen=True)
class Cut:
    """Rows of a partition, the last column its number, to pieces of compressed Arrow."""

    most_rows: int

    def __call__(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Gather rows until a piece is full."""
        waiting: list[pa.RecordBatch] = []
        rows = place = 0
        for batch in batches:
            while len(batch):
                taken = batch.slice(0, self.most_rows - rows)
                batch = batch.slice(len(taken))
                waiting.append(taken)
                rows += len(taken)
                if rows == self.most_rows:
                    yield _packed(waiting, place)
                    waiting, rows, place = [], 0, place + 1
        if waiting:
            yield _packed(waiting, place)


def _packed(batches: list[pa.RecordBatch], place: int) -> pa.RecordBatch:
    table = pa.Table.from_batches(batches)
    part = table.column(table.num_columns - 1)[0].as_py()
    table = table.remove_column(table.num_columns - 1).combine_chunks()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema, options=pa.ipc.IpcWriteOptions(compression="lz4")) as writer:
        writer.write_table(table)
    columns = [pa.array([part], pa.int32()), pa.array([place], pa.int32())]
    return pa.RecordBatch.from_arrays([*columns, pa.array([sink.getvalue().to_pybytes()], pa.binary())], schema=_CUT)
