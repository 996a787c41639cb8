"""What a fitted value model computes: a predictive distribution of the future value of each customer.

Two parts: whether there is any value, and how much if there is any::

    P(value > 0) = sigmoid(any(x) + any_level(time of the year))
    value | value > 0 = scale * exp(amount(x) + amount_level(time of the year) + residual),
        the residual from a table by predicted amount
    value | value <= 0 = 0, or with a constant share of the past a refund

All answers (mean, interval, probability above an amount) come from this one distribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holdfast.models import spread as residuals
from holdfast.models.additive import Additive
from holdfast.models.calibration import sigmoid
from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.level import Level
from holdfast.models.spread import KNOTS, Spread


@dataclass(frozen=True)
class ValueModel:
    """Both parts, the spread, the scale, and what happens where there is no value.

    Attributes
    ----------
    any_value : Additive
        Log-odds of any value.
    amount : Additive
        Expected logarithm of the value given any, in the currency of the data.
    any_level, amount_level : Level
        What the time of the year adds to them.
    spread : Spread
        Residuals around it.
    scale : float
        Brings the predicted total to the observed one.
    refund_share, refunds :
        Share of negative values among those that are not positive, and their quantiles at ``KNOTS``.
    """

    any_value: Additive
    amount: Additive
    any_level: Level
    amount_level: Level
    spread: Spread
    scale: float
    refund_share: float
    refunds: Vector

    @property
    def n_features(self) -> int:
        """Number of columns of the matrices it takes."""
        return self.any_value.n_features

    def _parts(self, X: Matrix) -> tuple[Vector, Vector, Matrix]:
        """P(any), log amount including the scale, residual quantiles per row."""
        level = self.amount.score(X) + self.amount_level.of(X)
        p = sigmoid(self.any_value.score(X) + self.any_level.of(X))
        return p, level + np.log(self.scale), self.spread.rows(level)

    def mean(self, X: Matrix) -> Vector:
        """Expected value per row, in currency."""
        return self._mean(*self._parts(X))

    def _mean(self, p: Vector, level: Vector, rows: Matrix) -> Vector:
        middle = float(np.sum((self.refunds[1:] + self.refunds[:-1]) / 2 * np.diff(KNOTS)))
        refund = KNOTS[0] * self.refunds[0] + middle + (1 - KNOTS[-1]) * self.refunds[-1]
        return np.asarray(p * np.exp(level) * residuals.mean_factor(rows) + (1 - p) * self.refund_share * refund)

    def interval(self, X: Matrix, coverage: float) -> tuple[Vector, Vector]:
        """Central interval of the given coverage, widened where the mean of a long tail lies above its upper end."""
        if not 0 < coverage < 1:
            raise InputError(f"Wanted a coverage between 0 and 1, such as 0.9; found {coverage}.")
        p, level, rows = self._parts(X)
        mean = self._mean(p, level, rows)
        low = self._quantile((1 - coverage) / 2, p, level, rows)
        high = self._quantile((1 + coverage) / 2, p, level, rows)
        return np.minimum(low, mean), np.maximum(high, mean)

    def _quantile(self, q: float, p: Vector, level: Vector, rows: Matrix) -> Vector:
        positive = np.exp(level + residuals.quantile(rows, np.clip((q - (1 - p)) / np.maximum(p, 1e-12), 0, 1)))
        at = np.where(q > 1 - p, positive, 0.0)
        if self.refund_share:
            mass = (1 - p) * self.refund_share
            at = np.where(q < mass, np.interp(q / np.maximum(mass, 1e-12), KNOTS, self.refunds), at)
        return np.asarray(at)

    def probability_above(self, X: Matrix, amount: ArrayLike) -> Vector:
        """P(value > amount) per row; the amount is one number or one per row, in currency."""
        p, level, rows = self._parts(X)
        threshold = np.broadcast_to(np.asarray(amount, dtype=np.float64), p.shape)
        logs = np.log(np.maximum(threshold, 1e-300)) - level
        above = p * np.where(threshold > 0, residuals.probability_above(rows, logs), 1.0)
        below_refund = np.interp(threshold, self.refunds, KNOTS, left=0.0, right=1.0) if self.refund_share else 0.0
        none_above = np.where(threshold < 0, 1 - self.refund_share * below_refund, 0.0)
        return np.asarray(above + (1 - p) * none_above)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description and the texts of the trees by file name."""
        any_value, any_texts = self.any_value.to_parts("value_any_trees")
        amount, amount_texts = self.amount.to_parts("value_amount_trees")
        about = {
            "any_value": any_value,
            "amount": amount,
            "any_level": self.any_level.to_json(),
            "amount_level": self.amount_level.to_json(),
            "spread": self.spread.to_json(),
            "scale": self.scale,
            "refund_share": self.refund_share,
            "refunds": self.refunds.tolist(),
        }
        return about, any_texts | amount_texts

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> ValueModel:
        """Rebuild from :meth:`to_parts`."""
        return cls(
            any_value=Additive.from_parts(about["any_value"], texts),
            amount=Additive.from_parts(about["amount"], texts),
            any_level=Level.from_json(about["any_level"]),
            amount_level=Level.from_json(about["amount_level"]),
            spread=Spread.from_json(about["spread"]),
            scale=float(about["scale"]),
            refund_share=float(about["refund_share"]),
            refunds=np.asarray(about["refunds"], dtype=np.float64),
        )
