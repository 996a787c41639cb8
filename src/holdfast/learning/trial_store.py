"""Finished trials of a search, one JSON line each, in a file named by all that decides them.

A line is on the disk before the next trial begins. Who is killed while writing leaves a torn last line; the next one
to open the file cuts it off. Whoever comes while another searches for the same waits, and then has its trials.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from holdfast.errors import StorageError
from holdfast.files import locked, sync

FORMAT = "holdfast-tuning/1"
_LENGTH = 16


@dataclass(frozen=True)
class Trial:
    """A recipe that was tried.

    Attributes
    ----------
    number : int
        0 is the default.
    parameters : dict of str to float
    losses : tuple of float
        At each fold, the latest first; that one alone if the trial was stopped there.
    stopped : bool
    seconds : float
        Of work, which may have gone on beside that of another trial.
    """

    number: int
    parameters: dict[str, float]
    losses: tuple[float, ...]
    stopped: bool
    seconds: float

    @property
    def loss(self) -> float:
        """The mean over the folds where it was tried."""
        return sum(self.losses) / len(self.losses)


@dataclass
class TrialJournal:
    """Trials in order, and the seconds that they and unfinished ones took; in a file, if there is one."""

    file: IO[bytes] | None = None
    trials: list[Trial] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, trial: Trial) -> None:
        """Keep a finished trial; it must be the next."""
        self._write({"trial": asdict(trial)})
        self.trials.append(trial)
        self.seconds += trial.seconds

    def spend(self, seconds: float) -> None:
        """Keep in mind that time went by without a trial: so a budget is spent once, however often one comes back."""
        self._write({"unfinished": {"seconds": seconds}})
        self.seconds += seconds

    def _write(self, record: dict[str, Any]) -> None:
        if self.file is None:
            return
        try:
            self.file.write(json.dumps(record, sort_keys=True).encode() + b"\n")
            self.file.flush()
            sync(Path(self.file.name))
        except OSError as error:
            raise _refused(Path(self.file.name).parent, error) from error

    def _read(self, key: str) -> None:
        """Take up the whole lines, and cut off what comes after the last of them."""
        if self.file is None:
            return
        self.file.seek(0)
        good = 0
        for number, line in enumerate(self.file):
            try:
                self._take(number, json.loads(line) if line.endswith(b"\n") else None, key)
            except (ValueError, KeyError, TypeError):
                break
            good += len(line)
        self.file.truncate(good)
        self.file.seek(0, os.SEEK_END)
        if good == 0:
            self._write({"format": FORMAT, "key": key})

    def _take(self, number: int, record: Any, key: str) -> None:
        if number == 0:
            if record != {"format": FORMAT, "key": key}:
                raise ValueError("another file")
            return
        if "unfinished" in record:
            self.seconds += float(record["unfinished"]["seconds"])
            return
        trial = _trial(**record["trial"])
        first = self.trials[0] if self.trials else trial
        folds = 1 if trial.stopped else len(first.losses)
        if (
            trial.number != len(self.trials)
            or len(trial.losses) != folds
            or set(trial.parameters) ^ set(first.parameters)
        ):
            raise ValueError("no trial of this search, or not the next")
        self.trials.append(trial)
        self.seconds += trial.seconds


def _trial(
    number: int, parameters: Mapping[str, float], losses: Sequence[float], *, stopped: bool, seconds: float
) -> Trial:
    """A trial as :meth:`TrialJournal.add` wrote it; whoever wrote something else raises a ValueError or a TypeError."""
    figures = [*losses, *dict(parameters).values(), seconds]
    if not losses or not all(isinstance(each, int | float) and math.isfinite(each) for each in figures):
        raise ValueError("wanted numbers")
    return Trial(number, dict(parameters), tuple(losses), stopped, seconds)


@contextmanager
def opened(folder: Path | None, key: str) -> Iterator[TrialJournal]:
    """The journal of one search, for this process alone; without a folder, one that is forgotten.

    Parameters
    ----------
    key : str
        A digest of all that decides what comes of a trial.

    Raises
    ------
    StorageError
        The folder cannot be made or written to.
    """
    if folder is None:
        yield TrialJournal()
        return
    try:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{key[:_LENGTH]}.jsonl"
        file = path.open("a+b")
    except OSError as error:
        raise _refused(folder, error) from error
    with file, locked(path.with_suffix(".lock"), f"search with the trials in {path}", seconds=math.inf):
        journal = TrialJournal(file)
        try:
            journal._read(key)
            sync(folder)
        except OSError as error:
            raise _refused(folder, error) from error
        yield journal


def _refused(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"Wanted to keep the trials of tuning in {folder}; the system answered: {error.strerror or error}. Free some "
        "space there, or name another folder under training.tuning.folder. What was kept is there."
    )
