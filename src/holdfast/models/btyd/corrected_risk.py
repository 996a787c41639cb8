"""Risk by a model of the customer base and what outcomes add to it, over any horizon."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from holdfast.models.btyd.correction import Correction
from holdfast.models.btyd.correction_inputs import HISTORY, CorrectionInputs
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.btyd.shapley import shared
from holdfast.models.calibration import sigmoid
from holdfast.models.checks import Matrix, Vector


@dataclass(frozen=True)
class CorrectedRisk:
    """``log-odds(horizon) = base(horizon) + correction``, the correction learnt on the outcomes of a shorter horizon.

    The correction is of one size at every horizon. So it is at home where marks tell who buys more; where they tell who
    leaves sooner, it says too little at long horizons.

    Attributes
    ----------
    base : HistoryRisk
        With the horizon that is asked about where none is named.
    inputs : CorrectionInputs
    correction : Correction
    """

    base: HistoryRisk
    inputs: CorrectionInputs
    correction: Correction

    @property
    def n_features(self) -> int:
        """Number of columns of the matrices it takes."""
        return self.base.n_features

    def log_odds(self, X: Matrix, horizon_days: float | None = None) -> Vector:
        """Log-odds of no purchase in the horizon, one per row; for a known history never increasing in the horizon."""
        return self._over(horizon_days).log_odds(X) + self.correction.score(self.inputs.numbers(self.base.model, X))

    def probability(self, X: Matrix, horizon_days: float | None = None) -> Vector:
        """Probability of no purchase in the horizon, one per row."""
        return sigmoid(self.log_odds(X, horizon_days))

    def contributions(self, X: Matrix, horizon_days: float | None = None) -> Matrix:
        """Shape (n_rows, n_features + 1): rows sum to :meth:`log_odds`, the last column is the base.

        The columns of the history share what base and correction make of it (:mod:`shapley`); a mark or a span has what
        it adds itself.
        """
        base = self._over(horizon_days)

        def of_history(rows: Matrix) -> Vector:
            seen = np.full((len(rows), len(self.correction.coef)), np.nan)
            seen[:, :HISTORY] = self.inputs.history(base.model, rows)
            return np.asarray(base.log_odds(rows) + self.correction.parts(seen)[:, :HISTORY].sum(axis=1))

        out = shared(base.columns, base.usual, X, of_history)
        own = self.correction.parts(self.inputs.numbers(base.model, X))[:, HISTORY:]
        for place, part in zip((*self.inputs.marks, *self.inputs.spans), own.T, strict=True):
            out[:, place] += part
        out[:, -1] += self.correction.intercept
        return out

    def _over(self, horizon_days: float | None) -> HistoryRisk:
        return self.base if horizon_days is None else replace(self.base, horizon_days=float(horizon_days))

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description, and no texts."""
        base, texts = self.base.to_parts()
        return {"base": base, "inputs": asdict(self.inputs), "correction": self.correction.to_json()}, texts

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> CorrectedRisk:
        """Rebuild from :meth:`to_parts`."""
        seen = about["inputs"]
        inputs = CorrectionInputs(
            HistoryColumns(**seen["columns"]), float(seen["near_days"]), tuple(seen["marks"]), tuple(seen["spans"])
        )
        return cls(HistoryRisk.from_parts(about["base"], texts), inputs, Correction.from_json(about["correction"]))
