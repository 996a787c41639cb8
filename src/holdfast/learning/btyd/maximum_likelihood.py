"""Maximum likelihood, with exact gradients, on the logarithms of the parameters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import astuple
from typing import NamedTuple, TypeVar

import numpy as np
from scipy.optimize import minimize

from holdfast.models.btyd.histories import Histories
from holdfast.models.btyd.purchases import PurchaseModel
from holdfast.models.checks import InputError, Matrix, Vector

_FARTHEST = 12.0  # logarithms: a parameter ends within a factor of 160,000 of its typical value
_FIRST = 5000  # distinct rows, evenly from all, that lead a fit near to its end before all rows decide
_NEAR = 1e-4  # logarithms, between the gradients whose difference is the curvature
_FLATTEST = 1e-6  # of the steepest curvature
_OPTIONS = {"ftol": 1e-14, "gtol": 1e-8, "maxiter": 500, "maxcor": 20}

Model = TypeVar("Model", bound=PurchaseModel)
LogLikelihood = Callable[[Vector], tuple[float, Vector]]
"""Log-likelihood and its gradient at logarithms of parameters."""


class FitStage(NamedTuple):
    """Some of the rows of a fit, and the sum of their weights."""

    slope: LogLikelihood
    customers: float


def fit_purchases(
    model: type[Model], histories: Histories, *, penalty: float = 0.0, near: PurchaseModel | None = None
) -> Model:
    """The model of one kind with the greatest likelihood; ``penalty`` as in :func:`maximise`.

    ``near`` is one of the same kind to begin from, such as that of an earlier cutoff; the answer is the same.

    Raises
    ------
    InputError
        Nobody bought twice and there is no penalty.
    """
    if penalty == 0 and not histories.repeats.any():
        raise InputError(
            f"Wanted customers who came back, found none among {histories.weight.sum():g}. "
            "Learn from a longer history, or give a positive penalty, which leans on a usual business."
        )

    def stage(rows: slice) -> FitStage:
        part = histories.part(rows)
        return FitStage(lambda at: model(*np.exp(at).tolist()).slope(part), float(part.weight.sum()))

    typical = np.log(astuple(model.typical(histories)))
    begin = None if near is None else np.log(astuple(near))
    stages = [slice(None)] if near is not None else subsamples(len(histories))
    found = maximise([stage(rows) for rows in stages], typical, penalty=penalty, begin=begin)
    return model(*np.exp(found).tolist())


def subsamples(rows: int) -> Iterator[slice]:
    """Every so manieth of many rows; then all."""
    if rows >= 2 * _FIRST:
        yield slice(None, None, rows // _FIRST)
    yield slice(None)


def maximise(
    stages: Sequence[FitStage],
    typical: Vector,
    *,
    penalty: float = 0.0,
    least: Vector | None = None,
    begin: Vector | None = None,
) -> Vector:
    """Logarithms of the parameters of greatest likelihood less ``penalty / 2 |parameters - typical|^2``.

    Parameters
    ----------
    stages : sequence of Stage
        Each starts where the one before has ended, with the curvature found there; the last decides.
    typical : array of shape (n_parameters,)
        Logarithms, where the first stage starts. Without penalty nothing else depends on them, except that no answer
        goes farther from them than a factor of 160,000: where the likelihood grows for ever, that is where it stops.
    penalty : float
        In customers: so many of them know the typical values and nothing else. 0 for the published maxima.
    least : array of shape (n_parameters,), optional
        Logarithms below which no parameter may go.
    begin : array of shape (n_parameters,), optional
        Logarithms where the first stage starts, if not at the typical ones.
    """
    low, high = typical - _FARTHEST, typical + _FARTHEST
    if least is not None:
        low = np.maximum(low, least)
    found, scale = np.clip(typical if begin is None else begin, low, high), np.eye(len(typical))
    free = False
    for number, (slope, customers) in enumerate(stages, start=1):

        def loss(at: Vector, slope: LogLikelihood = slope, customers: float = customers) -> tuple[float, Vector]:
            inside = np.clip(at, low, high)  # a step of a free stage may be of any length
            beyond, away = at - inside, inside - typical
            value, gradient = slope(inside)
            rising = np.where(beyond == 0, (penalty * away - gradient) / customers, beyond)
            return float(penalty * away @ away / 2 - value) / customers + float(beyond @ beyond) / 2, rising

        def scaled(
            z: Vector, loss: LogLikelihood = loss, origin: Vector = found, by: Matrix = scale
        ) -> tuple[float, Vector]:
            value, gradient = loss(origin + by @ z)
            return value, by.T @ gradient

        walls = None if free else list(zip(low - found, high - found, strict=True))
        step = minimize(scaled, np.zeros(len(found)), jac=True, method="L-BFGS-B", bounds=walls, options=_OPTIONS).x
        found = found + scale @ step
        free = number < len(stages) and bool(((found > low) & (found < high)).all())
        if free:
            scale = _whitening(loss, found)
    return np.clip(found, low, high)


def _whitening(loss: LogLikelihood, at: Vector) -> Matrix:
    """Directions in which the loss around a minimum is equally steep, from differences of gradients."""
    sides = [(loss(at + step)[1] - loss(at - step)[1]) / (2 * _NEAR) for step in np.eye(len(at)) * _NEAR]
    curve, directions = np.linalg.eigh((np.array(sides) + np.transpose(sides)) / 2)
    return np.asarray(directions / np.sqrt(np.maximum(curve, _FLATTEST * curve.max())))
