"""Risk from the history of purchases alone: log-odds of no purchase in a horizon, and what each column adds to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import logit

from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.kinds import from_json
from holdfast.models.btyd.purchases import PurchaseModel
from holdfast.models.btyd.shapley import shared
from holdfast.models.checks import Matrix, Vector

_NEAREST = 1e-12  # of a probability to 0 and 1, so that log-odds are finite


@dataclass(frozen=True)
class HistoryRisk:
    """A model of purchases that answers for rows of a wide matrix.

    Attributes
    ----------
    model : PurchaseModel
        In days.
    columns : HistoryColumns
        Where a row tells its history.
    n_features : int
        Number of columns of the matrices it takes.
    horizon_days : float
        Within which there may be a purchase.
    usual : tuple of three floats
        Orders, days since the last and days since the first of a customer in the middle, to compare with.
    otherwise : float
        Probability for customers whose history is unknown.
    """

    model: PurchaseModel
    columns: HistoryColumns
    n_features: int
    horizon_days: float
    usual: tuple[float, float, float]
    otherwise: float

    def probability(self, X: Matrix, horizon_days: float | None = None) -> Vector:
        """P(no purchase in the horizon) per row; for another horizon than its own, ``otherwise`` stays as it is."""
        out = np.full(len(X), self.otherwise)
        known = self.columns.known(X)
        horizon = self.horizon_days if horizon_days is None else horizon_days
        out[known] = self.model.probability_none(*self.columns.read(X[known]), horizon)
        return out

    def log_odds(self, X: Matrix) -> Vector:
        """Log-odds of no purchase, within 27.6 of 0."""
        return np.asarray(logit(np.clip(self.probability(X), _NEAREST, 1 - _NEAREST)))

    def contributions(self, X: Matrix, log_odds: Vector | None = None) -> Matrix:
        """Shape (n_rows, n_features + 1): rows sum to :meth:`log_odds` (which may be given); the last is the base.

        The base is the usual customer; the three columns share the difference (:mod:`shapley`).
        """
        return shared(self.columns, self.usual, X, self.log_odds, log_odds)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description, and no texts."""
        return asdict(self) | {"model": self.model.to_json(), "usual": list(self.usual)}, {}

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> HistoryRisk:  # noqa: ARG003 - as all models
        """Rebuild from :meth:`to_parts`."""
        first, last, age = about["usual"]
        parts = {"model": from_json(about["model"]), "columns": HistoryColumns(**about["columns"])}
        return cls(**{**about, **parts, "usual": (first, last, age)})
