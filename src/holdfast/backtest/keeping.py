"""A folder where trials are kept as they finish, so that a run that was stopped goes on where it was.

::

    keep/
      .lock                                  held while a run works here
      tuning/                                trials of the search for parameters; see holdfast.learning.trial_store
      .making/                               what is not finished; the next run removes what a killed one left
      3f2a…/                                 a fingerprint of data, configuration, code and libraries
        cutoff=2024-06-01/
          bundle/                            see holdfast.models.bundle
          predictions.parquet
          done.json                          what this is, and the sha256 of what lies beside it

A trial appears whole or not at all. One of another fingerprint is never looked at, and one that does not match its
hashes is removed and computed again. Predictions hold customers and outcomes: protect the folder like the sources.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd

from holdfast.backtest import table
from holdfast.backtest.trial import Study, Trial, Tried
from holdfast.errors import BundleError, ConfigError, LockedError, StorageError
from holdfast.files import sync, write
from holdfast.fingerprint import code_fingerprint
from holdfast.learning.training import fit as fit_bundle
from holdfast.models import Bundle

FORMAT = "holdfast-trial/1"
_MAKING, _LOCK, _SEAL = ".making", ".lock", "done.json"
_BUNDLE, _PREDICTIONS, _BUNDLE_SEAL = "bundle", "predictions.parquet", "bundle/bundle.sha256"
_LIBRARIES = ("lightgbm", "numpy", "pandas", "scikit-learn", "scipy")  # another version may fit another model
_TUNER = "optuna"
_LENGTH = 16


@dataclass(frozen=True)
class Kept:
    """The trials of one fingerprint in a folder that this process holds; :func:`kept` gives it.

    Attributes
    ----------
    folder : Path
    digest : str
        SHA-256 of all that the trials depend on.
    """

    folder: Path
    digest: str

    @property
    def making(self) -> Path:
        """Where unfinished files may lie."""
        return self.folder / _MAKING

    def take(self, trial: Trial) -> Tried | None:
        """What was kept of a trial; None if there is nothing, or it is damaged, and then it is removed."""
        place = self._place(trial)
        if not place.exists():
            return None
        try:
            return self._read(place, trial)
        except (OSError, ValueError, KeyError, TypeError, BundleError):
            shutil.rmtree(place, ignore_errors=True)
            return None

    def _read(self, place: Path, trial: Trial) -> Tried:
        raw, seal = (place / _PREDICTIONS).read_bytes(), (place / _BUNDLE_SEAL).read_bytes()
        if json.loads((place / _SEAL).read_text(encoding="utf-8")) != self._seal(trial, raw, seal):
            raise ValueError(f"{place} does not match its hashes")
        return Tried(Bundle.load(place / _BUNDLE), pd.read_parquet(io.BytesIO(raw)))

    def put(self, trial: Trial, tried: Tried) -> None:
        """Keep a finished trial, whole or not at all.

        Raises
        ------
        StorageError
            The disk refused; what was kept before is still there.
        """
        staging = self.making / uuid.uuid4().hex
        try:
            staging.mkdir(parents=True)
            tried.bundle.save(staging / _BUNDLE)
            raw = tried.predictions.to_parquet(index=False)
            write(staging / _PREDICTIONS, [raw])
            seal = self._seal(trial, raw, (staging / _BUNDLE_SEAL).read_bytes())
            write(staging / _SEAL, [json.dumps(seal, indent=1, sort_keys=True).encode()])
            place = self._place(trial)
            place.parent.mkdir(parents=True, exist_ok=True)
            if not place.exists():
                staging.rename(place)
                sync(place.parent)
        except OSError as error:
            raise _refused(self.folder, error) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)

    def _place(self, trial: Trial) -> Path:
        return self.folder / self.digest[:_LENGTH] / trial.name

    def _seal(self, trial: Trial, predictions: bytes, bundle: bytes) -> dict[str, Any]:
        files = {_PREDICTIONS: predictions, _BUNDLE_SEAL: bundle}
        return {
            "format": FORMAT,
            "fingerprint": self.digest,
            "trial": asdict(trial),
            "files": {name: hashlib.sha256(content).hexdigest() for name, content in files.items()},
        }


@contextmanager
def kept(folder: Path | None, snapshots: pd.DataFrame, study: Study) -> Iterator[Kept | None]:
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
    if study.learner is not fit_bundle:
        raise ConfigError(
            "Wanted to keep finished fits, found a learner of your own, and nothing tells whether it has changed since "
            "it was kept. Leave 'keep' out, or learn with holdfast.learning.training.fit."
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / _LOCK).open("ab")
    except OSError as error:
        raise _refused(folder, error) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LockedError(
                f"Wanted to keep the backtest in {folder}, found that another one works there. Wait until it ends, or "
                "name another folder."
            ) from None
        found = Kept(folder, _fingerprint(snapshots, study))
        try:
            shutil.rmtree(found.making, ignore_errors=True)
            found.making.mkdir(exist_ok=True)
        except OSError as error:
            raise _refused(folder, error) from error
        try:
            yield found
        finally:
            shutil.rmtree(found.making, ignore_errors=True)


def _fingerprint(snapshots: pd.DataFrame, study: Study) -> str:
    """Of the table's very values, of all settings and of all code; the configuration's own are in the study's meta."""
    depends = {
        "format": FORMAT,
        "snapshots": table.digest(snapshots),
        "features": list(study.features),
        "complete_after": study.complete_after.count,
        "seed": study.seed,
        "meta": study.meta,
        "tuning": None if study.tuning is None else study.tuning.model_dump(mode="json", exclude={"folder"}),
        "baselines": [asdict(baseline) for baseline in study.baselines],
        "code": code_fingerprint(),
        "libraries": {name: version(name) for name in (*_LIBRARIES, *([_TUNER] if study.tuning else []))},
    }
    return hashlib.sha256(json.dumps(depends, sort_keys=True, default=str).encode()).hexdigest()


def _refused(folder: Path, error: OSError) -> StorageError:
    return StorageError(
        f"Wanted to keep finished fits in {folder}; the system answered: {error.strerror or error}. Free some space "
        "there, name another folder, or leave it out: then a run that is stopped begins anew. What was kept is there."
    )
