"""Folds never let an outcome teach before it was known."""

from __future__ import annotations

import numpy as np
import pytest

from holdfast.learning.folds import forward_folds, random_folds
from holdfast.timeline import MICROSECONDS_PER_DAY as DAY

ANYTHING = lambda train, test: True  # noqa: E731 - a fold is usable whatever it holds


def monthly(count: int, rows: int = 3) -> np.ndarray:
    """So many monthly cutoffs with a few rows each."""
    return np.repeat(np.arange(count, dtype=np.int64) * 30 * DAY, rows)


@pytest.mark.parametrize("purge_days", [0, 30, 45, 90])
def test_training_outcomes_are_complete_before_the_fold(purge_days: float) -> None:
    """A row teaches only if its outcome window had ended; without a window it must still lie before."""
    cutoff = monthly(12)
    folds = forward_folds(cutoff, purge_days, count=4, usable=ANYTHING)
    assert folds
    for fold in folds:
        assert (cutoff[fold.test] == fold.cutoff).all()
        assert (cutoff[fold.train] + purge_days * DAY <= fold.cutoff).all()
        assert (cutoff[fold.train] < fold.cutoff).all()


def test_folds_are_the_last_ones_and_do_not_share_outcomes() -> None:
    """Two folds a month apart with a horizon of three would count one season twice."""
    folds = forward_folds(monthly(12), 90, count=3, usable=ANYTHING)
    assert [fold.cutoff // (30 * DAY) for fold in folds] == [5, 8, 11]
    assert [fold.known_at - fold.cutoff for fold in folds] == [90 * DAY] * 3


def test_a_horizon_longer_than_the_history_gives_no_fold() -> None:
    """Then the caller falls back on random rows, and says so."""
    assert forward_folds(monthly(4), 365, count=3, usable=ANYTHING) == []


def test_an_unusable_cutoff_makes_room_for_its_neighbour() -> None:
    """A cutoff with one class only is skipped, not counted."""
    folds = forward_folds(monthly(12), 90, count=1, usable=lambda train, test: 33 not in test)
    assert [fold.cutoff // (30 * DAY) for fold in folds] == [10]


def test_random_folds_are_disjoint_and_hold_each_group_in_proportion() -> None:
    """Rare churners must appear in every fold."""
    groups = np.array([0] * 80 + [1] * 20)
    folds = random_folds(groups, count=3, share=0.2, seed=0)
    assert [np.bincount(groups[fold.test]).tolist() for fold in folds] == [[16, 4]] * 3
    assert len(np.unique(np.concatenate([fold.test for fold in folds]))) == 60
    assert all(not set(fold.train) & set(fold.test) for fold in folds)
