"""Value from the history of purchases alone: how many are expected in a horizon, times what one is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from holdfast.models.btyd.gamma_gamma import GammaGamma
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.kinds import from_json
from holdfast.models.btyd.purchases import PurchaseModel
from holdfast.models.checks import Matrix, Vector


@dataclass(frozen=True)
class HistoryValue:
    """A model of purchases and one of their worth that answer for rows of a wide matrix.

    Attributes
    ----------
    model, worth : PurchaseModel, GammaGamma
        In days; in currency.
    columns, spend : HistoryColumns, int
        Where a row tells its history and its spend so far.
    n_features, horizon_days : int, float
        Number of columns of the matrices it takes; within which purchases count.
    otherwise : tuple of two floats
        Expected purchases and value for customers whose history is unknown.
    """

    model: PurchaseModel
    worth: GammaGamma
    columns: HistoryColumns
    spend: int
    n_features: int
    horizon_days: float
    otherwise: tuple[float, float]

    def orders(self, X: Matrix, horizon_days: float | None = None) -> Vector:
        """Expected purchases in the horizon, per row."""
        return self._of_known(X, self._orders, self.otherwise[0], horizon_days)

    def mean(self, X: Matrix, horizon_days: float | None = None) -> Vector:
        """Expected value in the horizon, per row, in currency."""
        return self._of_known(X, self._mean, self.otherwise[1], horizon_days)

    def _of_known(self, X: Matrix, answer: Any, otherwise: float, horizon_days: float | None) -> Vector:
        out = np.full(len(X), otherwise)
        known = self.columns.known(X)
        out[known] = answer(X[known], self.horizon_days if horizon_days is None else horizon_days)
        return out

    def _orders(self, X: Matrix, horizon: float) -> Vector:
        return self.model.expected(*self.columns.read(X), horizon)

    def _mean(self, X: Matrix, horizon: float) -> Vector:
        return self._orders(X, horizon) * self.worth.expected_mean(*spending(self.columns, self.spend, X))

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description, and no texts."""
        return asdict(self) | {"model": self.model.to_json(), "otherwise": list(self.otherwise)}, {}

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> HistoryValue:  # noqa: ARG003 - as all models
        """Rebuild from :meth:`to_parts`."""
        orders, value = about["otherwise"]
        parts = {
            "model": from_json(about["model"]),
            "worth": GammaGamma.from_json(about["worth"]),
            "columns": HistoryColumns(**about["columns"]),
        }
        return cls(**{**about, **parts, "otherwise": (orders, value)})


def spending(columns: HistoryColumns, spend: int, X: Matrix) -> tuple[Vector, Vector]:
    """Purchases, the first one included, and their mean worth; none where the spend is unknown."""
    known = ~np.isnan(X[:, spend])
    purchases = np.where(known, columns.read(X)[0] + 1.0, 0.0)
    return purchases, np.where(known, X[:, spend], 0.0) / np.maximum(purchases, 1.0)
