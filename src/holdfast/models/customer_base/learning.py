"""Which rows of a wide matrix a customer-base model learns from, and the risk that it learns."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.customer_base.columns import HistoryColumns
from holdfast.models.customer_base.fitting import fit_purchases
from holdfast.models.customer_base.histories import Histories, bought_lately
from holdfast.models.customer_base.kinds import model_of
from holdfast.models.customer_base.risk import HistoryRisk
from holdfast.models.inputs import instants
from holdfast.models.quantiles import of_rows, quantiles
from holdfast.timeline import Instants

_MOST_CUSTOMERS = 20_000  # of a cutoff; more give the same three or four parameters


def learn_risk(
    columns: HistoryColumns,
    X: Matrix,
    weight: Vector,
    *,
    kind: str,
    horizon_days: float,
    penalty: float,
    bought_within_days: float | None,
) -> HistoryRisk:
    """The risk of no purchase in a horizon, learnt from rows of :func:`learnt_rows`; no outcome is looked at."""
    learnt = Histories.of(*columns.read(X), weight, bought_within=bought_within_days)
    model = fit_purchases(model_of(kind), learnt, penalty=penalty)
    none = model.probability_none(*columns.read(X), horizon_days)
    orders, last, first = (float(quantiles(X[:, place], [0.5], weight)[0]) for place in columns.places)
    usual, otherwise = (orders, last, first), float(np.average(none, weights=weight))
    return HistoryRisk(model, columns, X.shape[1], float(horizon_days), usual, otherwise)


def learn_by_cutoff(
    columns: HistoryColumns,
    X: Matrix,
    cutoff: Instants | None,
    weight: Vector | None,
    *,
    horizon_days: float,
    bought_within_days: float | None,
    recent: Matrix | None = None,
    kind: str = "bg_nbd",
    penalty: float = 1.0,
) -> tuple[Vector, HistoryRisk | None]:
    """Odds of no purchase for every row, by what was known at its own cutoff, and the risk learnt from ``recent`` rows.

    Without them the latest cutoff gives the risk. Where nobody at a cutoff has bought, the odds there are missing; None
    if that is so at the last.
    """

    def learnt(rows: Matrix, weight: Vector | None) -> HistoryRisk | None:
        some = slice(None, None, max(1, -(-len(rows) // _MOST_CUSTOMERS)))
        try:
            chosen = learnt_rows(
                columns, columns.places, rows[some], None if weight is None else weight[some], None, bought_within_days
            )
        except InputError:
            return None
        return learn_risk(
            columns,
            *chosen,
            kind=kind,
            horizon_days=horizon_days,
            penalty=penalty,
            bought_within_days=bought_within_days,
        )

    odds, latest = np.full(len(X), np.nan), None
    at = np.zeros(len(X), dtype=np.int64) if cutoff is None else cutoff
    for each in np.unique(at):
        rows = np.flatnonzero(at == each)
        latest = learnt(X[rows], of_rows(weight, rows))
        if latest is not None:
            odds[rows] = np.exp(latest.log_odds(X[rows]))
    return odds, latest if recent is None else learnt(recent, None) or latest


def learnt_rows(
    columns: HistoryColumns,
    places: tuple[int, ...],
    X: Matrix,
    weight: Vector | None,
    cutoff: ArrayLike | None,
    bought_within_days: float | None,
) -> tuple[Matrix, Vector]:
    """Rows of known history, recent enough and of positive weight, at the latest cutoff, and their weights."""
    if not all(0 <= place < X.shape[1] for place in places):
        raise InputError(f"Wanted columns {places} of a matrix, numbered from 0; found {X.shape[1]} feature(s).")
    weight = np.ones(len(X)) if weight is None else weight
    there = columns.known(X) & (weight > 0)
    if bought_within_days is not None:
        there &= bought_lately(*columns.read(X)[1:], bought_within_days)
    at = instants(cutoff, len(X))
    if at is not None and there.any():
        there &= at == at[there].max()
    if not there.any():
        raise InputError(
            f"Wanted customers who have bought, found none in {len(X)} rows: orders, days since the last or days since "
            f"the first order is missing in all of them, or none is within {bought_within_days} days. "
            "Look at which columns the model was given."
        )
    return X[there], weight[there]
