"""How active customers are from period to period: a hidden Markov model that tells when one of them has gone.

A customer is there or gone. While there, days with a sign of life come at a rate of the customer's own; once gone, at
a small part of it. From one period to the next some go and a few come back (hidden Markov models of customers: Netzer,
Lattin and Srinivasan 2008, doi:10.1287/mksc.1070.0294). No outcome is learnt from: what is seen before and after a
cutoff tells, with its doubt, whether a customer had gone there, and whether they had by the end of the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.special import gammaln

from holdfast.models.checks import Matrix, Vector

THERE, GONE = range(2)
_RATES = np.geomspace(0.1, 5.0, 7)  # of the mean customer
_STEPS, _CLOSE = 25, 1e-5
_ROWS, _ROWS_AT_ONCE = 2_000, 5_000  # to learn from, and to tell of
_MOST_COUNT = 200
_TINY = 1e-12

Seen = NDArray[np.bool_]


@dataclass(frozen=True)
class ActivityModel:
    """Rates of those who are there, what is left of them once gone, and how customers come and go.

    Attributes
    ----------
    rates, shares : arrays of shape (n_rates,)
        Days with a sign of life in a period, and how many customers have each rate.
    left : float
        Part of the rate that remains of a customer who has gone.
    moves : array of shape (2, 2)
        Probabilities from state to state, from one period to the next.
    first : array of shape (2,)
        Of the states in a customer's first period.
    """

    rates: Vector
    shares: Vector
    left: float
    moves: Matrix
    first: Vector

    @classmethod
    def fit(cls, counts: Matrix, seen: Seen) -> ActivityModel:
        """By the EM algorithm (Baum et al. 1970).

        Parameters
        ----------
        counts : array of shape (n_rows, n_periods)
            Days with a sign of life.
        seen : array of the same shape
            Which periods count; those of a row follow one another (:func:`since_the_first`).
        """
        some = np.flatnonzero(seen.any(axis=1))
        some = some[:: max(1, -(-len(some) // _ROWS))]
        counts, seen = counts[some], seen[some]
        mean = float((counts * seen).sum() / max(seen.sum(), 1)) or 1.0
        model = cls(
            _RATES * mean, np.full(len(_RATES), 1 / len(_RATES)), 0.05, np.array([[0.95, 0.05], [0.05, 0.95]]), _EVEN
        )
        before = -np.inf
        for _ in range(_STEPS):
            walk = model._walk(counts, seen)
            model = model._next(walk, counts, seen)
            if walk.log_likelihood - before < _CLOSE * abs(walk.log_likelihood):
                break
            before = walk.log_likelihood
        return model

    def states(self, counts: Matrix, seen: Seen, begin: int, end: int) -> tuple[Matrix, Vector]:
        """What each row was in two periods, and for how long in between.

        Returns
        -------
        array of shape (n_rows, 2, 2)
            Probability of each state in period ``begin`` together with each in period ``end``.
        array of shape (n_rows,)
            Expected share of the periods after ``begin`` and up to ``end`` that one who goes meanwhile was there for,
            times the probability to be such a one.
        """
        joint, stayed = np.empty((len(counts), 2, 2)), np.empty(len(counts))
        for rows in _pieces(len(counts)):
            walk = self._walk(counts[rows], seen[rows])
            parts = [walk.joint(begin, period) for period in range(begin + 1, end + 1)]
            joint[rows] = parts[-1]
            there = np.array([np.maximum(part[:, THERE, THERE] - parts[-1][:, THERE, THERE], 0) for part in parts])
            stayed[rows] = there.mean(axis=0)
        return joint, stayed

    def _walk(self, counts: Matrix, seen: Seen) -> _Walk:
        return _Walk(self, np.minimum(counts, _MOST_COUNT).astype(np.intp), seen)

    def _next(self, walk: _Walk, counts: Matrix, seen: Seen) -> ActivityModel:
        """The model that explains best what the walk found."""
        found, moved = walk.posterior, walk.moved
        begins = found[walk.first_seen, np.arange(len(counts))]
        shares = begins.sum(axis=(0, 2))
        came, waited = np.zeros(2), np.zeros(2)
        for period, at in enumerate(found):
            there = at * seen[:, period, None, None]
            came += np.einsum("rls,r->s", there, counts[:, period])
            waited += np.einsum("rls,l->s", there, self.rates)
        level, left = came / np.maximum(waited, _TINY)
        return ActivityModel(
            self.rates * level,
            shares / shares.sum(),
            float(np.clip(left / max(level, _TINY), 1e-4, 1.0)),
            moved / moved.sum(axis=1, keepdims=True),
            begins.sum(axis=(0, 1)) / len(counts),
        )


_EVEN = np.array([0.95, 0.05])


@dataclass(frozen=True)
class _Walk:
    """Forwards and backwards through the periods of some rows; arrays of shape (n_rows, n_rates, 2) per period."""

    model: ActivityModel
    counts: NDArray[np.intp]
    seen: Seen

    @cached_property
    def first_seen(self) -> NDArray[np.intp]:
        """The period in which each row begins."""
        return np.asarray(np.argmax(self.seen, axis=1))

    @cached_property
    def _of_counts(self) -> Matrix:
        """Logarithm of the probability of each count, shape (n_counts, n_rates, 2)."""
        rate = self.model.rates[:, None] * np.array([1.0, self.model.left])
        count = np.arange(int(self.counts.max(initial=0)) + 1)[:, None, None]
        return np.asarray(count * np.log(rate) - rate - gammaln(count + 1.0))

    @cached_property
    def _likelihood(self) -> list[Matrix]:
        """Of what each period shows, relative to the likeliest state and rate."""
        table = np.exp(self._of_counts - self._of_counts.max(axis=(1, 2), keepdims=True))
        periods = zip(self.seen.T, self.counts.T, strict=True)
        return [np.where(seen[:, None, None], table[counts], 1.0) for seen, counts in periods]

    @cached_property
    def _forward(self) -> tuple[list[Matrix], float]:
        model, found = self.model, []
        total = float(self._of_counts.max(axis=(1, 2))[self.counts[self.seen]].sum())
        at = np.broadcast_to(model.shares[:, None] * model.first, (len(self.counts), len(model.rates), 2))
        for period, likelihood in enumerate(self._likelihood):
            begun = (period > self.first_seen)[:, None, None]
            at = np.where(begun, at @ model.moves, at) * likelihood
            size = at.sum(axis=(1, 2), keepdims=True)
            total += float(np.log(size).sum())
            at = at / size
            found.append(at)
        return found, total

    @cached_property
    def _backward(self) -> list[Matrix]:
        after = np.ones((len(self.counts), len(self.model.rates), 2))
        found = [after]
        for period in range(self.counts.shape[1] - 1, 0, -1):
            after = self._likelihood[period] * after
            after = np.where((period > self.first_seen)[:, None, None], after @ self.model.moves.T, after)
            after = after / after.max(axis=(1, 2), keepdims=True)
            found.append(after)
        return found[::-1]

    @property
    def log_likelihood(self) -> float:
        """Of all rows together."""
        return self._forward[1]

    @cached_property
    def posterior(self) -> Matrix:
        """Probability of each rate and state in each period, given everything that is seen."""
        both = np.array(self._forward[0]) * np.array(self._backward)
        return np.asarray(both / both.sum(axis=(2, 3), keepdims=True))

    @property
    def moved(self) -> Matrix:
        """Expected number of moves from state to state."""
        total = np.full((2, 2), _TINY)
        for period in range(1, self.counts.shape[1]):
            ahead, after = self._forward[0][period - 1], self._likelihood[period] * self._backward[period]
            each = ahead[:, :, :, None] * self.model.moves * after[:, :, None, :]
            each = each / np.maximum(each.sum(axis=(1, 2, 3), keepdims=True), _TINY**2)
            total += each[period > self.first_seen].sum(axis=(0, 1))
        return total

    def joint(self, begin: int, end: int) -> Matrix:
        """Probability of each state in one period together with each in a later one."""
        at = self._forward[0][begin][:, :, :, None] * np.eye(2)
        for period in range(begin + 1, end + 1):
            begun = (period > self.first_seen)[:, None, None, None]
            at = np.where(begun, at @ self.model.moves, at) * self._likelihood[period][:, :, None, :]
            at = at / at.sum(axis=(1, 2, 3), keepdims=True)
        at = (at * self._backward[end][:, :, None, :]).sum(axis=1)
        return np.asarray(at / at.sum(axis=(1, 2), keepdims=True))


def since_the_first(counts: Matrix, known: Seen) -> Seen:
    """The known periods from a row's first sign of life on: before, nobody can tell whether there was a customer."""
    active = np.asarray(np.logical_and(counts > 0, known))
    begun = np.logical_or.accumulate(active, axis=1)
    return np.asarray(known & begun)


def _pieces(rows: int) -> Iterator[slice]:
    return (slice(at, at + _ROWS_AT_ONCE) for at in range(0, rows, _ROWS_AT_ONCE))
