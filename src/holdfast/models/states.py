"""Who has gone, who is leaving, who stays; and what a customer is worth if they stay.

Without contracts, "no order in the outcome window" puts three kinds of customers together: those who had gone before
it, those who leave in it, and those who only pause. ``p_gone``, ``p_leaving`` and ``p_staying`` tell them apart and sum
to one. With contracts nobody who is a customer has gone, and who leaves churns: ``p_gone`` is 0 and ``p_leaving`` is
``p_churn``.

The expected value is what the three bring together. Whoever leaves brings, of what they would have brought had they
stayed, the part ``leaving``; whoever has gone the part ``gone``. So with the value if kept, K::

    value = (p_staying + leaving * p_leaving + gone * p_gone) * S,   K = kept * S

S is the mean of those who stay, among customers who look alike; ``kept`` brings it to those who stayed though they
looked like leaving, which is what a kept customer is. What leaves with a customer is K less what comes all the same::

    expected_loss = p_leaving * (value_if_kept - value_if_lost)

With contracts ``value_if_lost`` is what is billed until they end, and after that if another one runs; without them it
is nothing within the outcome window, and beyond it what those bring who come back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np

from holdfast.models.checks import Matrix, Vector
from holdfast.models.risk import RiskModel
from holdfast.models.value import Distribution

_LEAST = 0.02  # of the value if kept, that the value is at the least: who all but surely has gone says nothing of it
_PARTS = ("gone", "leaving", "brings")


@dataclass(frozen=True)
class StateOutlook:
    """Whether customers have gone, leave or stay, and what hangs on it; arrays of shape (n_rows,).

    Attributes
    ----------
    gone, leaving :
        Probabilities; with ``staying`` they sum to one.
    kept : Distribution
        Of the value of a customer who is kept, in currency.
    lost : array
        What comes all the same of one who leaves, in currency.
    """

    gone: Vector
    leaving: Vector
    kept: Distribution
    lost: Vector

    @property
    def staying(self) -> Vector:
        """Probability to be still there when the outcome window ends."""
        return np.asarray(1 - self.gone - self.leaving)

    @cached_property
    def value_if_kept(self) -> Vector:
        """Expected value of a customer who is kept, in currency."""
        return self.kept.mean()

    @property
    def expected_loss(self) -> Vector:
        """What is at stake, in currency."""
        return np.asarray(self.leaving * (self.value_if_kept - self.lost))


@dataclass(frozen=True)
class ValueShares:
    """What customers bring in each state, as parts of what those bring who look alike and stay.

    Attributes
    ----------
    leaving, gone : float
        Of customers who leave in the outcome window, and who had gone before it.
    kept : float
        Of customers who looked like leaving, and stayed.
    lost : float
        What comes all the same of a customer who leaves, as a part of the value if kept.
    """

    leaving: float = 0.0
    gone: float = 0.0
    kept: float = 1.0
    lost: float = 0.0

    def __post_init__(self) -> None:
        if not (0 <= self.leaving <= 1 and 0 <= self.gone <= 1 and 0 <= self.lost <= 1 and self.kept > 0):
            raise ValueError("shares of the value that are none")


@dataclass(frozen=True)
class StateModel:
    """What tells the states of customers apart, and what hangs on them.

    Attributes
    ----------
    gone : RiskModel or None
        Of having gone at the cutoff; None where contracts tell who is a customer.
    leaving : RiskModel or None
        Of having gone by the end of the outcome window, for whoever had not at the cutoff; None where that is churn.
    brings : RiskModel or None
        With contracts: the part, between 0 and 1, that whoever leaves brings until then; in place of
        ``shares.leaving`` and, of the value if kept, of ``shares.lost``.
    shares : ValueShares
    """

    gone: RiskModel | None = None
    leaving: RiskModel | None = None
    brings: RiskModel | None = None
    shares: ValueShares = ValueShares()

    @property
    def widths(self) -> set[int]:
        """Numbers of columns of the matrices that its parts take."""
        parts = (getattr(self, name) for name in _PARTS)
        return {part.n_features for part in parts if part is not None}

    def outlook(self, X: Matrix, p_churn: Vector, value: Distribution) -> StateOutlook:
        """The states of each row and what hangs on them, given its risk of churn and its value."""
        gone, leaving = self.states(X, p_churn)
        shares, brings = self.shares, self.part_of_leaving(X)
        lift = shares.kept / part_that_comes(gone, leaving, brings, shares.gone)
        kept = _lifted(value, lift)
        lost = np.full(len(X), shares.lost) if self.brings is None else brings / shares.kept
        return StateOutlook(gone, leaving, kept, lost * np.maximum(kept.mean(), 0.0))

    def states(self, X: Matrix, p_churn: Vector) -> tuple[Vector, Vector]:
        """Probabilities of having gone, and of leaving, per row."""
        gone = np.zeros(len(X)) if self.gone is None else self.gone.probability(X)
        return gone, (1 - gone) * (p_churn if self.leaving is None else self.leaving.probability(X))

    def part_of_leaving(self, X: Matrix) -> Vector:
        """What whoever leaves brings, as a part of what those bring who stay, per row."""
        return np.full(len(X), self.shares.leaving) if self.brings is None else self.brings.probability(X)

    def to_parts(self) -> tuple[dict[str, Any], dict[str, str]]:
        """A JSON-ready description and the texts of the trees by file name."""
        about: dict[str, Any] = {"shares": asdict(self.shares)}
        texts: dict[str, str] = {}
        for name in _PARTS:
            part = getattr(self, name)
            about[name], more = (None, {}) if part is None else part.to_parts(f"state_{name}_trees")
            texts |= more
        return about, texts

    @classmethod
    def from_parts(cls, about: Mapping[str, Any], texts: Mapping[str, str]) -> StateModel:
        """Rebuild from :meth:`to_parts`."""
        parts = {name: None if about[name] is None else RiskModel.from_parts(about[name], texts) for name in _PARTS}
        return cls(**parts, shares=ValueShares(**{name: float(part) for name, part in about["shares"].items()}))


def part_that_comes(gone: Vector, leaving: Vector, brings: Vector, gone_brings: float) -> Vector:
    """The value as a part of what a customer would bring for certain to stay, per row."""
    return np.asarray(np.maximum(1 - gone - leaving + leaving * brings + gone * gone_brings, _LEAST))


def _lifted(value: Distribution, by: Vector) -> Distribution:
    """Amounts that are so many times as large on average: first any value gets likelier, up to one, then it grows."""
    p = np.minimum(value.p * by, 1.0)
    more = np.divide(value.p * by, p, out=np.ones(len(p)), where=p > 0)
    return Distribution(p, value.level + np.log(more), value.residual, value.refunds)
