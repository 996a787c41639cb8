"""Value over horizons that no outcome reaches: what the value model says, carried on by a model of the customer base.

The value model answers for the horizon ``h0`` of its outcomes. How many more purchases a longer horizon brings is what
a model of the customer base can tell (Fader, Hardie and Lee 2005, "Counting your customers" the easy way, Marketing
Science 24 (2), 275-284, doi:10.1287/mksc.1040.0098), so with B the purchases it expects until then::

    value(h) = value(h0) * B(h) / B(h0)

In these models purchases come evenly for as long as a customer stays. So of one who is still there the last purchase
says nothing more, and the probability of being there, like the worth of a purchase, is the same in B(h) and in B(h0).
Both fall out: the ratio is that of a customer who is there for certain, with this count of purchases at this age. It
grows with h, but never faster than h itself, because customers leave and none comes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from holdfast.errors import BundleError
from holdfast.models.btyd.discounting import YEAR_DAYS, present_value
from holdfast.models.btyd.history_value import HistoryValue
from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.horizon import increasing, within
from holdfast.models.model_card import ModelCard
from holdfast.models.value import ValueModel

LONGEST_DAYS = 3 * YEAR_DAYS


@dataclass(frozen=True)
class Lifetime:
    """A value model and the model of the customer base that carries it on.

    Attributes
    ----------
    value : ValueModel
    history : HistoryValue
        Its model of purchases, in days.
    known_days : float
        Horizon of the outcomes that ``value`` learnt from.
    gap_days : float
        From the cutoff to where every horizon begins.
    """

    value: ValueModel
    history: HistoryValue
    known_days: float
    gap_days: float = 0.0

    @classmethod
    def of(cls, value: ValueModel, card: ModelCard) -> Lifetime:
        """From what a bundle holds.

        Raises
        ------
        BundleError
            No model of purchases is in it, or the value is not that of orders.
        """
        known, kind = card.value.horizon_days, card.value.of
        if value.past is None or kind == "mrr":
            found = f"a value of {kind}" + ("" if value.past is not None else " without one")
            raise BundleError(
                "Value over other horizons wants a model of the customer base, which is learnt from orders where churn "
                f"is no_order; found {found}. What this model can tell is the value up to its own horizon, {known:g} "
                "days, as 'value' of the scores; for more, train with a longer value.horizon_days, or on orders of "
                "more customers."
            )
        return cls(value, value.past.history, known, card.churn.gap_days)

    def mean(self, X: Matrix, horizons: Sequence[float], yearly_discount: float = 0.0) -> Matrix:
        """Expected value within each horizon, shape (n_rows, n_horizons), in currency; never decreasing in a row.

        A negative expectation stays what it is at every horizon: it is the refund of what was bought already, and
        waiting brings no more of it.

        Raises
        ------
        InputError
            As :func:`within_three_years` and :func:`~holdfast.models.btyd.discounting.refuse_discount`.
        """
        wanted, own = within_three_years(horizons), self.value.mean(X)[:, None]
        return np.where(own > 0, own * self.growth(X, wanted, yearly_discount), own)

    def growth(self, X: Matrix, horizons: Sequence[float], yearly_discount: float = 0.0) -> Matrix:
        """B(h) by B(h0), shape (n_rows, n_horizons); exactly 1 at h0 without a discount.

        Of a customer whose history is unknown it is that of a new one.
        """
        known = self.history.columns.known(X)
        repeats, age = np.zeros(len(X)), np.zeros(len(X))
        repeats[known], _, age[known] = self.history.columns.read(X[known])
        there = repeats, np.where(repeats > 0, age, 0.0), age
        sooner = self._expected(there, 0.0)
        near = self._expected(there, self.known_days) - sooner

        def by_then(days: float) -> Vector:
            steady = days / self.known_days
            low, high = min(steady, 1.0), max(steady, 1.0)
            far = near if days == self.known_days else self._expected(there, days) - sooner
            ratio = np.divide(far, near, out=np.full(len(X), steady), where=near > 0)
            return np.asarray(np.clip(ratio, low, high))  # where rounding, and nothing else, would lead out of these

        plain = np.maximum.accumulate(present_value(by_then, horizons, 0.0), axis=1)
        today = np.maximum.accumulate(present_value(by_then, horizons, yearly_discount), axis=1)
        return np.asarray(np.minimum(today, plain))

    def _expected(self, there: tuple[Vector, Vector, Vector], days: float) -> Vector:
        return self.history.model.expected(*there, self.gap_days + days)


def within_three_years(horizons: Sequence[float]) -> tuple[float, ...]:
    """The horizons as numbers.

    Raises
    ------
    InputError
        They are not above 0 and increasing, or one is longer than three years.
    """
    found = increasing(horizons)
    if found[-1] > LONGEST_DAYS:
        raise InputError(
            f"Wanted horizons of at most {LONGEST_DAYS:g} days, which is three years; found {found[-1]:g}. Nobody has "
            "seen how a model like this does beyond, and by then prices and customers are others. Shorten it."
        )
    return found


def value_columns(horizons: Sequence[float]) -> list[str]:
    """Names such as ``value_365d``, one for each horizon in days, and never the same for two."""
    return [within("value", horizon) for horizon in horizons]
