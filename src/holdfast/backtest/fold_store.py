"""A folder where folds are kept as they finish, so that a run that was stopped goes on where it was.

::

    keep/
      .lock                                  held while a run works here
      tuning/                                trials of the search for parameters; see holdfast.learning.trial_study
      .holdfast-…/                           what is not finished; the next run removes what a killed one left
      3f2a…/                                 a fingerprint of data, configuration, code and libraries
        cutoff=2024-06-01/
          bundle/                            see holdfast.models.bundle
          predictions.parquet
          done.json                          what this is, and the sha256 of what lies beside it

A fold appears whole or not at all. One of another fingerprint is never looked at, and one that does not match its
hashes is removed and computed again. Predictions hold customers and outcomes: only their owner may read them.
"""

from __future__ import annotations

import hashlib
import io
import json
import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from holdfast.backtest import shared_snapshots
from holdfast.backtest.fold_fitter import BacktestFold, FittedFold, FoldFitter
from holdfast.errors import BundleError, ConfigError, StorageError
from holdfast.files import ALL_BUT_OWNER, HIDDEN, locked, sweep, whole_folder, write
from holdfast.fingerprint import code_fingerprint
from holdfast.learning.training import fit as fit_bundle
from holdfast.models import Bundle

FORMAT = "holdfast-fold/1"
_LOCK, _SEAL = ".lock", "done.json"
_BUNDLE, _PREDICTIONS, _BUNDLE_SEAL = "bundle", "predictions.parquet", "bundle/bundle.sha256"
_LIBRARIES = ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")  # another version may fit another model
_TUNER = "optuna"
_LENGTH = 16


@dataclass(frozen=True)
class FoldStore:
    """The folds of one fingerprint in a folder that this process holds; :func:`held_store` gives it.

    Attributes
    ----------
    folder : Path
    digest : str
        SHA-256 of all that the folds depend on.
    """

    folder: Path
    digest: str

    def take(self, fold: BacktestFold) -> FittedFold | None:
        """What was kept of a fold; None if there is nothing, or it is damaged, and then it is removed."""
        place = self._place(fold)
        if not place.exists():
            return None
        try:
            return self._read(place, fold)
        except (OSError, ValueError, KeyError, TypeError, BundleError):
            shutil.rmtree(place, ignore_errors=True)
            return None

    def _read(self, place: Path, fold: BacktestFold) -> FittedFold:
        raw, seal = (place / _PREDICTIONS).read_bytes(), (place / _BUNDLE_SEAL).read_bytes()
        if json.loads((place / _SEAL).read_text(encoding="utf-8")) != self._seal(fold, raw, seal):
            raise ValueError(f"{place} does not match its hashes")
        return FittedFold(Bundle.load(place / _BUNDLE), pd.read_parquet(io.BytesIO(raw)))

    def put(self, fold: BacktestFold, fitted: FittedFold) -> None:
        """Keep a finished fold, whole or not at all.

        Raises
        ------
        StorageError
            The disk refused; what was kept before is still there.
        """
        place = self._place(fold)
        if place.exists():
            return
        try:
            place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            with whole_folder(place, deny=ALL_BUT_OWNER) as staging:
                fitted.bundle.save(staging / _BUNDLE)
                raw = fitted.predictions.to_parquet(index=False)
                write(staging / _PREDICTIONS, [raw])
                seal = self._seal(fold, raw, (staging / _BUNDLE_SEAL).read_bytes())
                write(staging / _SEAL, [json.dumps(seal, indent=1, sort_keys=True).encode()])
        except OSError as error:
            raise _refused(self.folder, error) from error

    def _place(self, fold: BacktestFold) -> Path:
        return self.folder / self.digest[:_LENGTH] / fold.name

    def _seal(self, fold: BacktestFold, predictions: bytes, bundle: bytes) -> dict[str, Any]:
        files = {_PREDICTIONS: predictions, _BUNDLE_SEAL: bundle}
        return {
            "format": FORMAT,
            "fingerprint": self.digest,
            "fold": asdict(fold),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }


@contextmanager
def held_store(folder: Path | None, snapshots: pd.DataFrame, fitter: FoldFitter) -> Iterator[FoldStore | None]:
    """Hold the folder for this process; None without one.

    Raises
    ------
    LockedError
        Another run works there.
    ConfigError
        The learner is not that of holdfast, so nothing tells whether it has changed.
    StorageError
        The folder cannot be made or written to.
    """
    if folder is None:
        yield None
        return
    if fitter.learner is not fit_bundle:
        raise ConfigError(
            "Wanted to keep finished fits, found a learner of your own, and nothing tells whether it has changed since "
            "it was kept. Leave 'keep' out, or learn with holdfast.learning.training.fit."
        )
    with ExitStack() as held:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            held.enter_context(
                locked(folder / _LOCK, f"keep the backtest in {folder}", otherwise="name another folder")
            )
            _sweep(folder)
            held.callback(_sweep, folder)  # of workers that were stopped while they wrote
        except OSError as error:
            raise _refused(folder, error) from error
        yield FoldStore(folder, _fingerprint(snapshots, fitter))


def _fingerprint(snapshots: pd.DataFrame, fitter: FoldFitter) -> str:
    """Of the table's very values, of all settings and of all code."""
    spec = fitter.spec
    depends = {
        "format": FORMAT,
        "snapshots": shared_snapshots.digest(snapshots),
        "features": [feature.to_json() for feature in spec.features],
        "card": spec.card.to_json(),
        "complete_after": [spec.complete_after.count, spec.value_purge.count],
        "seed": spec.seed,
        "effort": spec.effort,
        "recipes": spec.recipes,
        "tuning": None if spec.tuning is None else spec.tuning.model_dump(mode="json", exclude={"folder"}),
        "baselines": [asdict(baseline) for baseline in fitter.baselines],
        "code": code_fingerprint(),
        "libraries": {name: version(name) for name in (*_LIBRARIES, *([_TUNER] if spec.tuning else []))},
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True, default=str).encode()).hexdigest()


def _sweep(folder: Path) -> None:
    for place in (folder, *folder.glob("*/")):
        sweep(place, HIDDEN)


def _refused(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"Wanted to keep finished fits in {folder}; the system answered: {error.strerror or error}. Free some space "
        "there, name another folder, or leave it out: then a run that is stopped begins anew. What was kept is there."
    )
