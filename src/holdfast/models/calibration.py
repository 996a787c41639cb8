"""Calibration as an affine map of the log-odds: contributions scale with it, so reasons keep adding up exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.models.checks import Vector
from holdfast.models.quantiles import mean


@dataclass(frozen=True)
class Affine:
    """``calibrated log-odds = slope * raw log-odds + intercept``; the slope is positive, so the ranking stays."""

    slope: float = 1.0
    intercept: float = 0.0

    def apply(self, log_odds: Vector) -> Vector:
        """The calibrated log-odds."""
        return self.slope * log_odds + self.intercept

    def to_json(self) -> dict[str, float]:
        """Both numbers by name."""
        return {"slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Affine:
        """Rebuild from :meth:`to_json`."""
        return cls(float(stored["slope"]), float(stored["intercept"]))


IDENTITY = Affine()


def sigmoid(log_odds: Vector) -> Vector:
    """Probability from log-odds, without overflow."""
    half = np.exp(-np.abs(log_odds))
    return np.where(log_odds >= 0, 1 / (1 + half), half / (1 + half))


def mean_log_loss(log_odds: Vector, outcome: Vector, weight: Vector | None = None) -> float:
    """Weighted mean of ``log(1 + exp(z)) - y z``, computed without forming a probability."""
    return mean(np.logaddexp(0, log_odds) - outcome * log_odds, weight)
