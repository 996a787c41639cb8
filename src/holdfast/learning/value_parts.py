"""What the value regressor has in hand while it learns: the rows, its two parts, their spread and the refunds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.learning.boosting import Learnt
from holdfast.learning.folds import Fold, Rows
from holdfast.models.additive import Additive, Linear
from holdfast.models.checks import Matrix, Vector
from holdfast.models.quantiles import mean, of_rows, quantiles
from holdfast.models.residual_quantiles import KNOTS, Spread
from holdfast.models.value import Distribution, Refunds, ValueModel
from holdfast.timeline import Instants


@dataclass(frozen=True)
class Values:
    """What the parts learn from; ``X`` as they read it, with the columns of the customer base."""

    X: Matrix
    y: Vector
    cutoff: Instants | None
    weight: Vector | None

    @property
    def some(self) -> Vector:
        """1 where anything was bought, else 0."""
        return (self.y > 0).astype(np.float64)

    @property
    def bought(self) -> Rows:
        """The rows where anything was."""
        return np.flatnonzero(self.y > 0)


@dataclass(frozen=True)
class Part:
    """One of the two parts: trees, the models of the folds and the one of all rows."""

    n_trees: int
    tried: Sequence[Learnt]
    learnt: Learnt
    record: dict[str, Any] | None = None


def constant_score(n_features: int, value: float) -> Learnt:
    """The same score for everyone, where there is nothing to tell them apart by."""
    return Learnt(Additive(n_features, Linear.constant(value), trees=None), levels=None)


def levels_of(learnt: Learnt, cutoff: Instants) -> Vector:
    """The level of each row at its own cutoff; the mean level at a cutoff that was not learnt from."""
    out = np.empty(len(cutoff))
    for each in np.unique(cutoff):
        rows = np.flatnonzero(cutoff == each)
        out[rows] = learnt.level_of(cutoff, rows).table[0]
    return out


def by_parts(model: ValueModel, data: Values, rows: Rows, any_value: Learnt, amount: Learnt) -> Distribution:
    """The distribution of rows at the levels of their own cutoffs, by some models of the two parts."""
    scores = [part.score.score(data.X[rows]) for part in (any_value, amount)]
    if data.cutoff is not None:
        scores = [s + levels_of(part, data.cutoff[rows]) for s, part in zip(scores, (any_value, amount), strict=True)]
    return model.two_parts(*scores)


def refunds_of(y: Vector, weight: Vector | None) -> Refunds:
    """What there is where no value is, as the past had it."""
    counted, refunds = np.ones(len(y)) if weight is None else weight, y[y < 0]
    if not len(refunds):
        return Refunds(0.0, np.zeros(len(KNOTS)))
    share = float(counted[y < 0].sum() / counted[y <= 0].sum())
    return Refunds(share, quantiles(refunds, KNOTS, of_rows(weight, y < 0)))


def spread_of(data: Values, folds: Sequence[Fold], part: Part) -> Spread:
    """Residuals of amounts that the fold's model had not seen; in sample where there are no folds.

    Each fold's residuals are centred: a season that raises everyone's amounts is a level, not a spread.
    """
    tries = [(model, fold.test[data.y[fold.test] > 0]) for fold, model in zip(folds, part.tried, strict=True)]
    tries = tries or [(part.learnt, data.bought)]
    predicted, residual = [], []
    for model, rows in tries:
        level = model.score.score(data.X[rows])
        off = np.log(data.y[rows]) - level
        shift = mean(off, of_rows(data.weight, rows))
        predicted.append(level + shift)
        residual.append(off - shift)
    rows_tried = np.concatenate([rows for _, rows in tries])
    return Spread.of(np.concatenate(predicted), np.concatenate(residual), of_rows(data.weight, rows_tried))
