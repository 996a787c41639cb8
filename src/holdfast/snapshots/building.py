"""The snapshots table: one row per customer of the population and cutoff, built where the customers are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.errors import DataError
from holdfast.features.feature import Feature
from holdfast.history.chunk import EVENTS_PER_CHUNK
from holdfast.history.chunk_parts import chunk_parts
from holdfast.labels import LabelSettings
from holdfast.partitioned import Parts
from holdfast.progress import SILENT, Progress
from holdfast.sampling import Counts, Sampler
from holdfast.snapshots.cutoffs import observed_until
from holdfast.snapshots.declared import Snapshots
from holdfast.snapshots.population import PopulationSettings
from holdfast.sources import Engine
from holdfast.timeline import show

_STAYED, _CHURNED, _LEFT = 0, 1, 2


def snapshot_parts(
    tables: Engine, snapshots: Snapshots, *, events_per_chunk: int = EVENTS_PER_CHUNK, progress: Progress = SILENT
) -> Parts:
    """The snapshots as parts, left where the customers are: memory depends on the piece, not on the data.

    Rows of customers who had left when the outcome window began are still there, with ``churned`` missing.

    Raises
    ------
    ConfigError
        As :meth:`Snapshots.wanted`.
    """
    if snapshots.labels is not None:
        snapshots = replace(snapshots, observed_until=observed_until(tables, snapshots.labels))
    return chunk_parts(
        tables,
        snapshots.wanted(tables),
        snapshots,
        snapshots.columns,
        label="Building features",
        events_per_chunk=events_per_chunk,
        customers_per_chunk=snapshots.customers_per_chunk,
        progress=progress,
    )


def build_snapshots(
    tables: Engine,
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
    if labels is None:
        parts = snapshot_parts(tables, snapshots, events_per_chunk=events_per_chunk, progress=progress)
        frames = [frame for frame in parts.frames(None) if len(frame)]
        require_members(sum(map(len, frames)), tables, snapshots)
        table = in_order(pd.concat(frames, ignore_index=True))
        table.attrs["left_in_gap"] = 0
        return table
    outcomes = snapshot_parts(tables, replace(snapshots, features=()), events_per_chunk=events_per_chunk)
    found = outcomes.tally(_outcome, reads=["churned"])
    counts, left = Counts(found.get(_STAYED, 0), found.get(_CHURNED, 0)), found.get(_LEFT, 0)
    require_members(sum(counts) + left, tables, snapshots)
    require_stayed(sum(counts), sum(counts) + left)
    sampler, there = Sampler(most, seed, counts=counts), Sampler(most, seed, counts=counts)
    snapshots = replace(snapshots, sampler=there)
    parts = snapshot_parts(tables, snapshots, events_per_chunk=events_per_chunk, progress=progress)
    for frame in parts.frames(None):
        sampler.add(frame)
    table = sampler.table()
    table.attrs["left_in_gap"] = left
    return table


def _outcome(frame: pd.DataFrame) -> NDArray[np.int64]:
    churned = frame["churned"].to_numpy(dtype=np.float64)
    return np.where(np.isnan(churned), _LEFT, churned).astype(np.int64)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    """Sorted by cutoff, of a table whose customers are in order."""
    return table.take(np.argsort(table["cutoff"].to_numpy(), kind="stable")).reset_index(drop=True)


def require_members(found: int, tables: Engine, snapshots: Snapshots) -> None:
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
