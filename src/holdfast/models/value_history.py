"""What the history of purchases adds to the value, fitted at each cutoff on what was known there; and the blend.

A customer-base model looks at no outcome, so it can be fitted at every cutoff on the customers as they were then, and
once more on the customers of today, whose outcomes nobody knows. Its totals are off by a season or a trend, as all
totals are: that is a level, forecast as the levels of the two parts are (:mod:`holdfast.models.levels`).

How much it counts beside the two parts, and how far customers are spread, is not chosen but averaged, as the settings
of the levels are: each setting counts by the likelihood that the values of later cutoffs had under it. Without such a
record both count the same, and the spread stays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.models.checks import InputError, Matrix, Vector
from holdfast.models.customer_base.columns import HistoryColumns
from holdfast.models.customer_base.learning import Base, at_each_cutoff
from holdfast.models.customer_base.value import HistoryValue, spending
from holdfast.models.level import Level
from holdfast.models.levels import Levels
from holdfast.models.past_value import history_columns
from holdfast.models.value import Blend, ValueModel
from holdfast.timeline import Instants

_KIND = "mbg_nbd"
_PENALTY = 1.0
_MOST_CUSTOMERS = 5_000  # of a cutoff; more give the same parameters and cost more
_FEWEST_CUSTOMERS = 30
_ROWS_FOR_TOTALS = 10_000
_SHARES: Vector = np.linspace(0, 1, 11)
_SLOPES: Vector = np.linspace(0.8, 1.2, 17)
_LEAST = 1e-4  # of the mean value: who is expected to bring less is not told apart


@dataclass(frozen=True)
class PastValues:
    """What was expected of each row at its own cutoff, and the model of the present.

    Attributes
    ----------
    columns : array of shape (n_rows, 2)
        As :func:`~holdfast.models.past_value.history_columns`; the second is the expected value.
    latest : HistoryValue
        Fitted on the present, or else at the latest cutoff.
    """

    columns: Matrix
    latest: HistoryValue

    @property
    def expected(self) -> Vector:
        """Expected value of each row, in currency."""
        return np.asarray(self.columns[:, 1])


def past_values(
    columns: HistoryColumns,
    spend: int,
    X: Matrix,
    cutoff: Instants | None,
    weight: Vector | None,
    *,
    horizon_days: float,
    bought_within_days: float | None,
    recent: Matrix | None,
) -> PastValues | None:
    """Fit at every cutoff, and on ``recent`` rows; None where at one of them too few have bought."""
    base = Base(columns, _KIND, horizon_days, _PENALTY, bought_within_days)

    def learn(rows: Matrix, weight: Vector | None) -> HistoryValue | None:
        chosen = base.some_rows(rows, weight, _MOST_CUSTOMERS)
        if chosen is None:
            return None
        purchases, mean = spending(columns, spend, chosen[0])
        few = ((purchases > 0) & (mean > 0)).sum() < _FEWEST_CUSTOMERS
        return None if few else base.value(*chosen, spend)

    if not all(0 <= place < X.shape[1] for place in (*columns.places, spend)):
        raise InputError(
            f"Wanted history and spend in columns {(*columns.places, spend)} of the matrix, numbered from 0; found "
            f"{X.shape[1]} feature(s)."
        )
    models, latest = at_each_cutoff(learn, X, cutoff, weight, recent)
    found = np.empty((len(X), 2))
    for rows, value in models:
        if value is None:
            return None
        found[rows] = history_columns(value, X[rows])
    return None if latest is None else PastValues(found, latest)


def level_of_totals(
    truth: Vector,
    expected: Vector,
    cutoff: Instants | None,
    weight: Vector | None,
    *,
    X: Matrix,
    purge_days: float,
    season_columns: Sequence[int],
) -> Level:
    """The level that brings expected totals to the true ones, in the year ahead; 0 where there are no totals."""
    w = np.ones(len(truth)) if weight is None else weight
    at = np.zeros(len(truth), dtype=np.int64) if cutoff is None else cutoff
    cutoffs, group = np.unique(at, return_inverse=True)
    total, hoped = (np.bincount(group, w * values, len(cutoffs)) for values in (truth, expected))
    if not ((total > 0) & (hoped > 0)).all():
        return Level.constant()
    level = np.log(total / hoped)
    off = w * (truth - expected * np.exp(level)[group])
    error = np.sqrt(np.bincount(group, off**2, len(cutoffs))) / total
    if cutoff is None:
        return Level.constant(float(level[0]))
    return Levels(cutoffs, level, error, "regression").year_ahead(purge_days, tuple(season_columns), X, cutoff)


@dataclass(frozen=True)
class Trial:
    """Values of a later cutoff, drawn in, and what was expected of them; weights, or None.

    Expectations are brought to the true total, because levels have a record of their own.
    """

    truth: Vector
    own: Vector
    other: Vector
    weight: Vector

    @classmethod
    def of(cls, truth: Vector, own: Vector, other: Vector | None, weight: Vector | None) -> Trial | None:
        """A trial; None where nothing came, or nothing was expected. ``other`` is ``own`` without a customer base."""
        w = np.ones(len(truth)) if weight is None else weight
        truth, own, other = (np.maximum(values, 0) for values in (truth, own, own if other is None else other))
        total = float(w @ truth)
        if not (total > 0 and w @ own > 0 and w @ other > 0):
            return None
        least = _LEAST * total / w.sum()
        own, other = (np.maximum(values * total / (w @ values), least) for values in (own, other))
        return cls(truth, own, other, w)

    def expected(self, share: float, slope: float) -> Vector:
        """What a blend expects."""
        mixed = (1 - share) * self.own + share * self.other
        spread = mixed**slope
        return np.asarray(spread * ((self.weight @ mixed) / (self.weight @ spread)))


def blend_by_record(trials: Sequence[Trial]) -> tuple[float, float]:
    """Share of the customer base, and slope of the logarithm, averaged by the likelihood of later values.

    Values are as if Poisson, with the variance that they have: a quasi-likelihood (Wedderburn 1974), right for any
    positive mean. A slope above 1 makes large customers larger and small ones smaller, where the score was shrunk too
    much.
    """
    if not trials:
        return 0.5, 1.0
    middle = [trial.expected(0.5, 1.0) for trial in trials]
    off = sum(float(t.weight @ ((t.truth - m) ** 2 / m)) for t, m in zip(trials, middle, strict=True))
    dispersion = max(off / sum(float(t.weight.sum()) for t in trials), 1e-12)

    def average(values: Vector, blends: Sequence[tuple[float, float]]) -> float:
        gain = np.array([sum(float(t.weight @ (t.truth * np.log(t.expected(*b)))) for t in trials) for b in blends])
        trust = np.exp((gain - gain.max()) / dispersion)
        return float(trust @ values / trust.sum())

    share = average(_SHARES, [(share, 1.0) for share in _SHARES])
    return share, average(_SLOPES, [(share, slope) for slope in _SLOPES])


def blended(model: ValueModel, share: float, slope: float, now: Matrix) -> ValueModel:
    """The model with its blend: at every time of the year, it brings the total that two forecasts agree on.

    Both forecasts of the total move half-way to each other, and the pivot is such that the slope leaves the total.

    Parameters
    ----------
    now : array of shape (n_customers, n_features)
        Over whom totals are taken.
    """
    now = now[:: max(1, len(now) // _ROWS_FOR_TOTALS)]
    past, blend = model.past, Blend(share, 1.0, 1.0)
    if past is not None:
        wide, expected = np.column_stack([now, past.columns(now)]), float(past.history.mean(now).sum())
        log_odds, level = model.any_value.score(wide), model.amount.score(wide)
        tables = np.broadcast_arrays(model.any_level.table, model.amount_level.table, past.level.table)
        own = [float(model.two_parts(log_odds + z, level + a).mean().sum()) for z, a, _ in np.transpose(tables)]
        if expected > 0 and min(own) > 0:
            half = (np.log(own) - np.log(expected) - tables[2]) / 2
            columns = max(model.any_level.columns, model.amount_level.columns, past.level.columns)
            model = replace(
                model,
                amount_level=Level(columns, tables[1] - half),
                past=replace(past, level=Level(columns, tables[2] + half)),
            )
    mean = np.maximum(replace(model, blend=blend).mean(now), 0)
    if slope != 1 and mean.sum() > 0:
        pivot = float(np.exp((np.log((mean**slope).sum()) - np.log(mean.sum())) / (slope - 1)))
        blend = Blend(share, slope, pivot)
    return replace(model, blend=blend)
