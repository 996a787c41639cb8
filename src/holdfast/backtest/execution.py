"""Fits all folds of a backtest, here or in worker processes; those that are finished already are taken as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from holdfast.backtest import shared_snapshots, workers
from holdfast.backtest.fold_fitter import NEEDED, BacktestFold, FittedFold, FoldFitter
from holdfast.backtest.fold_store import FoldStore, held_store
from holdfast.files import HIDDEN, temporary_folder
from holdfast.progress import SILENT, Progress


@dataclass(frozen=True)
class Execution:
    """How to fit folds: nothing here changes what comes out.

    Attributes
    ----------
    jobs : int or None
        Worker processes; 1 runs one fold after the other, None takes what cores and memory bear.
    keep : Path or None
        A folder where finished folds stay for the next run; see :mod:`holdfast.backtest.fold_store`.
    finished : mapping or None
        Folds of the same snapshots and fitter that this process has fitted; new ones are added.
    """

    jobs: int | None = 1
    keep: Path | None = None
    finished: MutableMapping[BacktestFold, FittedFold] | None = None


SEQUENTIAL = Execution()
"""One fold after the other, nothing kept."""


@dataclass(frozen=True)
class FittedFolds:
    """The folds with their fits, those that an earlier run had finished, and how many had to be fitted."""

    fitted: Mapping[BacktestFold, FittedFold]
    resumed: tuple[BacktestFold, ...]
    new: int


def fit_folds(
    snapshots: pd.DataFrame,
    fitter: FoldFitter,
    folds: Sequence[BacktestFold],
    execution: Execution,
    label: str,
    progress: Progress = SILENT,
) -> FittedFolds:
    """Fit the folds; the same for any number of workers, to the byte.

    Raises
    ------
    DataError
        A fold has nothing to learn from or to test on; said before anything is fitted.
    """
    narrow = snapshots[NEEDED]
    for fold in folds:
        fitter.test_rows(narrow, fold)
        fitter.training_rows(narrow, fold)
    with held_store(execution.keep, snapshots, fitter) as store:
        here = {} if execution.finished is None else execution.finished
        done = {fold: here[fold] for fold in folds if fold in here}
        resumed = {} if store is None else _resumed(store, folds, done)
        done |= resumed
        missing = [fold for fold in folds if fold not in done]
        told = f"{label} ({len(resumed)} of {len(folds)} taken up)" if resumed else label
        with progress(told, total=len(folds)) as advance:
            advance(len(done))
            for fold, fitted in _computed(snapshots, fitter, missing, execution.jobs, store):
                done[fold] = fitted
                here[fold] = fitted
                advance(1)
        here.update(resumed)
    return FittedFolds({fold: done[fold] for fold in folds}, tuple(resumed), len(missing))


def _resumed(
    store: FoldStore, folds: Sequence[BacktestFold], done: Mapping[BacktestFold, FittedFold]
) -> dict[BacktestFold, FittedFold]:
    """What an earlier run had finished; what this process had finished already is kept for later ones."""
    for fold, fitted in done.items():
        store.put(fold, fitted)
    found = {fold: store.take(fold) for fold in folds if fold not in done}
    return {fold: fitted for fold, fitted in found.items() if fitted is not None}


def _computed(
    snapshots: pd.DataFrame,
    fitter: FoldFitter,
    folds: Sequence[BacktestFold],
    jobs: int | None,
    store: FoldStore | None,
) -> Iterator[tuple[BacktestFold, FittedFold]]:
    if not folds:
        return
    many = workers.how_many(jobs, len(folds), len(snapshots) * len(fitter.spec.features))
    fitter = fitter.in_rounds(-(-len(folds) // many), None if store is None else store.folder)
    if many <= 1:
        for fold in folds:
            yield fold, workers.fit(snapshots, fitter, fold, store)
        return
    # beside what is kept, because there the next run removes what a kill left
    with temporary_folder() if store is None else temporary_folder(store.folder, HIDDEN) as folder:
        file = shared_snapshots.write(snapshots, folder / "snapshots.arrow")
        yield from workers.as_they_finish(fitter, folds, workers=many, file=file, store=store)
