"""Which calibration: the affine map of the log-odds with the best record, not the best promise.

Platt's map (Platt 1999) fitted on the latest cutoff carries that season's level into the next season and can be far
worse than no map at all, so a map must have helped on every cutoff that it was tried on unseen, and on two at least.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from holdfast.models.calibration import IDENTITY, Affine, mean_log_loss, sigmoid
from holdfast.models.checks import Vector
from holdfast.models.quantiles import mean

_FEWEST_TRIALS = 2  # cutoffs on which a map must have been tried before it may replace the identity
_WORTH_IT = {"slope": 0.0, "shift": 0.001, "platt": 0.001}  # mean log loss that it must have gained on them
_DOUBT = 1.0  # trials' worth of belief in a slope of 1


@dataclass(frozen=True)
class CalibrationTrial:
    """Raw log-odds and outcomes at one cutoff, from a model that had not seen it.

    ``cutoff`` and ``known_at`` (the instant at which the outcomes were complete) are microseconds UTC.
    """

    cutoff: int
    known_at: int
    log_odds: Vector
    churned: Vector
    weight: Vector | None = None


def fit_identity(trials: Sequence[CalibrationTrial]) -> Affine:  # noqa: ARG001 - one of three makers with one signature
    """The log-odds as they are."""
    return IDENTITY


def fit_shift(trials: Sequence[CalibrationTrial]) -> Affine:
    """The intercept that brings the mean probability to the observed share."""
    return _newton(trials, free_slope=False)


def fit_slope(trials: Sequence[CalibrationTrial]) -> Affine:
    """The slope of least loss around the mean log-odds, each trial with a level of its own; half the doubt stays.

    A model that is regularised for the worst is too timid at its best, season after season; a level says nothing of it.
    """
    each = [_newton([trial], free_slope=True).slope for trial in trials]
    rows = np.array([len(trial.churned) for trial in trials])
    z = np.concatenate([trial.log_odds for trial in trials])
    slope = 1 + (float(np.average(each, weights=rows)) - 1) * len(trials) / (len(trials) + _DOUBT)
    return Affine(slope, (1 - slope) * mean(z)) if slope > 0 else IDENTITY


def fit_platt(trials: Sequence[CalibrationTrial]) -> Affine:
    """Slope and intercept of least loss, drawn a little to the identity; the identity if the slope is not > 0."""
    found = _newton(trials, free_slope=True)
    return found if found.slope > 0 else IDENTITY


def choose_calibration(trials: Sequence[CalibrationTrial]) -> tuple[Affine, dict[str, Any]]:
    """The map with the best record on cutoffs that it had not seen, fitted on all trials; and the record itself.

    For each trial, every map is fitted on the trials whose outcomes were known by then. The identity stays unless a map
    was better on each of at least two trials, and a map that moves the level by .001 of log loss on average: a season
    that turns makes it look well twice and badly once, and nobody knows which comes next. The slope around the mean
    moves no level, and is judged with every trial at its own.
    """
    ordered = sorted(trials, key=lambda t: t.cutoff)
    makers = {"identity": fit_identity, "slope": fit_slope, "shift": fit_shift, "platt": fit_platt}
    record: dict[str, list[float]] = {name: [] for name in makers}
    bent: list[float] = []
    for trial in ordered:
        past = [t for t in ordered if t.known_at <= trial.cutoff]
        if past:
            for name, maker in makers.items():
                record[name].append(_loss(maker(past), trial))
            bent.append(_loss(_levelled(IDENTITY, trial), trial) - _loss(_levelled(fit_slope(past), trial), trial))
    chosen = "identity"
    if len(record["identity"]) >= _FEWEST_TRIALS:
        plain = np.array(record["identity"])
        gains = {name: plain - np.array(losses) for name, losses in record.items()} | {"slope": np.array(bent)}
        helped = [name for name, worth in _WORTH_IT.items() if gains[name].min() > 0 and gains[name].mean() > worth]
        chosen = max(helped, key=lambda name: float(gains[name].mean()), default="identity")
    return makers[chosen](ordered), {"chosen": chosen, "log_loss": record}


def _levelled(found: Affine, trial: CalibrationTrial) -> Affine:
    """The map with the intercept that suits the trial best: then its slope alone is judged."""
    there = CalibrationTrial(trial.cutoff, trial.known_at, found.apply(trial.log_odds), trial.churned, trial.weight)
    return Affine(found.slope, found.intercept + fit_shift([there]).intercept)


def _loss(found: Affine, trial: CalibrationTrial) -> float:
    return mean_log_loss(found.apply(trial.log_odds), trial.churned, trial.weight)


def _newton(trials: Sequence[CalibrationTrial], *, free_slope: bool, steps: int = 30) -> Affine:
    z = np.concatenate([t.log_odds for t in trials])
    y = np.concatenate([t.churned for t in trials])
    w = np.concatenate([np.ones(len(t.churned)) if t.weight is None else t.weight for t in trials])
    basis = np.column_stack([np.ones_like(z), z]) if free_slope else np.ones((len(z), 1))
    start = np.array([0.0, 1.0]) if free_slope else np.array([0.0])
    offset = np.zeros_like(z) if free_slope else z
    at = start.copy()
    for _ in range(steps):
        p = sigmoid(basis @ at + offset)
        gradient = basis.T @ (w * (p - y)) + (at - start)
        hessian = (basis * (w * p * (1 - p))[:, None]).T @ basis + np.eye(len(at))
        step = np.linalg.solve(hessian, gradient)
        at = at - np.clip(step, -2.0, 2.0)
        if np.abs(step).max() < 1e-10:
            break
    return Affine(slope=float(at[1]), intercept=float(at[0])) if free_slope else Affine(intercept=float(at[0]))
