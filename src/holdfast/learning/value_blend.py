"""How much the customer base counts beside the two parts of the value, by their record.

The share is not chosen but averaged, as the settings of the levels are: each share counts by the likelihood that the
values of later cutoffs had under it. Without such a record both count the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from holdfast.models.checks import Matrix, Vector
from holdfast.models.season_level import SeasonLevel
from holdfast.models.value import Blend, ValueModel

_ROWS_FOR_TOTALS = 10_000
_SHARES: Vector = np.linspace(0, 1, 11)
_SLOPES: Vector = np.linspace(0.8, 1.2, 17)
_LEAST = 1e-4  # of the mean value: who is expected to bring less is not told apart


@dataclass(frozen=True)
class BlendTrial:
    """Values of a later cutoff, drawn in, and what was expected of them; weights, or None.

    Expectations are brought to the true total, because levels have a record of their own.
    """

    truth: Vector
    own: Vector
    other: Vector
    weight: Vector

    @classmethod
    def of(cls, truth: Vector, own: Vector, other: Vector | None, weight: Vector | None) -> BlendTrial | None:
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


def blend_by_record(trials: Sequence[BlendTrial]) -> tuple[float, float]:
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
                amount_level=SeasonLevel(columns, tables[1] - half),
                past=replace(past, level=SeasonLevel(columns, tables[2] + half)),
            )
    mean = np.maximum(replace(model, blend=blend).mean(now), 0)
    if slope != 1 and mean.sum() > 0:
        pivot = float(np.exp((np.log((mean**slope).sum()) - np.log(mean.sum())) / (slope - 1)))
        blend = Blend(share, slope, pivot)
    return replace(model, blend=blend)
