"""What work makes of the chunks of all customers, as a table in parts: the way from a feature to an engine."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

import pandas as pd

from holdfast.history.chunk import EVENTS_PER_CHUNK, Chunk
from holdfast.history.chunk_reader import worked
from holdfast.partitioned import Columns, Parts
from holdfast.progress import SILENT, Progress
from holdfast.sources import DuckTables, Engine

Work = Callable[[Chunk], pd.DataFrame]


def chunk_parts(
    engine: Engine,
    wanted: Mapping[str, Collection[str]],
    work: Work,
    columns: Columns,
    *,
    label: str = "Reading events",
    events_per_chunk: int = EVENTS_PER_CHUNK,
    customers_per_chunk: int | None = None,
    progress: Progress = SILENT,
) -> Parts:
    """The rows that ``work`` makes of every chunk of customers, where the customers are.

    Parameters
    ----------
    wanted : mapping of stream name to column names
        As for :func:`holdfast.history.chunk_reader.worked`, like the label and the bounds of a chunk.
    work : callable
        Picklable; gives a frame with these columns for one chunk.
    """
    streams = {stream: frozenset(names) for stream, names in wanted.items()}
    return engine.parts(
        _Chunks(streams, work, label, events_per_chunk, customers_per_chunk), columns, progress=progress
    )


@dataclass(frozen=True)
class _Chunks:
    """Works through the chunks of tables."""

    wanted: Mapping[str, Collection[str]]
    work: Work
    label: str
    events_per_chunk: int
    customers_per_chunk: int | None

    def __call__(self, tables: DuckTables, progress: Progress) -> Iterator[pd.DataFrame]:
        return worked(
            tables,
            self.wanted,
            self.work,
            label=self.label,
            events_per_chunk=self.events_per_chunk,
            customers_per_chunk=self.customers_per_chunk,
            progress=progress,
        )
