"""The levels of the cutoffs learnt from, and the forecast of the level at a later cutoff.

Each training cutoff has an intercept of its own, so the score learns what sets customers of one cutoff apart, and is
free of what moved them all. The intercepts are a short, noisy series, which a Gaussian process carries on (Rasmussen
and Williams 2006, chapter 2)::

    level(t) = mean + yearly(t) + drift(t)
    cov(yearly(s), yearly(t)) = a^2 exp(-2 sin^2(pi (s - t) / year) / .7^2)
    cov(drift(s), drift(t)) = b^2 exp(-|s - t| / c)

With less than a year of history ``yearly`` says nothing and the last level fades into the mean; with more, last year's
same season speaks. How large ``a``, ``b`` and ``c`` are is not chosen but averaged: each setting counts by the density
that it gave to the levels that came, one outcome window ahead, at every earlier cutoff (a prequential record, Dawid
1984).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from holdfast.learning.ridge import Objective
from holdfast.models.calibration import sigmoid
from holdfast.models.checks import Matrix, Vector
from holdfast.models.season_level import SeasonLevel, phase
from holdfast.timeline import MICROSECONDS_PER_DAY, Instants

_YEAR_DAYS = 365.2425
_SETTINGS = tuple(product((0.0, 0.25, 0.5), (0.1, 0.3, 0.6), (45.0, 120.0, 360.0)))  # a, b and c (days), in log-odds
_OF_AMOUNTS = 0.5  # logarithms of amounts move half as much as log-odds
_NUGGET = 0.03  # what no process explains
_MEAN = 1.0  # prior spread of the mean around the average level
_MOST_LEVELS = 60
_PHASES = 73  # of the year, five days each
_STEPS = 20


@dataclass(frozen=True)
class CutoffIntercepts:
    """Intercepts of cutoffs.

    Attributes
    ----------
    cutoff : array of int64
        Microseconds UTC, ascending, each once.
    level, error : arrays of the same length
        What must be added to the score at each, and its standard error.
    objective : "binary" or "regression"
    """

    cutoff: Instants
    level: Vector
    error: Vector
    objective: Objective

    @classmethod
    def of(
        cls, score: Vector, y: Vector, cutoff: Instants, *, objective: Objective, weight: Vector | None = None
    ) -> CutoffIntercepts:
        """The intercepts that bring the mean of each cutoff to the observed one."""
        at, group = np.unique(cutoff, return_inverse=True)
        w = np.ones(len(y)) if weight is None else weight
        size = len(at)
        if objective == "regression":
            count = np.bincount(group, w, size)
            level = np.bincount(group, w * (y - score), size) / count
            spread = np.bincount(group, w * (y - score - level[group]) ** 2, size).sum() / count.sum()
            return cls(at, level, np.sqrt(spread / count), objective)
        level = np.zeros(size)
        for _ in range(_STEPS):
            p = sigmoid(score + level[group])
            curve = np.bincount(group, w * p * (1 - p), size)
            step = (np.bincount(group, w * (p - y), size) + level * 1e-6) / (curve + 1e-6)
            level = level - np.clip(step, -2, 2)
        return cls(at, level, 1 / np.sqrt(curve + 0.25), objective)

    def rows(self, cutoff: Instants) -> Vector:
        """The level of each row, by its cutoff."""
        return np.asarray(self.level[np.searchsorted(self.cutoff, cutoff)])

    def forecast(self, at: Vector, purge_days: float) -> Vector:
        """The expected level at later instants (microseconds UTC)."""
        some = np.unique(np.linspace(len(self.cutoff) - 1, 0, _MOST_LEVELS).astype(int))  # evenly, the last among them
        days, level, error = self.cutoff[some] / MICROSECONDS_PER_DAY, self.level[some], self.error[some]
        middle = float(np.average(level, weights=1 / (error**2 + _NUGGET)))
        unit = 1.0 if self.objective == "binary" else _OF_AMOUNTS
        processes = [_Process(days, (level - middle) / unit, error / unit, *setting) for setting in _SETTINGS]
        record = np.array([process.record(purge_days) for process in processes])
        trust = np.exp(record - record.max())
        each = np.array([process.mean(np.asarray(at) / MICROSECONDS_PER_DAY) for process in processes])
        return np.asarray(middle + unit * (trust / trust.sum()) @ each)

    def year_ahead(self, purge_days: float, columns: tuple[int, ...], X: Matrix, cutoff: Instants) -> SeasonLevel:
        """The forecast for the year that begins once the outcomes of the last cutoff are known, as a table.

        Parameters
        ----------
        columns : tuple of int
            Where ``X`` holds sine and cosine of the year; empty if it does not: then the first day stands for all.
        """
        known = self.cutoff[-1] + purge_days * MICROSECONDS_PER_DAY
        if not columns:
            return SeasonLevel((), self.forecast(np.array([known]), purge_days))
        last = int(np.argmax(cutoff))
        begin = float(phase(X[[last], columns[0]], X[[last], columns[1]])[0])  # of the last cutoff
        if np.isnan(begin):
            return SeasonLevel((), self.forecast(np.array([known]), purge_days))
        after = (np.arange(_PHASES) / _PHASES - begin) % 1.0 * _YEAR_DAYS
        after += np.ceil((purge_days - 1 - after).clip(0) / _YEAR_DAYS) * _YEAR_DAYS
        at = self.cutoff[-1] + after * MICROSECONDS_PER_DAY
        return SeasonLevel(columns, self.forecast(at, purge_days))


class _Process:
    """One setting of the process, on a series of levels around 0."""

    def __init__(self, days: Vector, level: Vector, error: Vector, a: float, b: float, c: float) -> None:
        self.days, self.level, self.a, self.b, self.c = days, level, a, b, c
        self.noise = error**2 + _NUGGET**2
        self.covariance = self._between(days, days)

    def _between(self, one: Vector, other: Vector) -> Matrix:
        gap = one[:, None] - other[None, :]
        yearly = self.a**2 * np.exp(-2 * np.sin(np.pi * gap / _YEAR_DAYS) ** 2 / 0.7**2)
        return np.asarray(_MEAN + yearly + self.b**2 * np.exp(-np.abs(gap) / self.c))

    def mean(self, at: Vector) -> Vector:
        """Expected levels."""
        whole = self.covariance + np.diag(self.noise)
        return np.asarray(self._between(at, self.days) @ np.linalg.solve(whole, self.level))

    def record(self, purge_days: float) -> float:
        """Log density of the levels that came, each given those known by then, in worth of separate outcomes."""
        total, variance = 0.0, np.diag(self.covariance)
        for i in range(len(self.days)):
            known = np.flatnonzero(self.days + purge_days <= self.days[i] + 1e-9)
            known = known[known != i]
            if len(known) == 0:
                continue
            part = self.covariance[np.ix_(known, known)] + np.diag(self.noise[known])
            across = self.covariance[i, known]
            solved = np.linalg.solve(part, np.column_stack([self.level[known], across]))
            spread = variance[i] + self.noise[i] - across @ solved[:, 1]
            total -= (np.log(spread) + (self.level[i] - across @ solved[:, 0]) ** 2 / spread) / 2
        step = float(np.median(np.diff(self.days))) if len(self.days) > 1 else purge_days
        return total * min(1.0, step / max(purge_days, 1e-9))
