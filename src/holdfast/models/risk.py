"""What a fitted risk model computes: calibrated log-odds of churn, and what each feature adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from holdfast.models.additive import Additive
from holdfast.models.calibration import Affine, sigmoid
from holdfast.models.checks import Matrix, Vector
from holdfast.models.level import Level


@dataclass(frozen=True)
class RiskModel:
    """An additive score in log-odds, the level of the time at which it is made, and an affine calibration of both."""

    score: Additive
    calibration: Affine
    level: Level = field(default_factory=Level.constant)

    @property
    def n_features(self) -> int:
        """Number of columns of the matrices it takes."""
        return self.score.n_features

    def log_odds(self, X: Matrix) -> Vector:
        """Calibrated log-odds of churn, one per row."""
        return self.calibration.apply(self.score.score(X) + self.level.of(X))

    def probability(self, X: Matrix) -> Vector:
        """Calibrated probability of churn, one per row."""
        return sigmoid(self.log_odds(X))

    def contributions(self, X: Matrix) -> Matrix:
        """Shape (n_rows, n_features + 1): rows sum to :meth:`log_odds`, the last column is the base, level included."""
        parts = self.score.contributions(X) * self.calibration.slope
        parts[:, -1] += self.calibration.apply(self.level.of(X))
        return parts

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description and the texts of the trees by file name."""
        about, texts = self.score.to_parts("risk_trees")
        return {"score": about, "calibration": self.calibration.to_json(), "level": self.level.to_json()}, texts

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> RiskModel:
        """Rebuild from :meth:`to_parts`."""
        return cls(
            Additive.from_parts(about["score"], texts),
            Affine.from_json(about["calibration"]),
            Level.from_json(about["level"]),
        )
