"""Finished trials of a search, in optuna's journal in a file named by all that decides them, and the draw of the next.

The next one comes of the tree-structured Parzen estimator of Bergstra et al. (2011): parameters of the better trials
and of the others are two densities, and it is drawn where the ratio of both is high. A draw depends on the record, the
seed and its own number, and on no generator that has a past: so a search that was interrupted goes on as if it had
not been. A trial is on the disk before the next begins; whoever comes while another searches for the same waits.
"""

from __future__ import annotations

import logging
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from holdfast.errors import ConfigError, StorageError
from holdfast.files import locked, sync

_AT_RANDOM = 10  # trials before the densities say anything
_LENGTH = 16
_log = logging.getLogger("holdfast.tuning")


@dataclass(frozen=True)
class Range:
    """Where a parameter may lie, on a logarithmic scale unless it is a share."""

    low: float
    high: float
    whole: bool = False
    log: bool = True

    def nearest(self, value: float) -> float:
        """The value, or the end of the range on its side: a default may lie outside."""
        found = min(max(value, self.low), self.high)
        return int(found) if self.whole else float(found)


@dataclass(frozen=True)
class Trial:
    """A recipe that was tried: its losses at each fold, the latest first, or at that one alone if it stopped there."""

    parameters: Mapping[str, float]
    losses: tuple[float, ...]
    stopped: bool

    @property
    def loss(self) -> float:
        """The mean over the folds where it was tried."""
        return sum(self.losses) / len(self.losses)


def require_optuna() -> Any:
    """The package that draws and keeps trials.

    Raises
    ------
    ConfigError
        It is not installed.
    """
    try:
        import optuna
    except ImportError:
        raise ConfigError(
            "Tuning needs optuna, which is not installed. Install it with: pip install 'holdfast[tune]', or leave "
            "tuning out."
        ) from None
    return optuna


@dataclass(frozen=True)
class TrialStudy:
    """Finished trials in order, the seconds that they and unfinished ones took, and the draw of the next."""

    optuna: Any
    study: Any
    space: Mapping[str, Range]
    seed: int
    folder: Path | None = None

    @property
    def trials(self) -> list[Trial]:
        """The first is the default."""
        pruned = self.optuna.trial.TrialState.PRUNED
        return [Trial(each.params, tuple(each.user_attrs["losses"]), each.state == pruned) for each in self._finished()]

    @property
    def seconds(self) -> float:
        """Of all work, finished or not: so a budget is spent once, however often one comes back."""
        return float(sum(each.user_attrs["seconds"] for each in self.study.get_trials(deepcopy=False)))

    def add(self, trial: Trial, *, seconds: float) -> None:
        """Keep a finished trial; a parameter beyond its range is kept as the end of it."""
        state = self.optuna.trial.TrialState
        how = {"state": state.PRUNED, "intermediate_values": {0: trial.loss}}
        self._keep(
            **(how if trial.stopped else {"state": state.COMPLETE, "value": trial.loss}),
            params={name: at.nearest(trial.parameters[name]) for name, at in self.space.items()},
            distributions=self._distributions(),
            user_attrs={"losses": list(trial.losses), "seconds": seconds},
        )

    def spend(self, seconds: float) -> None:
        """Keep in mind that time went by without a trial."""
        self._keep(state=self.optuna.trial.TrialState.FAIL, user_attrs={"seconds": seconds})

    def draw(self, number: int, known: int) -> dict[str, float]:
        """The parameters of a trial, given what came of the first ``known``."""
        seed = int(np.random.SeedSequence([self.seed, number]).generate_state(1)[0])
        sampler = self.optuna.samplers.TPESampler(seed=seed, n_startup_trials=_AT_RANDOM)
        with _quiet(self.optuna.logging):
            study = self.optuna.create_study(sampler=sampler)
            study.add_trials(self._finished()[:known])
            return dict(study.ask(self._distributions()).params)

    def whole(self) -> bool:
        """Whether all that is kept is of this search."""
        trials = self.trials
        return math.isfinite(self.seconds) and all(
            len(trial.losses) == (1 if trial.stopped else len(trials[0].losses)) > 0
            and trial.parameters.keys() == self.space.keys()
            and all(map(math.isfinite, [*trial.losses, *trial.parameters.values()]))
            for trial in trials
        )

    def _finished(self) -> list[Any]:
        state = self.optuna.trial.TrialState
        return list(self.study.get_trials(deepcopy=False, states=(state.COMPLETE, state.PRUNED)))

    def _distributions(self) -> dict[str, Any]:
        kinds = self.optuna.distributions
        return {
            name: (kinds.IntDistribution if at.whole else kinds.FloatDistribution)(at.low, at.high, log=at.log)
            for name, at in self.space.items()
        }

    def _keep(self, **about: Any) -> None:
        with _kept_in(self.folder):
            self.study.add_trial(self.optuna.trial.create_trial(**about))


@contextmanager
def opened(folder: Path | None, key: str, space: Mapping[str, Range], seed: int) -> Iterator[TrialStudy]:
    """The trials of one search, for this process alone; without a folder, they are forgotten.

    Parameters
    ----------
    key : str
        A digest of all that decides what comes of a trial.

    Raises
    ------
    ConfigError
        optuna is not installed.
    StorageError
        The folder cannot be made or written to.
    """
    optuna = require_optuna()
    if folder is None:
        with _quiet(optuna.logging):
            study = optuna.create_study()
        yield TrialStudy(optuna, study, space, seed)
        return
    path = folder / f"{key[:_LENGTH]}.jsonl"
    with _kept_in(folder):
        folder.mkdir(parents=True, exist_ok=True)
        path.touch()
    with locked(path.with_suffix(".lock"), f"search with the trials in {path}", seconds=math.inf):
        with _kept_in(folder), _quiet(optuna.logging):
            found = _read(optuna, path, key, space, seed)
            sync(folder)
        yield found


def _read(optuna: Any, path: Path, key: str, space: Mapping[str, Range], seed: int) -> TrialStudy:
    """The study in the file, which is this process's alone; a new one if the file holds something else."""
    Path(f"{path}.lock").unlink(missing_ok=True)  # optuna's own, of somebody who was killed while writing
    os.truncate(path, path.read_bytes().rfind(b"\n") + 1)  # the torn line that this left: optuna would append to it

    def study() -> TrialStudy:
        files = optuna.storages.journal
        backend = files.JournalFileBackend(str(path), lock_obj=files.JournalFileOpenLock(str(path)))
        # `load_if_exists` would append a line at each opening
        begin = optuna.load_study if path.stat().st_size else optuna.create_study
        return TrialStudy(
            optuna, begin(storage=optuna.storages.JournalStorage(backend), study_name=key), space, seed, path.parent
        )

    try:
        found = study()
        if found.whole():
            return found
    except OSError:
        raise
    except Exception:  # optuna has no error of its own for a file that is no journal
        _log.debug("damaged trials", exc_info=True)
    _log.warning("%s holds something else than the trials of this search, which begins anew", path)
    os.truncate(path, 0)
    return study()


@contextmanager
def _quiet(log: Any) -> Iterator[None]:
    """Without a line of optuna's log for each study."""
    before = log.get_verbosity()
    log.set_verbosity(log.WARNING)
    try:
        yield
    finally:
        log.set_verbosity(before)


@contextmanager
def _kept_in(folder: Path | None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageError(
            f"Wanted to keep the trials of tuning in {folder}; the system answered: {error.strerror or error}. Free "
            "some space there, or name another folder under training.tuning.folder. What was kept is there."
        ) from error
