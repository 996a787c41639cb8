"""Features of given customers at given instants, where somebody else says who counts and when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from holdfast.errors import DataError
from holdfast.features import build as features_room
from holdfast.features.feature import Feature
from holdfast.history.arrays import Indices
from holdfast.history.chunk import Chunk
from holdfast.history.chunk_reader import worked
from holdfast.progress import SILENT, Progress
from holdfast.snapshots.declared import CELLS_PER_CHUNK
from holdfast.sources import DuckTables
from holdfast.timeline import Instants


@dataclass(frozen=True)
class _Given:
    """The features of the rows whose customers a chunk holds; rows in order of customer and cutoff."""

    features: tuple[Feature, ...]
    customers: Indices
    cutoffs: Instants

    def __call__(self, chunk: Chunk) -> pd.DataFrame:
        first, stop = np.searchsorted(self.customers, [chunk.first, chunk.stop])
        customers, cutoffs = self.customers[first:stop] - chunk.first, self.cutoffs[first:stop]
        return pd.DataFrame(features_room.build(self.features, chunk.streams, customers, cutoffs), copy=False)


def build_given(
    tables: DuckTables, features: Sequence[Feature], rows: pd.DataFrame, *, progress: Progress = SILENT
) -> pd.DataFrame:
    """Build the features of each row.

    Parameters
    ----------
    features : sequence of Feature
        Such as the tables can give.
    rows : DataFrame
        ``customer_id`` (text) and ``cutoff`` (microseconds), in any order; a row may stand there twice.

    Returns
    -------
    DataFrame
        One row per row of ``rows``, with its index: ``customer_id``, ``cutoff`` and one column per feature.

    Raises
    ------
    DataError
        A customer is in no source.
    """
    places = pd.Index(pd.array(tables.ids(), dtype="str")).get_indexer(rows["customer_id"])
    if (places < 0).any():
        raise DataError(
            f"Wanted features of customers that some source has, found {int((places < 0).sum()):,} of {len(rows):,} "
            "rows whose customer none has. Add them to the source customers, or leave these rows out."
        )
    cutoffs = rows["cutoff"].to_numpy(dtype=np.int64)
    order = np.lexsort((cutoffs, places))
    most = int(np.bincount(places).max(initial=1))
    parts = worked(
        tables,
        features_room.needed(features),
        _Given(tuple(features), places[order].astype(np.int64), cutoffs[order]),
        label="Building features",
        customers_per_chunk=max(1, CELLS_PER_CHUNK // (most * (len(features) + 2))),
        progress=progress,
    )
    built = pd.concat([part for part in parts if len(part)], ignore_index=True)
    built = built.iloc[np.argsort(order)].set_axis(rows.index)
    return pd.concat([rows[["customer_id", "cutoff"]], built], axis=1)
