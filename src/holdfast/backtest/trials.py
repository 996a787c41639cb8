"""All trials of a study: taken up where they are finished already, else computed, here or in workers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from holdfast.backtest import table, workers
from holdfast.backtest.keeping import Kept, kept
from holdfast.backtest.trial import NEEDED, Study, Trial, Tried
from holdfast.progress import SILENT, Progress


@dataclass(frozen=True)
class Running:
    """How to run trials: nothing here changes what comes out.

    Attributes
    ----------
    jobs : int or None
        Worker processes; 1 runs one trial after the other, None takes what cores and memory bear.
    keep : Path or None
        A folder where finished trials stay for the next run; see :mod:`holdfast.backtest.keeping`.
    finished : mapping or None
        Trials of the same snapshots and study that this process has finished; new ones are added.
    """

    jobs: int | None = 1
    keep: Path | None = None
    finished: MutableMapping[Trial, Tried] | None = None


ALONE = Running()
"""One trial after the other, nothing kept."""


@dataclass(frozen=True)
class Results:
    """What came out of each trial, which of them an earlier run had finished, and how many had to be fitted."""

    tried: Mapping[Trial, Tried]
    taken_up: tuple[Trial, ...]
    new: int


def run(
    snapshots: pd.DataFrame,
    study: Study,
    trials: Sequence[Trial],
    running: Running,
    label: str,
    progress: Progress = SILENT,
) -> Results:
    """Run the trials; the same for any number of workers, to the byte.

    Raises
    ------
    DataError
        A trial has nothing to learn from or to test on; said before anything is fitted.
    """
    narrow = snapshots[NEEDED]
    for trial in trials:
        study.tested(narrow, trial)
        study.known(narrow, trial)
    with kept(running.keep, snapshots, study) as keep:
        here = {} if running.finished is None else running.finished
        done = {trial: here[trial] for trial in trials if trial in here}
        taken_up = {} if keep is None else _taken_up(keep, trials, done)
        done |= taken_up
        missing = [trial for trial in trials if trial not in done]
        told = f"{label} ({len(taken_up)} of {len(trials)} taken up)" if taken_up else label
        with progress(told, total=len(trials)) as advance:
            advance(len(done))
            for trial, tried in _computed(snapshots, study, missing, running.jobs, keep):
                done[trial] = tried
                here[trial] = tried
                advance(1)
        here.update(taken_up)
    return Results({trial: done[trial] for trial in trials}, tuple(taken_up), len(missing))


def _taken_up(keep: Kept, trials: Sequence[Trial], done: Mapping[Trial, Tried]) -> dict[Trial, Tried]:
    """What an earlier run had finished; what this process had finished already is kept for later ones."""
    for trial, tried in done.items():
        keep.put(trial, tried)
    found = {trial: keep.take(trial) for trial in trials if trial not in done}
    return {trial: tried for trial, tried in found.items() if tried is not None}


def _computed(
    snapshots: pd.DataFrame, study: Study, trials: Sequence[Trial], jobs: int | None, keep: Kept | None
) -> Iterator[tuple[Trial, Tried]]:
    if not trials:
        return
    many = workers.how_many(jobs, len(trials), len(snapshots) * len(study.features))
    study = study.dealt(-(-len(trials) // many), None if keep is None else keep.folder)
    if many <= 1:
        for trial in trials:
            yield trial, workers.tried(snapshots, study, trial, keep)
        return
    with _folder(keep) as folder:
        file = table.write(snapshots, folder / "snapshots.arrow")
        yield from workers.as_they_finish(study, trials, workers=many, file=file, keep=keep)


@contextmanager
def _folder(keep: Kept | None) -> Iterator[Path]:
    """Where the file for the workers lies: beside what is kept, because there the next run removes what a kill left."""
    if keep is not None:
        yield keep.making
        return
    with tempfile.TemporaryDirectory(prefix="holdfast-") as temporary:
        yield Path(temporary)
