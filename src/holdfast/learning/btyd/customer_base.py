"""Learning a customer base from rows of a wide matrix: who is learnt from, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from holdfast.learning.btyd.gamma_gamma import fit_gamma_gamma
from holdfast.learning.btyd.maximum_likelihood import fit_purchases
from holdfast.learning.folds import Rows, rows_by_cutoff
from holdfast.models.btyd.histories import Histories, bought_lately
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.btyd.history_value import HistoryValue, spending
from holdfast.models.btyd.kinds import model_of
from holdfast.models.btyd.purchases import PurchaseModel
from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.quantiles import of_rows, quantiles
from holdfast.timeline import Instants

Model = TypeVar("Model")


@dataclass(frozen=True)
class CustomerBaseLearner:
    """Which model of the customer base to learn, and from whom; no outcome is ever looked at.

    Attributes
    ----------
    columns : HistoryColumns
    kind : str
        Of the model, as in :mod:`kinds`.
    horizon_days : float
        Within which purchases count.
    penalty : float
        In customers: so many of them know a usual business and nothing else. It keeps a fit on few repeat purchases
        finite, and is not seen in one on many. 0 for the published maxima.
    bought_within_days : float or None
        The rows are customers whose last purchase is at most so long ago; others are not learnt from. None if the rows
        are all customers, however long silent: then the models would see nobody leave in a population of those who
        bought lately, and would be far too sure of everybody.
    """

    columns: HistoryColumns
    kind: str
    horizon_days: float
    penalty: float = 1.0
    bought_within_days: float | None = None

    def rows(self, X: Matrix, weight: Vector | None = None) -> tuple[Matrix, Vector]:
        """Rows of known history, recent enough and of positive weight, and their weights.

        Raises
        ------
        InputError
            Nobody is left.
        """
        weight = np.ones(len(X)) if weight is None else weight
        there = self.columns.known(X) & (weight > 0)
        if self.bought_within_days is not None:
            there &= bought_lately(*self.columns.read(X)[1:], self.bought_within_days)
        if not there.any():
            raise InputError(
                f"Wanted customers who have bought, found none in {len(X)} rows: orders, days since the last or days "
                f"since the first order is missing in all of them, or none is within {self.bought_within_days} days. "
                "Look at which columns the model was given."
            )
        return X[there], weight[there]

    def some_rows(self, X: Matrix, weight: Vector | None, most: int) -> tuple[Matrix, Vector] | None:
        """:meth:`rows` of at most so many, evenly taken; None where nobody is left."""
        some = slice(None, None, max(1, -(-len(X) // most)))
        try:
            return self.rows(X[some], None if weight is None else weight[some])
        except InputError:
            return None

    def purchases(self, X: Matrix, weight: Vector, near: PurchaseModel | None = None) -> PurchaseModel:
        """The model of purchases of rows that :meth:`rows` chose; ``near`` is where the search for it begins."""
        learnt = Histories.of(*self.columns.read(X), weight, bought_within=self.bought_within_days)
        return fit_purchases(model_of(self.kind), learnt, penalty=self.penalty, near=near)

    def risk(self, X: Matrix, weight: Vector, *, near: PurchaseModel | None = None) -> HistoryRisk:
        """The risk of no purchase in the horizon."""
        model = self.purchases(X, weight, near)
        none = model.probability_none(*self.columns.read(X), self.horizon_days)
        orders, last, first = (float(quantiles(X[:, place], [0.5], weight)[0]) for place in self.columns.places)
        usual, otherwise = (orders, last, first), float(np.average(none, weights=weight))
        return HistoryRisk(model, self.columns, X.shape[1], float(self.horizon_days), usual, otherwise)

    def value(
        self,
        X: Matrix,
        weight: Vector,
        spend: int,
        *,
        purchases: PurchaseModel | None = None,
        near: PurchaseModel | None = None,
    ) -> HistoryValue:
        """The value in the horizon, by the column of the spend so far, and by a model of purchases if there is one."""
        model = self.purchases(X, weight, near) if purchases is None else purchases
        worth = fit_gamma_gamma(*spending(self.columns, spend, X), weight, penalty=self.penalty)
        blank = HistoryValue(model, worth, self.columns, spend, X.shape[1], float(self.horizon_days), (0.0, 0.0))
        orders, value = (float(np.average(answer, weights=weight)) for answer in (blank.orders(X), blank.mean(X)))
        return HistoryValue(model, worth, self.columns, spend, X.shape[1], float(self.horizon_days), (orders, value))


def at_each_cutoff(
    learn: Callable[[Matrix, Vector | None, Model | None], Model | None],
    X: Matrix,
    cutoff: Instants | None,
    weight: Vector | None,
    recent: Matrix | None,
) -> tuple[list[tuple[Rows, Model | None]], Model | None]:
    """What is learnt at every cutoff from what was known there, beside its rows; and what answers from now on.

    The latter is learnt from ``recent`` rows, or is that of the last cutoff. ``learn`` gets rows, weights and what was
    learnt at the cutoff before, near which the search may begin.
    """
    found: list[tuple[Rows, Model | None]] = []
    latest: Model | None = None
    for rows in rows_by_cutoff(cutoff, len(X)):
        latest = learn(X[rows], of_rows(weight, rows), latest)
        found.append((rows, latest))
    return found, latest if recent is None or not len(recent) else learn(recent, None, latest) or latest
