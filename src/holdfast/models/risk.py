"""What a fitted risk model computes: calibrated log-odds of churn, and what each feature adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from holdfast.models.additive import Additive, Linear
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.calibration import IDENTITY, Affine, sigmoid
from holdfast.models.checks import Matrix, Vector, refuse_other_width
from holdfast.models.season_level import SeasonLevel

_LEAST_SHARE = 1e-6
_STEEPEST = 2.0  # log-odds of the score for one of the customer base


@dataclass(frozen=True)
class RiskModel:
    """An additive score in log-odds, the level of the time at which it is made, and an affine calibration of both.

    With ``history``, the score reads one column more than the matrix has: the odds of no purchase that a customer-base
    model gives. What this column adds is shared by the three columns of the history that it was computed from.
    """

    score: Additive
    calibration: Affine
    level: SeasonLevel = field(default_factory=SeasonLevel.constant)
    history: HistoryRisk | None = None

    @classmethod
    def constant(cls, n_features: int, probability: float) -> RiskModel:
        """The same probability for everyone."""
        share = min(max(probability, _LEAST_SHARE), 1 - _LEAST_SHARE)
        return cls(Additive(n_features, Linear.constant(float(np.log(share / (1 - share)))), trees=None), IDENTITY)

    @property
    def n_features(self) -> int:
        """Number of columns of the matrices it takes."""
        return self.score.n_features - (self.history is not None)

    def log_odds(self, X: Matrix) -> Vector:
        """Calibrated log-odds of churn, one per row."""
        return self._calibrated(X, self._wide(X)[0])

    def probability(self, X: Matrix) -> Vector:
        """Calibrated probability of churn, one per row."""
        return sigmoid(self.log_odds(X))

    def explained(self, X: Matrix) -> tuple[Vector, Matrix]:
        """Calibrated log-odds, and what each feature adds to them, from one look at the customer base.

        The second has the shape (n_rows, n_features + 1): rows sum to the first, the last column is the base, level
        included.
        """
        wide, history = self._wide(X)
        parts = self.score.contributions(wide)
        if self.history is not None and history is not None:
            own, parts = parts[:, -2], np.delete(parts, -2, axis=1)
            parts[:, :-1] += _shared(self.history, X, history, own)
        parts *= self.calibration.slope
        parts[:, -1] += self.calibration.apply(self.level.of(X))
        return self._calibrated(X, wide), parts

    def contributions(self, X: Matrix) -> Matrix:
        """What each feature adds to the log-odds, as :meth:`explained` tells it."""
        return self.explained(X)[1]

    def _wide(self, X: Matrix) -> tuple[Matrix, Vector | None]:
        """What the score reads, and the log-odds of the customer base that are in it."""
        refuse_other_width(X, self.n_features)
        if self.history is None:
            return X, None
        history = self.history.log_odds(X)
        return np.column_stack([X, np.exp(history)]), history

    def _calibrated(self, X: Matrix, wide: Matrix) -> Vector:
        return self.calibration.apply(self.score.score(wide) + self.level.of(X))

    def to_parts(self, name: str = "risk_trees") -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description, and the text of the trees under the file name ``<name>.txt``."""
        about, texts = self.score.to_parts(name)
        return {
            "score": about,
            "calibration": self.calibration.to_json(),
            "level": self.level.to_json(),
            "history": None if self.history is None else self.history.to_parts()[0],
        }, texts

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> RiskModel:
        """Rebuild from :meth:`to_parts`."""
        return cls(
            Additive.from_parts(about["score"], texts),
            Affine.from_json(about["calibration"]),
            SeasonLevel.from_json(about["level"]),
            None if about["history"] is None else HistoryRisk.from_parts(about["history"], {}),
        )


def _shared(history: HistoryRisk, X: Matrix, log_odds: Vector, own: Vector) -> Matrix:
    """What the odds add, in proportion to what each column adds to the log-odds of the customer base.

    The score bends these log-odds, so proportions are those of its mean slope from the usual customer to this one; what
    a slope cannot carry, days since the last order do, which drive the odds most.
    """
    parts = history.contributions(X, log_odds)[:, :-1]
    whole = parts.sum(axis=1)
    steep = np.divide(own, whole, out=np.zeros(len(own)), where=np.abs(whole) > 1e-9)
    out = parts * np.clip(steep, -_STEEPEST, _STEEPEST)[:, None]
    out[:, history.columns.days_since_order] += own - out.sum(axis=1)
    return np.asarray(out)
