"""Forward folds: learn from what was known, try on a later cutoff, and leave the outcome window between."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.timeline import Days, Instants

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Fold:
    """Rows to learn from and rows to try on; ``cutoff`` and ``known_at`` are microseconds UTC.

    ``ahead`` says whether everything learnt from was known before what is tried on.
    """

    train: Rows
    test: Rows
    cutoff: int
    known_at: int
    ahead: bool = True


def rows_by_cutoff(cutoff: Instants | None, rows: int) -> list[Rows]:
    """The rows of each cutoff, earliest first; all rows at once where they carry none."""
    if cutoff is None:
        return [np.arange(rows)]
    return [np.flatnonzero(cutoff == at) for at in np.unique(cutoff)]


def forward_folds(
    cutoff: Instants, purge_days: float, *, count: int, usable: Callable[[Rows, Rows], bool]
) -> list[Fold]:
    """At most ``count`` folds at the last cutoffs, earliest first, at least ``purge_days`` apart.

    A fold at cutoff ``u`` learns from rows whose own cutoff plus ``purge_days`` (horizon and gap) is not after ``u``:
    their outcomes were complete. Folds closer than that would share outcomes and count one season twice.
    ``usable(train, test)`` refuses a fold, for example one that knows a single class.
    """
    purge = Days(purge_days).microseconds
    found: list[Fold] = []
    bound: int | None = None
    for u in np.unique(cutoff)[::-1].tolist():
        if bound is not None and u > bound:
            continue
        known = cutoff + purge <= u if purge else cutoff < u
        train, test = np.flatnonzero(known), np.flatnonzero(cutoff == u)
        if len(train) == 0:
            break
        if usable(train, test):
            found.append(Fold(train, test, u, u + purge))
            bound = u - purge
        if len(found) == count:
            break
    return found[::-1]


def random_folds(groups: Sequence[int] | NDArray[np.int64], *, count: int, share: float, seed: int) -> list[Fold]:
    """``count`` disjoint random test sets, each ``share`` of every group, for rows that carry no time."""
    groups = np.asarray(groups)
    draw = np.random.default_rng(seed)
    place = np.empty(len(groups))
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        place[draw.permutation(members)] = (np.arange(len(members)) + 0.5) / len(members)
    part = np.minimum(place // share, count).astype(int)
    everyone = np.arange(len(groups))
    return [
        Fold(everyone[part != k], everyone[part == k], cutoff=0, known_at=0, ahead=False)
        for k in range(count)
        if (part == k).any() and (part != k).any()
    ]
