"""What a fitted value model computes: a predictive distribution of the future value of each customer.

Two parts: whether there is any value, and how much if there is any::

    P(value > 0) = sigmoid(any(x) + any_level(time of the year))
    value | value > 0 = scale * lift(x) * exp(amount(x) + amount_level(time of the year) + residual),
        the residual from a table by predicted amount
    value | value <= 0 = 0, or with a constant share of the past a refund

``lift`` brings the expected value to a blend: a mixture of the two parts' own and of what a customer-base model expects
(:mod:`holdfast.models.past_value`), spread more or less around a pivot. All answers (mean, interval, probability above
an amount) come from this one distribution.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from holdfast.models import residual_quantiles as residuals
from holdfast.models.additive import Additive
from holdfast.models.calibration import sigmoid
from holdfast.models.checks import InputError, Matrix, Vector, refuse_other_width
from holdfast.models.past_value import PastValue
from holdfast.models.quantiles import of_rows, quantiles
from holdfast.models.residual_quantiles import KNOTS, ResidualQuantiles
from holdfast.models.season_level import SeasonLevel

_MOST_LIFT = 10.0  # either way; a customer base that finds more has misread the history


@dataclass(frozen=True)
class Refunds:
    """Negative values: their share among those that are not positive, and their quantiles at ``KNOTS``."""

    share: float
    amounts: Vector

    @classmethod
    def of(cls, y: Vector, weight: Vector | None = None) -> Refunds:
        """As the past had them."""
        counted, refunds = np.ones(len(y)) if weight is None else weight, y[y < 0]
        if not len(refunds):
            return cls(0.0, np.zeros(len(KNOTS)))
        share = float(counted[y < 0].sum() / counted[y <= 0].sum())
        return cls(share, quantiles(refunds, KNOTS, of_rows(weight, y < 0)))

    def mean(self) -> float:
        """Mean of a value that is not positive, in currency."""
        middle = float(np.sum((self.amounts[1:] + self.amounts[:-1]) / 2 * np.diff(KNOTS)))
        return self.share * (middle + float(KNOTS[0] * self.amounts[0] + (1 - KNOTS[-1]) * self.amounts[-1]))


@dataclass(frozen=True)
class Distribution:
    """The values that some customers may have, one distribution per row.

    Attributes
    ----------
    p : array of shape (n_rows,)
        P(value > 0).
    level : array of shape (n_rows,)
        Logarithm of the amount if there is any, to which the residual is added.
    residual : array of shape (n_rows, n_knots)
        Its quantiles at ``KNOTS``.
    refunds : Refunds
    """

    p: Vector
    level: Vector
    residual: Matrix
    refunds: Refunds

    def mean(self) -> Vector:
        """Expected value per row, in currency."""
        amount = np.exp(self.level) * residuals.mean_factor(self.residual)
        return np.asarray(self.p * amount + (1 - self.p) * self.refunds.mean())

    def interval(self, coverage: float) -> tuple[Vector, Vector]:
        """An interval that holds the value with probability ``coverage``.

        Where nothing is likelier than the lower tail, the interval begins at 0 and all that it leaves out lies above:
        so its upper end is the quantile at ``coverage``, not the middle of the upper half. Elsewhere it is central.
        Where nothing alone is likelier than ``coverage``, it is 0 to 0, and the mean of a rare amount lies above it.
        """
        if not 0 < coverage < 1:
            raise InputError(f"Wanted a coverage between 0 and 1, such as 0.9; found {coverage}.")
        tail, negative = (1 - coverage) / 2, (1 - self.p) * self.refunds.share
        at_zero = (negative <= tail) & (1 - self.p > tail)
        below = np.where(at_zero, negative, tail)
        return self.quantile(np.full(len(self.p), tail)), self.quantile(below + coverage)

    def quantile(self, q: Vector) -> Vector:
        """The value at a probability of its own for each row."""
        inside = np.clip((q - (1 - self.p)) / np.maximum(self.p, 1e-12), 0, 1)
        at = np.where(q > 1 - self.p, np.exp(self.level + residuals.quantile(self.residual, inside)), 0.0)
        if self.refunds.share:
            mass = (1 - self.p) * self.refunds.share
            at = np.where(q < mass, np.interp(q / np.maximum(mass, 1e-12), KNOTS, self.refunds.amounts), at)
        return np.asarray(at)

    def above(self, amount: ArrayLike) -> Vector:
        """P(value > amount) per row; the amount is one number or one per row, in currency."""
        threshold = np.broadcast_to(np.asarray(amount, dtype=np.float64), self.p.shape)
        logs = np.log(np.maximum(threshold, 1e-300)) - self.level
        positive = np.where(threshold > 0, residuals.probability_above(self.residual, logs), 1.0)
        refunds = self.refunds
        below_refund = np.interp(threshold, refunds.amounts, KNOTS, left=0.0, right=1.0) if refunds.share else 0.0
        none_above = np.where(threshold < 0, 1 - refunds.share * below_refund, 0.0)
        return np.asarray(self.p * positive + (1 - self.p) * none_above)

    def winsorised(self, y: Vector) -> Vector:
        """Values as they count in totals: an amount beyond the table's ends counts as the end.

        So an order of a size that a customer's past makes all but impossible counts as the largest plausible one.
        """
        low, high = np.exp(self.level + self.residual[:, 0]), np.exp(self.level + self.residual[:, -1])
        return np.where(y > 0, np.clip(y, low, high), np.maximum(y, self.refunds.amounts[0]))


@dataclass(frozen=True)
class Blend:
    """How the expected value of the two parts becomes the one that is told.

    Attributes
    ----------
    share : float
        Of what a customer-base model expects, between 0 and 1; the two parts have the rest.
    slope : float
        Above 1, customers are spread further from ``pivot``; below 1, less far.
    pivot : float
        In currency.
    """

    share: float = 0.0
    slope: float = 1.0
    pivot: float = 1.0

    def of(self, own: Distribution, other: Vector | None) -> Distribution:
        """``own`` with amounts lifted so that their expected value is that of the blend."""
        amounts = np.maximum(own.p * np.exp(own.level) * residuals.mean_factor(own.residual), 1e-12)
        mixed = amounts if other is None else (1 - self.share) * amounts + self.share * other
        lift = mixed / amounts * (np.maximum(mixed, 1e-12) / self.pivot) ** (self.slope - 1)
        level = own.level + np.log(np.clip(lift, 1 / _MOST_LIFT, _MOST_LIFT))
        return Distribution(own.p, level, own.residual, own.refunds)


@dataclass(frozen=True)
class ValueModel:
    """Both parts, the spread, the scale, what happens where there is no value, and the customer base if there is one.

    Attributes
    ----------
    any_value : Additive
        Log-odds of any value. With ``past``, both parts read its columns after those of the matrix.
    amount : Additive
        Expected logarithm of the value given any, in the currency of the data.
    any_level, amount_level : SeasonLevel
        What the time of the year adds to them.
    spread : ResidualQuantiles
        Residuals around it.
    scale : float
        Brings the predicted total of the two parts to the observed one.
    refunds : Refunds
    blend : Blend
    past : PastValue or None
    """

    any_value: Additive
    amount: Additive
    any_level: SeasonLevel
    amount_level: SeasonLevel
    spread: ResidualQuantiles
    scale: float
    refunds: Refunds
    blend: Blend
    past: PastValue | None = None

    @property
    def n_features(self) -> int:
        """Number of columns of the matrices it takes."""
        return self.any_value.n_features - (0 if self.past is None else 2)

    def distribution(self, X: Matrix) -> Distribution:
        """The predictive distribution of each row."""
        refuse_other_width(X, self.n_features)
        expected = None
        wide = X
        if self.past is not None:
            told = self.past.columns(X)
            wide, expected = np.column_stack([X, told]), self.past.at_level(told[:, -1], X)
        z, level = self.any_value.score(wide) + self.any_level.of(X), self.amount.score(wide) + self.amount_level.of(X)
        return self.blend.of(self.two_parts(z, level), expected)

    def two_parts(self, log_odds: Vector, level: Vector) -> Distribution:
        """The distribution by the two parts alone, from log-odds of any value and expected log amounts."""
        level = level + np.log(self.scale)
        return Distribution(sigmoid(log_odds), level, self.spread.rows(level), self.refunds)

    def mean(self, X: Matrix) -> Vector:
        """Expected value per row, in currency."""
        return self.distribution(X).mean()

    def interval(self, X: Matrix, coverage: float) -> tuple[Vector, Vector]:
        """An interval that holds the value with probability ``coverage``, as :meth:`Distribution.interval`."""
        return self.distribution(X).interval(coverage)

    def probability_above(self, X: Matrix, amount: ArrayLike) -> Vector:
        """P(value > amount) per row; the amount is one number or one per row, in currency."""
        return self.distribution(X).above(amount)

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
            "refund_share": self.refunds.share,
            "refunds": self.refunds.amounts.tolist(),
            "blend": asdict(self.blend),
            "past": None if self.past is None else self.past.to_json(),
        }
        return about, any_texts | amount_texts

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> ValueModel:
        """Rebuild from :meth:`to_parts`."""
        return cls(
            any_value=Additive.from_parts(about["any_value"], texts),
            amount=Additive.from_parts(about["amount"], texts),
            any_level=SeasonLevel.from_json(about["any_level"]),
            amount_level=SeasonLevel.from_json(about["amount_level"]),
            spread=ResidualQuantiles.from_json(about["spread"]),
            scale=float(about["scale"]),
            refunds=Refunds(float(about["refund_share"]), np.asarray(about["refunds"], dtype=np.float64)),
            blend=Blend(**about["blend"]),
            past=None if about["past"] is None else PastValue.from_json(about["past"]),
        )
