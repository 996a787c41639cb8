"""What later signs of life tell of a cutoff: who had gone, who left in the outcome window, who stayed; with its doubt.

Where engagement is seen, :mod:`holdfast.learning.activity` reads the days with signs of life. Of orders alone it
cannot: they are rare and come in heaps. There whoever orders again had not gone, and of whoever has been silent ever
since, :mod:`holdfast.learning.silence` tells how likely that is of one who is still there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from holdfast.labels import LATER, PAST, SIGNS
from holdfast.learning.activity import GONE, THERE, ActivityModel, Seen, since_the_first
from holdfast.learning.btyd.customer_base import CustomerBaseLearner
from holdfast.learning.folds import Rows
from holdfast.learning.silence import SilenceModel
from holdfast.models.checks import Matrix, Vector
from holdfast.models.model_card import ChurnDefinition
from holdfast.timeline import Days

_MOST_LEFT, _MOST_LEAVING = 0.2, 0.35  # beyond, the two states are busy and quiet times, and nobody goes or stays
_PERIODS = 3  # of the outcome window
_ROWS = 20_000  # to learn a customer base from


@dataclass(frozen=True)
class StateLabels:
    """Probability of each state of each snapshot, given what came later; arrays of shape (n_rows,).

    Attributes
    ----------
    gone, leaving :
        Had gone at the cutoff; was there, and had gone by the end of the outcome window.
    there : array or None
        Part of the outcome window that one who left in it was there for, times ``leaving``; None if it is not known.
    left : float
        Part of the activity that remains once a customer has gone.
    """

    gone: Vector
    leaving: Vector
    there: Vector | None = None
    left: float = 0.0

    @property
    def staying(self) -> Vector:
        """Was there when the outcome window ended."""
        return np.asarray(1 - self.gone - self.leaving)

    def of(self, rows: Rows) -> StateLabels:
        """Those of some rows."""
        there = None if self.there is None else self.there[rows]
        return StateLabels(self.gone[rows], self.leaving[rows], there, self.left)


@dataclass(frozen=True)
class LaterSigns:
    """Days with signs of life in the periods around each cutoff, as far as they are known.

    Attributes
    ----------
    counts, known : arrays of shape (n_rows, n_periods)
    days : float
        Length of a period.
    """

    counts: Matrix
    known: Seen
    days: float

    @classmethod
    def of(cls, snapshots: pd.DataFrame, churn: ChurnDefinition, known_at: int) -> LaterSigns:
        """Read off the snapshots, with nothing that came after an instant."""
        length = (churn.gap_days + churn.horizon_days) / _PERIODS
        ends = np.array([Days(period * length).microseconds for period in range(1 - PAST, LATER + 1)])
        known = snapshots["cutoff"].to_numpy(dtype=np.int64)[:, None] + ends <= known_at
        return cls(snapshots[list(SIGNS)].to_numpy(dtype=np.float64), known, length)

    def by_activity(self) -> StateLabels | None:
        """As the activity before and after tells; None where it does not tell who goes."""
        seen = since_the_first(self.counts, self.known)
        if not seen.any():
            return None
        model = ActivityModel.fit(self.counts, seen)
        if model.left > _MOST_LEFT or model.moves[THERE, GONE] > _MOST_LEAVING:
            return None
        both, there = model.states(self.counts, seen, PAST - 1, PAST + _PERIODS - 1)
        return StateLabels(both[:, GONE].sum(axis=1), both[:, THERE, GONE], there, model.left)

    def by_silence(self, model: SilenceModel | None = None, X: Matrix | None = None) -> StateLabels:
        """Who showed life again had not gone; of the others a model tells, or else their silence alone."""
        later, observed, last = self._later
        rest = np.maximum(observed - _PERIODS, 0)
        gone, by_end = (observed > 0).astype(np.float64), (rest > 0).astype(np.float64)
        if model is not None and X is not None:
            known = model.columns.known(X)
            repeats, bought, age = model.columns.read(X[known])
            gone[known] = model.gone((repeats, bought, age), observed[known] * self.days)
            bought = np.where(last[known] > 0, age + (np.minimum(last[known], _PERIODS) - 0.5) * self.days, bought)
            at_end = repeats + later[known].sum(axis=1), bought, age + _PERIODS * self.days
            by_end[known] = model.gone(at_end, rest[known] * self.days)
        gone[last > 0], by_end[last > _PERIODS] = 0.0, 0.0
        return StateLabels(gone, np.maximum(by_end - gone, 0.0))

    def silence_model(
        self, base: CustomerBaseLearner, X: Matrix, weight: Vector | None, latest: Seen
    ) -> SilenceModel | None:
        """The customer base of the latest cutoff, corrected by when customers showed life again; None without any."""
        weight = np.ones(len(X)) if weight is None else weight
        now = base.some_rows(X[latest], weight[latest], _ROWS)
        if now is None:
            return None
        later, observed, _ = self._later
        came = (later > 0).any(axis=1)
        after = np.where(came, np.argmax(later > 0, axis=1), observed) * self.days
        by = np.where(came, after + self.days, np.inf)
        some = np.flatnonzero(base.columns.known(X) & (weight > 0))
        some = some[:: max(1, -(-len(some) // _ROWS))]
        return SilenceModel.fit(base.purchases(*now), base.columns, X[some], after[some], by[some], weight[some])

    @property
    def _later(self) -> tuple[Matrix, Vector, Vector]:
        """Signs after the cutoff, how many periods are known, and the last one with a sign, counted from 1; or 0."""
        later = (self.counts * self.known)[:, PAST:]
        last = np.where(later > 0, np.arange(1, LATER + 1), 0).max(axis=1)
        return later, self.known[:, PAST:].sum(axis=1), last


def state_labels(
    snapshots: pd.DataFrame,
    churn: ChurnDefinition,
    known_at: int,
    *,
    columns: Mapping[str, tuple[str, ...]],
    base: CustomerBaseLearner | None,
    X: Matrix,
    weight: Vector | None,
) -> StateLabels:
    """The states of snapshots by all that was known at an instant.

    Parameters
    ----------
    columns : mapping of stream to names of columns
        Which sources there are.
    base : CustomerBaseLearner or None
        That reads ``X``; None where orders tell nothing.
    """
    if churn.kind == "subscription_end":
        churned = snapshots["churned"].to_numpy(dtype=np.float64)
        return StateLabels(np.zeros(len(churned)), churned)
    signs = LaterSigns.of(snapshots, churn, known_at)
    found = signs.by_activity() if "engagement" in columns else None
    if found is not None:
        return found
    cutoff = snapshots["cutoff"].to_numpy(dtype=np.int64)
    model = None if base is None else signs.silence_model(base, X, weight, cutoff == cutoff.max())
    return signs.by_silence(model, X)
