"""Trials in worker processes: as many as cores and memory bear, each with its share of the cores, none left behind.

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
from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor

from holdfast.backtest import table
from holdfast.backtest.keeping import Kept
from holdfast.backtest.trial import Study, Trial, Tried
from holdfast.errors import ConfigError, HoldfastError

_CELLS_WORTH_WORKERS = 20_000_000  # in all trials; workers take seconds to start, and so long takes less than this
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


def how_many(jobs: int | None, trials: int, cells: int) -> int:
    """How many workers to start; 1 means none, and the trials run one after the other.

    Parameters
    ----------
    jobs : int or None
        So many, whatever the machine; None starts as many as cores and free memory bear, and none for a small table.
    trials : int
    cells : int
        Rows times features of the table: what a trial learns from at most.

    Raises
    ------
    ConfigError
        Fewer than one job.
    """
    if jobs is not None:
        if jobs < 1:
            raise ConfigError(f"Wanted at least one job, found {jobs}. Give 1 for one fit after the other.")
        return min(jobs, trials)
    if cells * trials < _CELLS_WORTH_WORKERS:
        return 1
    fits = _free_bytes() // max(1, cells * _BYTES_PER_CELL)
    return max(1, min(int(cpu_count()), trials, fits))


def _free_bytes() -> int:
    """Memory that can be had without swapping; where the system does not say, as if it were enough."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return 2**62


def as_they_finish(
    study: Study, trials: Sequence[Trial], *, workers: int, file: Path, keep: Kept | None
) -> Iterator[tuple[Trial, Tried]]:
    """Try all in so many processes; the first error stops them.

    Parameters
    ----------
    file : Path
        The snapshots, as :func:`holdfast.backtest.table.write` wrote them.

    Raises
    ------
    HoldfastError
        A worker was killed, as the system does when memory runs out.
    """
    each = str(max(1, cpu_count() // workers))
    pool = ProcessPoolExecutor(
        workers,
        timeout=_IDLE_SECONDS,
        initializer=_begin,
        initargs=(_Work(file, study, keep, os.getpid()),),
        env=dict.fromkeys(_THREADS, each),
    )
    finished = False
    try:
        with _this_code():
            waiting = {pool.submit(_tried, trial): trial for trial in trials}
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
    study: Study
    keep: Kept | None
    parent: int


@dataclass(frozen=True)
class _Bench:
    """What a worker has at hand for each trial."""

    work: _Work
    snapshots: pd.DataFrame


_bench: list[_Bench] = []


def _begin(work: _Work) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Control-C reaches all at once; the parent stops us, without traces
    threading.Thread(target=_end_with, args=(work.parent,), daemon=True).start()
    _bench[:] = [_Bench(work, table.mapped(work.file))]


def _end_with(parent: int) -> None:
    """Leave at once when the parent is gone: nobody would take what comes out."""
    while os.getppid() == parent:
        time.sleep(_LOOK_SECONDS)
    os._exit(1)


def _tried(trial: Trial) -> Tried:
    bench = _bench[0]
    return tried(bench.snapshots, bench.work.study, trial, bench.work.keep)


def tried(snapshots: pd.DataFrame, study: Study, trial: Trial, keep: Kept | None) -> Tried:
    """Try, and keep what came out before anyone waits for it."""
    found = study.tried(snapshots, trial)
    if keep is not None:
        keep.put(trial, found)
    return found
