"""What the models of purchases share: their answers about a customer, and how they are stored.

A model is its fitted parameters and closed formulas. It needs numpy and scipy and no more, so it travels with a stored
model. Its unit of time is that of the ages it was fitted on. Arguments are broadcast against each other: for several
horizons at once give the histories as columns, ``repeats[:, None]``, and the horizons as a row.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, astuple, dataclass, fields
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import ArrayLike

from holdfast.models.btyd.histories import CHUNK, Histories, checked, rowwise
from holdfast.models.checks import InputError, Vector

_LEAST_CHOSEN = 1e-300  # so that a step of a fit into nowhere has a logarithm


@dataclass(frozen=True)
class PurchaseModel(ABC):
    """Customers who buy at random times, each at a rate of their own, until they leave unseen.

    All parameters are positive. ``repeats``, ``last`` and ``age`` are those of
    :mod:`holdfast.models.btyd.histories`.
    """

    kind: ClassVar[str]

    buying_shape: float
    buying_rate: float

    def __post_init__(self) -> None:
        if not all(0 < value < np.inf for value in astuple(self)):
            raise InputError(f"Wanted positive finite parameters of {self.kind}, found {asdict(self)}.")

    def probability_alive(self, repeats: ArrayLike, last: ArrayLike, age: ArrayLike) -> Vector:
        """Probability that the customer has not left yet. It is not the probability of another purchase."""
        return rowwise(self._alive, *checked(repeats, last, age))

    def probability_none(self, repeats: ArrayLike, last: ArrayLike, age: ArrayLike, horizon: ArrayLike) -> Vector:
        """Probability of no purchase within the horizon: having left already, leaving in it, or waiting longer.

        It is the likelihood of the same purchases at the age ``age + horizon``, by the likelihood at ``age``.
        """
        return rowwise(self._none, *checked(repeats, last, age), _horizon(horizon))

    def expected(self, repeats: ArrayLike, last: ArrayLike, age: ArrayLike, horizon: ArrayLike) -> Vector:
        """Expected number of purchases within the horizon."""
        return rowwise(self._expected, *checked(repeats, last, age), _horizon(horizon))

    def log_likelihood(
        self, repeats: ArrayLike, last: ArrayLike, age: ArrayLike, weight: ArrayLike | None = None
    ) -> float:
        """Logarithm of the probability density of all histories together, if all customers are there."""
        return self.slope(Histories.of(repeats, last, age, weight))[0]

    def slope(self, histories: Histories) -> tuple[float, Vector]:
        """Log-likelihood and its gradient by the logarithms of the parameters, in the order of the fields.

        Of customers chosen because they bought lately, each density is divided by the probability to be chosen.
        """
        total, slope = 0.0, np.zeros(len(astuple(self)))
        for part in histories.chunks():
            each, slopes = self._terms(part.repeats, part.last, part.age)
            total += float(part.weight @ each)
            slope += [float(part.weight @ one) for one in slopes]
        ages, weight = histories.chosen
        for at in range(0, len(ages), CHUNK):
            rows = slice(at, at + CHUNK)
            chosen, slopes = self._chosen(ages[rows], histories.bought_within or 0.0)
            chosen = np.maximum(chosen, _LEAST_CHOSEN)
            total -= float(weight[rows] @ np.log(chosen))
            slope -= [float(weight[rows] @ (one / chosen)) for one in slopes]
        return total, slope * astuple(self)

    def to_json(self) -> dict[str, Any]:
        """Kind and parameters."""
        return {"kind": self.kind} | asdict(self)

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        """Rebuild from :meth:`to_json`."""
        return cls(**{name: float(stored[name]) for name in (field.name for field in fields(cls))})

    @classmethod
    @abstractmethod
    def typical(cls, histories: Histories) -> Self:
        """Parameters of a usual business with these moments: where a fit starts and what its penalty draws to."""

    @abstractmethod
    def _alive(self, x: Vector, t: Vector, T: Vector) -> Vector: ...

    @abstractmethod
    def _none(self, x: Vector, t: Vector, T: Vector, h: Vector) -> Vector: ...

    @abstractmethod
    def _expected(self, x: Vector, t: Vector, T: Vector, h: Vector) -> Vector: ...

    @abstractmethod
    def _terms(self, x: Vector, t: Vector, T: Vector) -> tuple[Vector, list[Vector]]:
        """Log-likelihood of each row, and its derivatives by the parameters."""

    @abstractmethod
    def _chosen(self, T: Vector, within: float) -> tuple[Vector, list[Vector]]:
        """Probability of a purchase in the last ``within`` before T > within, and its derivatives."""


def typical_buying(histories: Histories) -> tuple[float, float]:
    """Shape and rate of a gamma distribution of buying rates, by the moments of the counts.

    Were nobody to leave, counts at a common age T would be negative binomial, with mean ``r T / alpha`` and variance
    ``mean + mean^2 / r``. Half a purchase and ten customers of shape 1 are added, which keep both usual where
    there is little to see.
    """
    w, x = histories.weight, histories.repeats
    customers = float(w.sum())
    mean = float(w @ x + 0.5) / customers
    excess = max(float(w @ (x - mean) ** 2) - mean * customers, 0.0)
    shape = float(np.clip(mean**2 * (customers + 10) / (excess + 10 * mean**2), 0.1, 10.0))
    return shape, shape * typical_age(histories) / mean


def typical_age(histories: Histories) -> float:
    """Mean age, and 1 where all are 0."""
    return float(np.average(histories.age, weights=histories.weight)) or 1.0


def _horizon(horizon: ArrayLike) -> Vector:
    time = np.asarray(horizon, dtype=np.float64)
    if not (np.isfinite(time) & (time >= 0)).all():
        raise InputError("Wanted a horizon of 0 or more, finite; found another.")
    return time
