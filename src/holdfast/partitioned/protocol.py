"""What a table in parts can do, whoever holds the parts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.partitioned.columns import ROWS_AT_ONCE, Columns

RowWise = Callable[[pd.DataFrame], pd.DataFrame]
"""From rows to rows: what it makes of a row does not depend on the others. Picklable, to travel to the rows."""

Keys = Callable[[pd.DataFrame], NDArray[np.int64]]
"""From rows to whole numbers to count by, as many as the function likes."""


class Parts(Protocol):
    """Rows with a ``customer_id``, of which nobody holds all at once."""

    @property
    def most_rows(self) -> int | None:
        """So many rows may come to this process at once; None where the rows are here anyway."""

    def map(self, function: RowWise, columns: Columns, *, reads: Sequence[str] | None = None) -> Parts:
        """The rows that the function makes, in these columns; it sees the columns ``reads`` (None: all).

        Nothing is computed before somebody asks for rows or counts.
        """

    def tally(self, function: Keys, *, reads: Sequence[str]) -> dict[int, int]:
        """How often each key occurs, by key."""

    def count(self) -> int:
        """How many rows there are."""

    def frames(self, rows: int | None = ROWS_AT_ONCE) -> Iterator[pd.DataFrame]:
        """All rows in order of ``customer_id`` and, if there is one, ``cutoff``.

        They come in pieces of so many ``rows``, whatever the parts were, or with None as they are, which saves a copy.
        """

    def keep(self) -> Parts:
        """The same rows, computed once however often they are asked for; :meth:`close` lets go of them."""

    def close(self) -> None:
        """Let go of what :meth:`keep` keeps."""
