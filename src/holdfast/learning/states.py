"""Learning who has gone, who is leaving and what customers bring in each state, from what came later.

The states of a snapshot are known with doubt (:mod:`holdfast.learning.state_labels`): one that had gone with the
probability .8 counts as .8 of a customer who had and .2 of one who had not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from holdfast.labels import SIGNS
from holdfast.learning.at_risk_classifier import AtRiskClassifier
from holdfast.learning.btyd.customer_base import CustomerBaseLearner
from holdfast.learning.effort import EFFORTS
from holdfast.learning.folds import Rows
from holdfast.learning.state_labels import StateLabels, state_labels
from holdfast.learning.training_spec import TrainingSpec
from holdfast.models.btyd.history_columns import HistoryColumns
from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import quantiles
from holdfast.models.risk import RiskModel
from holdfast.models.states import StateModel, ValueShares, part_that_comes
from holdfast.models.value import ValueModel
from holdfast.timeline import Instants

_DOUBT = 0.01  # below, the other state is not counted
_FEWEST = 30  # customers of each side
_ROUNDS = 8
_DRAWN_IN = 0.995  # quantile of the values beyond which one order would decide
_BASE = "pareto_nbd"  # may leave at any time: BG/NBD believes everyone there who bought once
_OF_THE_BASE = ("history_columns", "bought_within_days")
_LEAST_STAYING = 0.05
_KEPT = (0.5, 2.0)
_LEAST = 1e-9
_RECIPE: dict[str, Any] = {"learning_rate": 0.1, "num_leaves": 4, "linear_penalty": 30.0, "n_estimators": 60}


def learn_states(
    snapshots: pd.DataFrame,
    X: Matrix,
    spec: TrainingSpec,
    models: tuple[RiskModel, ValueModel],
    settings: Mapping[str, Any],
    weight: Vector | None,
) -> StateModel:
    """Learn the states of the customers of snapshots, from all that was known when their last outcome was complete.

    Snapshots that do not tell the signs of life tell no states: whoever churns is leaving.

    Parameters
    ----------
    X : array of shape (n_rows, n_features)
        The features of the snapshots.
    models : tuple
        Of the risk and of the value, learnt from the same rows.
    settings : mapping
        Of :class:`AtRiskClassifier`, for these columns.
    """
    risk, value = models
    churn, cutoff = spec.card.churn, snapshots["cutoff"].to_numpy(dtype=np.int64)
    if churn.kind != "subscription_end" and not set(SIGNS) <= set(snapshots):
        return StateModel()
    most = EFFORTS[spec.effort].most_state_rows  # more tell states apart about as well and cost more
    recipe = {**_RECIPE, "purge_days": spec.complete_after.count}
    known_at = int(cutoff.max()) + spec.complete_after.microseconds
    base = _customer_base(settings, churn.horizon_days)
    labels = state_labels(snapshots, churn, known_at, columns=spec.card.columns, base=base, X=X, weight=weight)
    model = StateModel()
    if churn.kind != "subscription_end":
        plain = {name: each for name, each in settings.items() if name not in _OF_THE_BASE}
        model = _state_models(X, labels, cutoff, weight, {**plain, **recipe}, most)
    known = spec.value_known(snapshots)
    some = np.flatnonzero(known)[_evenly(int(known.sum()), most)]
    X, cutoff, labels = X[some], cutoff[some], labels.of(some)
    counted = np.ones(len(some)) if weight is None else weight[some]
    told = model.states(X, risk.probability(X))
    rows = _Rows(labels, *told, snapshots["future_value"].to_numpy(dtype=np.float64)[some], value.mean(X), counted)
    shares, stayed = value_shares(rows)
    if churn.kind == "subscription_end":
        part = np.clip(np.divide(rows.came, stayed, out=np.zeros(len(some)), where=stayed > 0), 0.0, 1.0)
        heavy = rows.counted * labels.leaving * stayed
        brings = _learnt(X, part, heavy / max(heavy[heavy > 0].mean(), _LEAST), cutoff, {**settings, **recipe})
        return replace(model, brings=brings, shares=shares)
    lasting = spec.card.value.horizon_days > churn.horizon_days
    return replace(model, shares=replace(shares, lost=shares.gone if lasting else 0.0))


def _customer_base(settings: Mapping[str, Any], horizon_days: float) -> CustomerBaseLearner | None:
    orders = settings.get("history_columns")
    if not orders:
        return None
    within = settings.get("bought_within_days")
    return CustomerBaseLearner(HistoryColumns(*orders), _BASE, horizon_days, bought_within_days=within)


def _evenly(rows: int, most: int) -> Rows:
    return np.arange(0, rows, max(1, -(-rows // most)))


def _state_models(
    X: Matrix, labels: StateLabels, cutoff: Instants, weight: Vector | None, settings: Mapping[str, Any], most: int
) -> StateModel:
    some = _evenly(len(X), most)
    counted = np.ones(len(some)) if weight is None else weight[some]
    gone, leaving = labels.gone[some], labels.leaving[some]
    of_those_there = np.divide(leaving, 1 - gone, out=np.zeros(len(gone)), where=gone < 1)
    X, cutoff = X[some], cutoff[some]
    return StateModel(
        _learnt(X, gone, counted, cutoff, settings),
        _learnt(X, np.minimum(of_those_there, 1.0), counted * (1 - gone), cutoff, settings),
    )


def _learnt(X: Matrix, share: Vector, counted: Vector, cutoff: Instants, settings: Mapping[str, Any]) -> RiskModel:
    """A model of a probability that is known with doubt: each row counts in both classes, by its share."""
    rows = np.concatenate([np.flatnonzero(counted * part > _DOUBT) for part in (share, 1 - share)])
    positive = int((counted * share > _DOUBT).sum())
    y = np.arange(len(rows)) < positive
    weight = np.where(y, share[rows], 1 - share[rows]) * counted[rows]
    if min(weight[y].sum(), weight[~y].sum()) < _FEWEST:
        return RiskModel.constant(X.shape[1], float(counted @ share) / max(float(counted.sum()), _LEAST))
    order = np.lexsort((rows, cutoff[rows]))
    rows, y, weight = rows[order], y[order], weight[order]
    learner = AtRiskClassifier(**settings)
    found: RiskModel = learner.fit(X[rows], y, cutoff=cutoff[rows], sample_weight=weight / weight.mean()).model_
    return found


@dataclass(frozen=True)
class _Rows:
    """Customers whose later signs, later value and scores are known; arrays of shape (n_rows,)."""

    labels: StateLabels
    gone: Vector
    leaving: Vector
    came: Vector
    expected: Vector
    counted: Vector


def value_shares(rows: _Rows) -> tuple[ValueShares, Vector]:
    """What customers brought in each state, beside what those brought who looked alike and stayed; and the latter."""
    labels, counted = rows.labels, rows.counted
    came = np.minimum(rows.came, quantiles(rows.came, [_DRAWN_IN], counted)[0])
    shares, level, stayed = ValueShares(leaving=0.5), 1.0, rows.expected

    def part(state: Vector) -> float:
        return float((counted * state) @ came) / max(float((counted * state) @ stayed), _LEAST)

    for _ in range(_ROUNDS):
        brings = np.full(len(came), shares.leaving)
        stayed = np.maximum(rows.expected, 0.0) / part_that_comes(rows.gone, rows.leaving, brings, shares.gone)
        level = max(part(labels.staying), _LEAST)
        for name in ("leaving", "gone"):
            state = getattr(labels, name)
            if (counted * state).sum() >= _FEWEST:
                shares = replace(shares, **{name: float(np.clip(part(state) / level, 0.0, 1.0))})
    odds = rows.leaving / np.maximum(1 - rows.gone - rows.leaving, _LEAST_STAYING)
    kept = float(np.clip(part(labels.staying * odds) / level, *_KEPT))
    return replace(shares, kept=kept), stayed * level
