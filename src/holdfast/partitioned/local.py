"""A table in parts on this machine: one part after the other comes from its source; what is kept lies in a spool."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence

import numpy as np
import pandas as pd

from holdfast.partitioned.columns import ROWS_AT_ONCE, Columns, conform, rebatched
from holdfast.partitioned.protocol import Keys, RowWise
from holdfast.partitioned.spool import Spool

Source = Callable[[Sequence[str] | None], Iterable[pd.DataFrame]]


class LocalParts:
    """Parts that a source gives in order of ``customer_id`` and ``cutoff``.

    Parameters
    ----------
    source : callable
        From the wanted columns (None: all) to the frames, each time it is called. It may give more columns.
    columns : mapping of name to type, or None
        Needed to keep them.
    """

    most_rows: int | None = None

    def __init__(self, source: Source, columns: Columns | None = None) -> None:
        self._source = source
        self._columns = columns
        self._spool: Spool | None = None

    @classmethod
    def of(cls, frame: pd.DataFrame, rows: int = ROWS_AT_ONCE) -> LocalParts:
        """A table in memory, sorted by customer, in parts of so many rows."""
        ordered = frame.sort_values("customer_id", kind="stable", ignore_index=True)
        return cls(lambda _: (ordered.iloc[first : first + rows] for first in range(0, len(ordered), rows)))

    def map(self, function: RowWise, columns: Columns, *, reads: Sequence[str] | None = None) -> LocalParts:
        """See :class:`holdfast.partitioned.Parts`."""

        def made(_: Sequence[str] | None) -> Iterator[pd.DataFrame]:
            return (conform(function(part), columns) for part in self._source(reads))

        return LocalParts(made, columns)

    def tally(self, function: Keys, *, reads: Sequence[str]) -> dict[int, int]:
        """See :class:`holdfast.partitioned.Parts`."""
        counts: Counter[int] = Counter()
        for part in self._source(reads):
            count_keys(function(part), counts)
        return dict(sorted(counts.items()))

    def count(self) -> int:
        """See :class:`holdfast.partitioned.Parts`."""
        return self._spool.rows if self._spool is not None else sum(len(part) for part in self._source(["customer_id"]))

    def frames(self, rows: int | None = ROWS_AT_ONCE) -> Iterator[pd.DataFrame]:
        """See :class:`holdfast.partitioned.Parts`."""
        return iter(self._source(None)) if rows is None else rebatched(self._source(None), rows)

    def keep(self) -> LocalParts:
        """See :class:`holdfast.partitioned.Parts`; only parts that :meth:`map` made are kept."""
        if self._columns is None:
            return self
        spool = Spool(self._columns)
        for part in self._source(None):
            spool.append(part)
        kept = LocalParts(spool.finish().frames, self._columns)
        kept._spool = spool
        return kept

    def close(self) -> None:
        """See :class:`holdfast.partitioned.Parts`."""
        if self._spool is not None:
            self._spool.close()


def count_keys(keys: np.ndarray[tuple[int], np.dtype[np.int64]], counts: Counter[int]) -> None:
    """Add the keys to what was counted before."""
    for key, n in zip(*np.unique(keys, return_counts=True), strict=True):
        counts[int(key)] += int(n)
