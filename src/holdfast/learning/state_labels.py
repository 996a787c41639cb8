"""What later signs of life tell of a cutoff: who had gone, who left in the outcome window, who stayed; with its doubt.

Where engagement is seen, :mod:`holdfast.learning.activity` reads the days with signs of life. Of orders alone it
cannot: they are rare and come in heaps. There whoever orders again had not gone, and of whoever has been silent ever
since, the customer base tells how likely that is of one who is still there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from holdfast.labels import LATER, PAST, SIGNS
from holdfast.learning.activity import GONE, THERE, ActivityModel, Seen, since_the_first
from holdfast.learning.folds import Rows
from holdfast.models.btyd.history_risk import HistoryRisk
from holdfast.models.checks import Matrix, Vector
from holdfast.models.model_card import ChurnDefinition
from holdfast.timeline import Days

_MOST_LEFT, _MOST_LEAVING = 0.2, 0.35  # beyond, the two states are busy and quiet times, and nobody goes or stays
_PERIODS = 3  # of the outcome window


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

    def by_silence(self, history: HistoryRisk | None = None, X: Matrix | None = None) -> StateLabels:
        """Who showed life again had not gone; of the others a customer base tells, if there is one."""
        later = (self.counts * self.known)[:, PAST:]
        last = np.where(later > 0, np.arange(1, LATER + 1), 0).max(axis=1)
        observed = self.known[:, PAST:].sum(axis=1)
        still = np.zeros(len(later))
        if history is not None and X is not None:
            known = history.columns.known(X)
            repeats, bought, age = history.columns.read(X[known])
            more, at = later[known].sum(axis=1), (last[known] - 0.5) * self.days
            bought = np.where(last[known] > 0, age + at, bought)
            still[known] = history.model.probability_alive(repeats + more, bought, age + observed[known] * self.days)
        silent = np.where(last == 0, 1 - still, 0.0)
        left = np.where((last > 0) & (last <= _PERIODS) & (observed > _PERIODS), 1 - still, 0.0)
        return StateLabels(silent, left)


def state_labels(
    snapshots: pd.DataFrame,
    churn: ChurnDefinition,
    known_at: int,
    *,
    columns: Mapping[str, tuple[str, ...]],
    history: HistoryRisk | None,
    X: Matrix,
) -> StateLabels:
    """The states of snapshots by all that was known at an instant.

    Parameters
    ----------
    columns : mapping of stream to names of columns
        Which sources there are.
    history : HistoryRisk or None
        A customer base that reads ``X``.
    """
    if churn.kind == "subscription_end":
        churned = snapshots["churned"].to_numpy(dtype=np.float64)
        return StateLabels(np.zeros(len(churned)), churned)
    signs = LaterSigns.of(snapshots, churn, known_at)
    found = signs.by_activity() if "engagement" in columns else None
    return signs.by_silence(history, X) if found is None else found
