"""Whether the best of many recipes replaces the default one. It does only if all of this holds.

- Over all folds it gains more than one standard error of the paired difference, as in :mod:`model_choice`.
- At the latest fold, which knows most, it is no worse; it is the best of those that are not.
- Choosing so gains more than that error where it did not choose. The best of many looks better than it is, because the
  very losses that praise it chose it; so at each earlier fold, the recipe that is best on the other folds is compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.learning.calibration_choice import CalibrationTrial, fit_shift
from holdfast.learning.folds import Fold
from holdfast.learning.recipe_search import SearchData
from holdfast.learning.ridge import Objective
from holdfast.models.additive import Additive
from holdfast.models.checks import Vector
from holdfast.models.quantiles import mean, of_rows


@dataclass(frozen=True)
class FoldLosses:
    """The loss of each row of each fold, the latest fold first, and the rows' weights."""

    rows: tuple[Vector, ...]
    weights: tuple[Vector | None, ...]

    @classmethod
    def of(
        cls, data: SearchData, objective: Objective, folds: Sequence[Fold], scores: Sequence[Additive]
    ) -> FoldLosses:
        """What scores, learnt at each of the folds, lose there; ``folds`` begin with the earliest."""
        pairs = list(zip(folds, scores, strict=True))[::-1]
        return cls(
            tuple(_losses(data, objective, fold, score) for fold, score in pairs),
            tuple(of_rows(data.weight, data.rows(fold.test)) for fold, _ in pairs),
        )

    @property
    def losses(self) -> tuple[float, ...]:
        """The mean at each fold, the latest first."""
        return tuple(mean(rows, weight) for rows, weight in zip(self.rows, self.weights, strict=True))

    @property
    def loss(self) -> float:
        """The mean of the folds."""
        return float(np.mean(self.losses))


@dataclass(frozen=True)
class TuningVerdict:
    """Whether the best recipe replaces the default, the figures that say so, and the same in a sentence."""

    accepted: bool
    gain: float
    standard_error: float
    held_out: float
    why: str

    def to_dict(self) -> dict[str, Any]:
        """The figures."""
        return {"mean": self.gain, "standard_error": self.standard_error, "held_out": self.held_out}


def judge(default: FoldLosses, best: FoldLosses, losses: Sequence[Sequence[float]]) -> TuningVerdict:
    """Judge the best recipe by its record.

    The standard error of the mean over folds is the mean of those at each fold: an upper bound, in whatever way the
    same customers meet at several folds.

    Parameters
    ----------
    losses : sequence of sequence of float
        Of the default and then of all others that are no worse at the latest fold; at each fold, the latest first.
    """
    folds = zip(default.rows, best.rows, default.weights, strict=True)
    gains, errors = zip(*(_mean_and_error(before - after, weight) for before, after, weight in folds), strict=True)
    gain, error, held_out = float(np.mean(gains)), float(np.mean(errors)), _held_out(np.asarray(losses))
    if gain == error == 0:
        return TuningVerdict(accepted=False, gain=0.0, standard_error=0.0, held_out=held_out, why="no recipe beats it")
    doubts = {
        "no more than chance": gain <= error,
        "it is worse at the latest fold": gains[0] < 0,
        f"choosing like this gains {held_out:.4f} at a fold left out of it": held_out <= error,
    }
    found = [doubt for doubt, holds in doubts.items() if holds]
    figures = f"the best other loses {best.loss:.4f} instead of {default.loss:.4f} (standard error {error:.4f})"
    why = ", but ".join([figures, ", and ".join(found)] if found else [figures])
    return TuningVerdict(accepted=not found, gain=gain, standard_error=error, held_out=held_out, why=why)


def _held_out(losses: Vector) -> float:
    """What choosing by the other folds gains over the default, on average over the earlier folds.

    Not at the latest: there, those to choose from are no worse by definition.
    """
    others = losses.sum(axis=1, keepdims=True) - losses
    best = np.argmin(others, axis=0)
    return float(np.mean((losses[0] - losses[best, np.arange(losses.shape[1])])[1:]))


def _losses(data: SearchData, objective: Objective, fold: Fold, score: Additive) -> Vector:
    """What :func:`holdfast.learning.boosting.later_loss` averages, row by row."""
    rows = data.rows(fold.test)
    y, weight, found = data.y[rows], of_rows(data.weight, rows), score.score(data.matrix.X[rows])
    if objective == "regression":
        off = y - found
        return np.asarray((off - mean(off, weight)) ** 2)
    z = found + fit_shift([CalibrationTrial(fold.cutoff, fold.known_at, found, y, weight)]).intercept
    return np.asarray(np.logaddexp(0, z) - y * z)


def _mean_and_error(values: Vector, weight: Vector | None) -> tuple[float, float]:
    counted, middle = np.ones(len(values)) if weight is None else weight, mean(values, weight)
    return middle, float(np.sqrt(np.sum((counted * (values - middle)) ** 2)) / counted.sum())
