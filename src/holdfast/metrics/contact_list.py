"""What a list of contacts holds: the customers at the top of a ranking, as many as the list has places.

Every cutoff has a list of its own. The amount may be 1 for those who left, what was lost with them, or what contacting
each customer brought. Equal scores share the last places in proportion, so no total depends on the order of the rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from holdfast.metrics.ranking import within
from holdfast.metrics.weighted import Array, answer, as_draws, ratio


@dataclass(frozen=True, eq=False)
class ContactLists:
    """The lists of some cutoffs: to which of them each row belongs, and how many places they have.

    Attributes
    ----------
    cutoff : array of shape (n_rows,)
    places : float or None
        On each list; None where they are a share.
    share : float
        Of the customers at the cutoff.
    """

    cutoff: NDArray[np.int64]
    places: float | None = None
    share: float = 1.0

    def total(self, amount: Array, score: Array, weights: Array | None = None) -> Array:
        """What one list holds of an amount, on average over the cutoffs.

        A list with more places than customers holds everyone.
        """
        draws = as_draws(weights, len(amount))
        cutoffs = np.unique(self.cutoff)
        held = np.zeros(len(draws))
        for at in cutoffs:
            rows = np.flatnonzero(self.cutoff == at)
            there = draws[:, rows]
            everyone = there.sum(axis=1, keepdims=True)
            places = self.share * everyone if self.places is None else np.full_like(everyone, self.places)
            held += within(score[rows], there, there * amount[rows], places)
        return answer(ratio(held, np.full_like(held, len(cutoffs))), weights)

    def share_held(self, amount: Array, score: Array, weights: Array | None = None) -> Array:
        """The share of the whole amount that the lists hold; NaN where there is none."""
        everyone = ContactLists(self.cutoff)
        whole = everyone.total(amount, score, weights)
        return np.asarray(ratio(self.total(amount, score, weights), whole))
