"""Folds in worker processes: as many as cores and memory bear, each with its share of the cores, none left behind.

Workers are started by loky: fresh processes that do not run the caller's script again, so a script needs no guard. They
map the snapshots from one file, and end by themselves when the process that started them is gone.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from joblib.externals.loky import ProcessPoolExecutor

from holdfast.backtest import shared_snapshots
from holdfast.backtest.fold_fitter import BacktestFold, FittedFold, FoldFitter
from holdfast.backtest.fold_store import FoldStore
from holdfast.errors import ConfigError, HoldfastError
from holdfast.machine import cores, free_memory

_CELLS_WORTH_WORKERS = 20_000_000  # in all folds; workers take seconds to start, and so long takes less than this
_BYTES_PER_CELL = 70  # of a fit at its peak: the matrix, its folds, and LightGBM's bins
_THREADS = (
    "OMP_NUM_THREADS",
    "OMP_THREAD_LIMIT",  # binds LightGBM, which asks for two; the sums it splits stay the same
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)
_IDLE_SECONDS = 60
_LOOK_SECONDS = 0.5


def how_many(jobs: int | None, folds: int, cells: int) -> int:
    """How many workers to start; 1 means none, and the folds run one after the other.

    Parameters
    ----------
    jobs : int or None
        So many, whatever the machine; None starts as many as cores and free memory bear, and none for a small table.
    folds : int
    cells : int
        Rows times features of the table: what a fold learns from at most.

    Raises
    ------
    ConfigError
        Fewer than one job.
    """
    if jobs is not None:
        if jobs < 1:
            raise ConfigError(f"Wanted at least one job, found {jobs}. Give 1 for one fit after the other.")
        return min(jobs, folds)
    if cells * folds < _CELLS_WORTH_WORKERS:
        return 1
    fits = free_memory() // max(1, cells * _BYTES_PER_CELL)
    return max(1, min(cores(), folds, fits))


def as_they_finish(
    fitter: FoldFitter, folds: Sequence[BacktestFold], *, workers: int, file: Path, store: FoldStore | None
) -> Iterator[tuple[BacktestFold, FittedFold]]:
    """Fit all in so many processes; the first error stops them.

    Parameters
    ----------
    file : Path
        The snapshots, as :func:`holdfast.backtest.shared_snapshots.write` wrote them.

    Raises
    ------
    HoldfastError
        A worker was killed, as the system does when memory runs out.
    """
    each = str(max(1, cores() // workers))
    pool = ProcessPoolExecutor(
        workers,
        timeout=_IDLE_SECONDS,
        initializer=_begin,
        initargs=(_Work(file, fitter, store, os.getpid()),),
        env=dict.fromkeys(_THREADS, each),
    )
    finished = False
    try:
        with _this_code():
            waiting = {pool.submit(_fit, fold): fold for fold in folds}
        for future in as_completed(waiting):
            yield waiting.pop(future), future.result()
        finished = True
    except BrokenProcessPool:
        raise HoldfastError(
            f"Wanted {workers} worker processes to fit at once, found that one of them was stopped from outside; the "
            "system does so when memory runs out. Use fewer jobs, or lower training.most_snapshots."
        ) from None
    finally:
        pool.shutdown(wait=True, kill_workers=not finished)


@contextmanager
def _this_code() -> Iterator[None]:
    """Workers look for modules where we do, but not where MLflow put the code of a model that it loaded.

    That code is a part of this package, or an older one.
    """
    here, before = Path(__file__).resolve().parents[1], sys.path[:]
    sys.path[:] = [place for place in before if _package_in(place) in (None, here)]
    try:
        yield
    finally:
        sys.path[:] = before


def _package_in(place: str) -> Path | None:
    """Where the package would be imported from, if it is in this folder."""
    found = Path(place, "holdfast").resolve()
    return found if (found / "__init__.py").is_file() else None


@dataclass(frozen=True)
class _Work:
    """What a worker gets when it starts."""

    file: Path
    fitter: FoldFitter
    store: FoldStore | None
    parent: int


@dataclass(frozen=True)
class _Bench:
    """What a worker has at hand for each fold."""

    work: _Work
    snapshots: pd.DataFrame


_bench: list[_Bench] = []


def _begin(work: _Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C reaches all at once; the parent stops us, without traces
    threading.Thread(target=_end_with, args=(work.parent,), daemon=True).start()
    _bench[:] = [_Bench(work, shared_snapshots.mapped(work.file))]


def _end_with(parent: int) -> None:
    """Leave at once when the parent is gone: nobody would take what comes out."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)


def _fit(fold: BacktestFold) -> FittedFold:
    bench = _bench[0]
    return fit(bench.snapshots, bench.work.fitter, fold, bench.work.store)


def fit(snapshots: pd.DataFrame, fitter: FoldFitter, fold: BacktestFold, store: FoldStore | None) -> FittedFold:
    """Fit, and store what came out before anyone waits for it."""
    found = fitter.fit(snapshots, fold)
    if store is not None:
        store.put(fold, found)
    return found
