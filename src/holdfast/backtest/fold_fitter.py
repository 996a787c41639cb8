"""Fits one fold of a backtest: learns from what was known at a test cutoff, or part of it, and scores who is there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from holdfast.backtest.baselines import Baseline, default_baselines
from holdfast.errors import DataError
from holdfast.learning.training import fit as fit_bundle
from holdfast.learning.training import known_by, require_learnable
from holdfast.learning.training_spec import TrainingSpec
from holdfast.models import Bundle
from holdfast.sampling import WEIGHT, Draws, draws
from holdfast.timeline import show

MODEL = "model"
NEEDED = ["customer_id", "cutoff", "churned"]
"""Columns that tell what a fold can learn from and be tested on."""

_KEYS = ["customer_id", "cutoff", "churned", "future_value"]
_IF_THERE = ["treated", WEIGHT]
_TUNING = "tuning"
_OF_CUSTOMERS = 0  # draws are made of customer and cutoff; a customer's share is drawn once for all cutoffs

Rows = NDArray[np.intp]


class Learner(Protocol):
    """Turns labelled snapshots into a bundle: :func:`holdfast.learning.training.fit`, or another to compare with."""

    def __call__(self, snapshots: pd.DataFrame, spec: TrainingSpec, *, recent: pd.DataFrame) -> Bundle:
        """Fit risk and value.

        ``recent`` are the customers at the test cutoff, without outcomes.
        """


@dataclass(frozen=True)
class BacktestFold:
    """One split of the snapshots: where to test, and how much to learn from.

    Attributes
    ----------
    cutoff : int
        Microseconds; the customers there are scored.
    slices : int or None
        Learn from so many of the latest cutoffs that were known there; None takes all.
    share : float
        Learn from this share of the customers, drawn by a seed; a smaller share is part of a larger one.
    """

    cutoff: int
    slices: int | None = None
    share: float = 1.0

    @property
    def name(self) -> str:
        """What a folder of it is called."""
        at = show(self.cutoff).replace(":", "")
        how_far = "" if self.slices is None else f".slices={self.slices}"
        how_many = "" if self.share == 1 else f".share={self.share:g}"
        return f"cutoff={at}{how_far}{how_many}"


@dataclass(frozen=True)
class FittedFold:
    """A fold's bundle, and a row for each customer scored (see :class:`Backtest`)."""

    bundle: Bundle
    predictions: pd.DataFrame


@dataclass(frozen=True)
class FoldFitter:
    """Fits folds: what all of them share, and how one is fitted.

    Attributes
    ----------
    spec : TrainingSpec
    baselines : tuple of Baseline
    learner : Learner
    """

    spec: TrainingSpec
    baselines: tuple[Baseline, ...]
    learner: Learner = fit_bundle

    @classmethod
    def of(cls, spec: TrainingSpec, baselines: Sequence[Baseline] | None, learner: Learner) -> FoldFitter:
        """With the default baselines, unless others are given."""
        return cls(spec, default_baselines(spec.features) if baselines is None else tuple(baselines), learner)

    def in_rounds(self, rounds: int, keep: Path | None) -> FoldFitter:
        """With the minutes that one fit gets, where so many come one after the other, and a folder for its trials."""
        tuning = self.spec.tuning
        if tuning is None:
            return self
        folder = keep / _TUNING if keep is not None and tuning.folder is None else tuning.folder
        return replace(self, spec=self.spec.tuned_by(tuning.part(1 / rounds).kept_in(folder)))

    def test_rows(self, snapshots: pd.DataFrame, fold: BacktestFold) -> pd.DataFrame:
        """The snapshots at the test cutoff.

        Raises
        ------
        DataError
            There are none, or all had one outcome.
        """
        test = _taken(snapshots, np.flatnonzero(snapshots["cutoff"].to_numpy() == fold.cutoff))
        at = show(fold.cutoff)
        if test.empty:
            have = ", ".join(show(int(cutoff)) for cutoff in np.unique(snapshots["cutoff"]))
            raise DataError(f"No snapshot stands at the test cutoff {at}; found {have}. Build snapshots there too.")
        if test["churned"].nunique() < 2:
            raise DataError(
                f"At the test cutoff {at} all {len(test)} customers had one outcome; found one class only, and no "
                "metric can tell models apart. Check the definition of churn, or test at another cutoff."
            )
        return test

    def training_rows(self, snapshots: pd.DataFrame, fold: BacktestFold) -> pd.DataFrame:
        """The snapshots to learn from.

        Raises
        ------
        DataError
            No outcome was complete at the test cutoff, or there is too little to learn from.
        """
        times = snapshots[["cutoff"]].reset_index(drop=True)
        known = known_by(times, fold.cutoff, self.spec.complete_after)
        rows, at = known.index.to_numpy(dtype=np.intp), known["cutoff"].to_numpy(dtype=np.int64)
        if fold.slices is not None:
            rows = rows[at >= np.unique(at)[-fold.slices :][0]]
        if fold.share < 1:
            rows = rows[self._share_of(snapshots["customer_id"].iloc[rows]) < fold.share]
        found = _taken(snapshots, rows)
        require_learnable(found)
        return found

    def fit(self, snapshots: pd.DataFrame, fold: BacktestFold) -> FittedFold:
        """Fit the model and the baselines, and score."""
        test, known = self.test_rows(snapshots, fold), self.training_rows(snapshots, fold)
        recent = test[["customer_id", "cutoff", *(feature.name for feature in self.spec.features)]]  # known there
        if fold.share < 1:
            recent = recent[self._share_of(test["customer_id"]) < fold.share]
        bundle = self.learner(known, self.spec, recent=recent)
        out = test[[*_KEYS, *(name for name in _IF_THERE if name in test)]].reset_index(drop=True)
        scores = bundle.predict(test)
        out[["value_low", "value_high"]] = scores[["value_low", "value_high"]].to_numpy()
        for name in ("p_churn", "value", "expected_loss"):
            out[f"{MODEL}_{name}"] = scores[name].to_numpy()
        for baseline in self.baselines:
            for name, column in baseline.scored(test, known, self.spec.features).items():
                out[name] = column
        return FittedFold(bundle, out)

    def _share_of(self, customer_id: pd.Series) -> Draws:
        return draws(customer_id, np.full(len(customer_id), _OF_CUSTOMERS), self.spec.seed)


def _taken(snapshots: pd.DataFrame, rows: Rows) -> pd.DataFrame:
    """Rows by position; neighbours are looked at where they are, because a copy of half a table is felt."""
    if len(rows) and rows[-1] - rows[0] + 1 == len(rows):
        return snapshots.iloc[rows[0] : rows[-1] + 1]
    return snapshots.iloc[rows]
