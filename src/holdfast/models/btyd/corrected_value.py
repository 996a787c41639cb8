"""Purchases and value by a model of the customer base and what outcomes add to it, over any horizon.

Two estimates, whose geometric mean is taken, because they fail in different places::

    counted    base(horizon) * exp(correction)                          far off where the exponential carries too far
    two-part   P(any) * (base(horizon) given any) * exp(level)          knows nothing new of those who surely buy

``P(any)`` is that of :class:`~holdfast.models.btyd.corrected_risk.CorrectedRisk`. Both are right in total on
the outcomes that were learnt from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.models.btyd.corrected_risk import CorrectedRisk
from holdfast.models.btyd.correction import Correction
from holdfast.models.btyd.correction_inputs import clipped
from holdfast.models.btyd.discounting import present_value
from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.checks import Matrix, Vector

_LEAST = 1e-12  # of an expectation, so that it has a logarithm


@dataclass(frozen=True)
class ExpectationCorrection:
    """How an expectation of the base is corrected, once as a rate and once through the probability of any."""

    counted: Correction
    level: float

    def apply(self, base: Vector, seen: Matrix, any_more: Vector) -> Vector:
        """The geometric mean of both; ``any_more`` is the log of P(any) by that of the base."""
        logs = np.log(np.maximum(base, _LEAST)) + (self.counted.score(seen) + any_more + self.level) / 2
        return np.asarray(np.exp(logs))

    def to_json(self) -> dict[str, Any]:
        """Everything as plain lists and numbers."""
        return {"counted": self.counted.to_json(), "level": self.level}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> ExpectationCorrection:
        """Rebuild from :meth:`to_json`."""
        return cls(Correction.from_json(stored["counted"]), float(stored["level"]))


@dataclass(frozen=True)
class CorrectedValue:
    """Expected purchases and expected value.

    Attributes
    ----------
    base : HistoryValue
        With the horizon that is asked about where none is named.
    risk : CorrectedRisk
    purchases, value : ExpectationCorrection
    """

    base: HistoryValue
    risk: CorrectedRisk
    purchases: ExpectationCorrection
    value: ExpectationCorrection

    @property
    def n_features(self) -> int:
        """Number of columns of the matrices it takes."""
        return self.base.n_features

    def orders(self, X: Matrix, horizon_days: float | None = None) -> Vector:
        """Expected purchases in the horizon, per row."""
        horizon = self._horizon(horizon_days)
        return self.purchases.apply(self.base.orders(X, horizon), self._seen(X), self._any_more(X, horizon))

    def mean(self, X: Matrix, horizon_days: float | None = None, *, yearly_discount: float = 0.0) -> Vector:
        """Expected value in the horizon, per row, in currency.

        With ``yearly_discount``, 0.1 for a tenth a year, later money counts for less (:mod:`discounting`).
        """
        horizon = self._horizon(horizon_days)
        found = present_value(lambda days: self._mean(X, days), (horizon,), yearly_discount)
        return np.asarray(found[:, 0])

    def _mean(self, X: Matrix, horizon: float) -> Vector:
        return self.value.apply(self.base.mean(X, horizon), self._seen(X), self._any_more(X, horizon))

    def _horizon(self, horizon_days: float | None) -> float:
        return self.base.horizon_days if horizon_days is None else float(horizon_days)

    def _seen(self, X: Matrix) -> Matrix:
        return self.risk.inputs.numbers(self.risk.base.model, X)

    def _any_more(self, X: Matrix, horizon: float) -> Vector:
        base = self.risk.base.probability(X, horizon)
        return np.asarray(np.log(1 - clipped(self.risk.probability(X, horizon))) - np.log(1 - clipped(base)))

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description, and no texts."""
        base, risk = self.base.to_parts()[0], self.risk.to_parts()[0]
        return {"base": base, "risk": risk, "purchases": self.purchases.to_json(), "value": self.value.to_json()}, {}

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> CorrectedValue:
        """Rebuild from :meth:`to_parts`."""
        return cls(
            HistoryValue.from_parts(about["base"], texts),
            CorrectedRisk.from_parts(about["risk"], texts),
            ExpectationCorrection.from_json(about["purchases"]),
            ExpectationCorrection.from_json(about["value"]),
        )
