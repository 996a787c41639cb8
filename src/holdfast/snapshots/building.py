"""The snapshots table: one row per customer of the population and cutoff, built where the customers are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from holdfast.errors import DataError
from holdfast.features.feature import Feature
from holdfast.history.duck import EVENTS_PER_CHUNK, worked
from holdfast.history.spark import collected, run
from holdfast.labels import LabelSettings
from holdfast.partitioned import LocalParts, Parts, SparkParts
from holdfast.progress import SILENT, Progress
from holdfast.sampling import Counts, Sampler
from holdfast.snapshots.declared import Snapshots
from holdfast.snapshots.population import PopulationSettings
from holdfast.sources import DuckTables, Tables
from holdfast.sources.spark import SparkTables
from holdfast.spark.session import DataFrame
from holdfast.timeline import show


def snapshots_on_spark(
    tables: SparkTables, snapshots: Snapshots, *, events_per_chunk: int = EVENTS_PER_CHUNK
) -> DataFrame:
    """The same rows as :func:`snapshot_frames`, left on the executors, in no stated order."""
    return run(
        tables,
        snapshots.wanted(tables),
        snapshots,
        snapshots.schema,
        events_per_chunk=events_per_chunk,
        customers_per_chunk=snapshots.customers_per_chunk,
    )


def snapshot_frames(
    tables: DuckTables | SparkTables,
    snapshots: Snapshots,
    *,
    events_per_chunk: int = EVENTS_PER_CHUNK,
    progress: Progress = SILENT,
) -> Iterator[pd.DataFrame]:
    """The snapshots piece by piece, in the order of customers: memory depends on the piece, not on the data.

    Rows of customers who had left when the outcome window began are still there, with ``churned`` missing.

    Raises
    ------
    ConfigError
        As :meth:`Snapshots.wanted`.
    """
    if isinstance(tables, SparkTables):
        rows = snapshots_on_spark(tables, snapshots, events_per_chunk=events_per_chunk)
        order = ("customer_id", "cutoff")
        yield from collected(tables, rows, order, label="Building features", progress=progress)
        return
    yield from worked(
        tables,
        snapshots.wanted(tables),
        snapshots,
        label="Building features",
        events_per_chunk=events_per_chunk,
        customers_per_chunk=snapshots.customers_per_chunk,
        progress=progress,
    )


def snapshot_parts(tables: DuckTables | SparkTables, snapshots: Snapshots, *, progress: Progress = SILENT) -> Parts:
    """The snapshots as parts, which nobody holds at once; on Spark they stay on the executors.

    Asking for their rows raises a DataError if nobody belongs to the population.
    """
    if isinstance(tables, SparkTables):
        return SparkParts(snapshots_on_spark(tables, snapshots), most_rows=tables.settings.most_rows_on_driver)

    def source(_: Sequence[str] | None) -> Iterator[pd.DataFrame]:
        found = 0
        for frame in snapshot_frames(tables, snapshots, progress=progress):
            found += len(frame)
            yield frame
        require_members(found, tables, snapshots)

    return LocalParts(source)


def build_snapshots(
    tables: DuckTables | SparkTables,
    features: Sequence[Feature],
    *,
    population: PopulationSettings,
    cutoffs: Sequence[int],
    labels: LabelSettings | None = None,
    most: int | None = None,
    seed: int = 0,
    events_per_chunk: int = EVENTS_PER_CHUNK,
    progress: Progress = SILENT,
) -> pd.DataFrame:
    """One row per customer of the population and cutoff, in memory.

    Parameters
    ----------
    cutoffs : sequence of int
        Instants in microseconds.
    labels : LabelSettings or None
        None for scoring, where the outcome is not known yet.
    most : int or None
        Of more labelled snapshots than this, a weighted sample; see :mod:`holdfast.sampling`. The others are never
        held.
    seed : int
        Of the sample.
    events_per_chunk : int
        Bounds memory; the table does not depend on it.

    Returns
    -------
    DataFrame
        As :class:`Snapshots` gives it, sorted by cutoff and customer. With labels, snapshots whose customer had left
        when the outcome window began are not there, and ``attrs["left_in_gap"]`` counts them.

    Raises
    ------
    ConfigError
        A source or column that the population, the features or the labels need is not mapped, or two features have
        one name.
    DataError
        Nobody belongs to the population.
    """
    snapshots = Snapshots.of(features, population, cutoffs, labels)
    if most is not None and labels is not None and isinstance(tables, SparkTables):
        return _sampled_on_spark(tables, snapshots, most, seed)
    frames = snapshot_frames(tables, snapshots, events_per_chunk=events_per_chunk, progress=progress)
    if labels is None:
        parts = [frame for frame in frames if len(frame)]
        require_members(sum(map(len, parts)), tables, snapshots)
        table = in_order(pd.concat(parts, ignore_index=True))
        table.attrs["left_in_gap"] = 0
        return table
    sampler, members, stayed = Sampler(most, seed), 0, 0
    for frame in frames:
        complete = frame[frame["churned"].notna()]
        members, stayed = members + len(frame), stayed + len(complete)
        sampler.add(complete)
    require_members(members, tables, snapshots)
    require_stayed(stayed, members)
    table = sampler.table()
    table.attrs["left_in_gap"] = members - stayed
    return table


_STAYED, _CHURNED, _LEFT = 0, 1, 2


def _outcome(frame: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    churned = frame["churned"].to_numpy(dtype=np.float64)
    return np.where(np.isnan(churned), _LEFT, churned).astype(np.int64)


@dataclass(frozen=True)
class _Kept:
    """The complete snapshots that a sampler keeps."""

    sampler: Sampler

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        complete = frame[frame["churned"].notna()]
        return complete[self.sampler.keeps(complete)]


def _sampled_on_spark(tables: SparkTables, snapshots: Snapshots, most: int, seed: int) -> pd.DataFrame:
    """Count outcomes on the executors, and bring no more than the sample."""
    parts = SparkParts(snapshots_on_spark(tables, snapshots), most_rows=tables.settings.most_rows_on_driver).keep()
    try:
        found = parts.tally(_outcome, reads=["churned"])
        counts, left = Counts(found.get(_STAYED, 0), found.get(_CHURNED, 0)), found.get(_LEFT, 0)
        require_members(sum(counts) + left, tables, snapshots)
        require_stayed(sum(counts), sum(counts) + left)
        sampler = Sampler(most, seed, counts=counts)
        for frame in parts.map(_Kept(Sampler(most, seed, counts=counts)), snapshots.columns).frames():
            sampler.add(frame)
    finally:
        parts.close()
    table = sampler.table()
    table.attrs["left_in_gap"] = left
    return table


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sorted by cutoff, of a table whose customers are in order."""
    return table.take(np.argsort(table["cutoff"].to_numpy(), kind="stable")).reset_index(drop=True)


def require_members(found: int, tables: Tables, snapshots: Snapshots) -> None:
    """Refuse a population without customers.

    Raises
    ------
    DataError
        Nobody belongs to the population.
    """
    if found == 0:
        raise DataError(
            f"Nobody belongs to the population at {', '.join(show(cutoff) for cutoff in snapshots.cutoffs)}: wanted "
            f"customers by {snapshots.population.model_dump(exclude_defaults=True)} in source "
            f"'{snapshots.population.rule()[0]}'. "
            f"The data covers {show(tables.data_from)} to {show(tables.data_until)}; check cutoffs and population."
        )


def require_stayed(stayed: int, members: int) -> None:
    """Refuse a table in which nobody was left to lose.

    Raises
    ------
    DataError
        Every customer had left when the outcome window began.
    """
    if stayed == 0:
        raise DataError(
            f"All {members:,} customers of the population had left before the outcome window began. "
            "Check churn.gap_days and the population."
        )
