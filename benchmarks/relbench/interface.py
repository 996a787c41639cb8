"""What we ask of the objects of RelBench, and nothing more: a database of frames, and a task with its tables.

Anything of this shape can be predicted; the package itself is needed only to load the hosted databases.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pandas as pd


class Table(Protocol):
    """Rows of one table; those of a table with a time column appear at that time."""

    df: pd.DataFrame
    time_col: str | None


class Database(Protocol):
    """Tables by name. Primary keys are 0, 1, 2 … in the order of rows; foreign keys hold them, or are missing."""

    @property
    def table_dict(self) -> Mapping[str, Any]:
        """The tables by name, each a :class:`Table`."""

    def upto(self, timestamp: pd.Timestamp) -> Database:
        """The rows that had appeared by then, those at the timestamp itself among them."""


class Task(Protocol):
    """A task on entities: a row is an entity at a seed time, and its label is what happened in the time after it."""

    entity_col: str
    entity_table: str
    time_col: str
    target_col: str
    timedelta: pd.Timedelta

    def get_db(self, upto_test_timestamp: bool = True) -> Database:
        """The database as this task may see it, up to the first seed time of the test."""

    def get_table(self, split: str, mask_input_cols: bool | None = None) -> Any:
        """The :class:`Table` of a split, ``train``, ``val`` or ``test``, with labels or (masked) without."""

    def evaluate(self, pred: Any, target_table: Any = None) -> Mapping[str, float]:
        """The metrics of predictions, one per row of the test table or of the one given."""
