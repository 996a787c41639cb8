"""Whether contenders agree: every feature of some customers, the most active among them, at every timed cutoff."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers import data
from holdfast.features.feature import Feature
from holdfast.history.aggregates import Count, DaysSinceFirst, DaysSinceLast, DistinctDays, Last, LastGap, Max, Std, Sum

CUSTOMERS, MOST_ACTIVE = 200, 40


def choose(database: Path) -> None:
    """Store the customers to compare beside the database: the most active, and others from all over."""
    with data.connect(database, "1GB") as connection:
        ranked = connection.sql(
            "SELECT customer FROM orders GROUP BY customer ORDER BY count(*) DESC, customer"
        ).fetchnumpy()["customer"]
    rest = ranked[MOST_ACTIVE:]
    others = rest[np.linspace(0, len(rest) - 1, min(CUSTOMERS - MOST_ACTIVE, len(rest))).astype(np.int64)]
    np.save(_file(database, "customers"), np.unique(np.concatenate((ranked[:MOST_ACTIVE], others))))


def _file(database: Path, name: str) -> Path:
    return database.with_name(f"{database.name}.{name}.npy")


def forget(database: Path) -> None:
    """Remove what was stored beside the database."""
    for file in database.parent.glob(f"{database.name}.*.npy"):
        file.unlink()


class Kept:
    """The values of the chosen customers, and how many rows went by; one part after the other."""

    def __init__(self, database: Path, name: str, features: Sequence[Feature]) -> None:
        self._database, self._name, self._features = database, name, features
        self._chosen = np.load(_file(database, "customers"))
        self._parts: list[NDArray[np.float64]] = []
        self.rows = 0

    def add(self, customers: NDArray[np.int64], cutoffs: NDArray[np.int64], table: Any) -> None:
        """Keep what belongs to chosen customers; ``table[name]`` is a column of pandas, Polars or Arrow."""
        self.rows += len(customers)
        keep = np.flatnonzero(np.isin(customers, self._chosen))
        columns = (np.asarray(table[feature.name])[keep].astype(np.float64) for feature in self._features)
        self._parts.append(np.column_stack([cutoffs[keep], customers[keep], *columns]))

    def store(self) -> None:
        """Write them, sorted by cutoff and customer."""
        rows = np.concatenate(self._parts)
        np.save(_file(self._database, self._name), rows[np.lexsort((rows[:, 1], rows[:, 0]))])


def compare(database: Path, features: Sequence[Feature], peer: str) -> int:
    """Return how many values are equal between us and the peer: all.

    Counts, times and picked values must be the same number, sums the same to 1e-9, other numbers to 1e-6; a missing
    value must be missing in both.

    Raises
    ------
    SystemExit
        They have other rows, or a feature differs; the message names it.
    """
    mine, theirs = (np.load(_file(database, name)) for name in ("holdfast", peer))
    if mine.shape != theirs.shape or not np.array_equal(mine[:, :2], theirs[:, :2]):
        raise SystemExit(f"holdfast and {peer} have other snapshots: {mine.shape[0]} and {theirs.shape[0]}.")
    for place, feature in enumerate(features, start=2):
        relative, absolute = _tolerance(feature)
        same = np.isclose(mine[:, place], theirs[:, place], rtol=relative, atol=absolute, equal_nan=True)
        if not same.all():
            row = int(np.flatnonzero(~same)[0])
            raise SystemExit(
                f"{feature.name} differs between holdfast and {peer} in {int((~same).sum())} of {len(same)} snapshots; "
                f"the first: {mine[row, place]!r} and {theirs[row, place]!r}."
            )
    return int(mine[:, 2:].size)


def _tolerance(feature: Feature) -> tuple[float, float]:
    """Relative and absolute; a peer's deviation of equal amounts is the root of a rounding error."""
    if isinstance(feature.aggregate, Count | DistinctDays):
        return 0.0, 0.0
    if isinstance(feature.aggregate, Sum):
        return 1e-9, 1e-9
    if isinstance(feature.aggregate, Std):
        return 1e-6, 1e-5
    if isinstance(feature.aggregate, DaysSinceFirst | DaysSinceLast | Last | LastGap | Max):
        return 1e-14, 0.0  # a peer may multiply by one part of a day where we divide by a day
    return 1e-6, 1e-9
